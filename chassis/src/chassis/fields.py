"""Serializer fields and bases that take JSON at its word: a string is never a number, unknown fields are refused."""

import re
from typing import Any

from django.core.validators import EmailValidator
from rest_framework import serializers

from chassis.countries import CODES

SKU_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
RESERVED_WORDS = frozenset(
    {"categories", "facets", "current", "reservations", "movements", "openapi.json", "metrics", "me"}
)
MAX_INT = 2**31 - 1


class StrictSerializer(serializers.Serializer[Any]):
    """A body: fields that it does not declare are 400, each named."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values."""
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail("This field is not known.", code="unknown")] for name in unknown}
            )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A JSON string without control characters other than line breaks and tabs; numbers and booleans are not text."""

    default_error_messages = {"control": "Control characters are not allowed."}

    def to_internal_value(self, data: Any) -> str:
        """The text, trimmed."""
        if not isinstance(data, str):
            self.fail("invalid")
        if any((char < " " and char not in "\n\r\t") or char == "\x7f" for char in data):
            self.fail("control")
        return str(super().to_internal_value(data))


class Email(Text):
    """An e-mail address as a JSON string, at most 254 characters (RFC 5321)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254} | kwargs)
        self.validators.append(EmailValidator())


class Integer(serializers.IntegerField):
    """A JSON integer, within PostgreSQL's int4 unless bounded closer. Strings, booleans and fractions are refused."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_value", MAX_INT)
        kwargs.setdefault("min_value", -MAX_INT)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        """The integer itself."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(data)


class Boolean(serializers.BooleanField):
    """A JSON true or false, nothing that resembles it."""

    def to_internal_value(self, data: Any) -> bool:
        """The boolean itself."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class UUID(serializers.UUIDField):
    """A UUID as a JSON string; numbers, which the library would take, are refused."""

    def to_internal_value(self, data: Any) -> Any:
        """The UUID."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class Sku(Text):
    """What names goods: a letter or digit, then up to 63 letters, digits, dots, dashes, underscores. Case counts."""

    default_error_messages = {
        "sku": "A SKU is 1 to 64 letters, digits, dots, dashes or underscores and begins with a letter or digit.",
        "reserved": "This word has a meaning in paths and cannot be a SKU.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The SKU verbatim."""
        value = super().to_internal_value(data)
        if not is_sku(value):
            self.fail("reserved" if value in RESERVED_WORDS else "sku")
        return value


def is_sku(value: str) -> bool:
    """Whether the text can be a SKU."""
    return re.fullmatch(SKU_PATTERN, value) is not None and value not in RESERVED_WORDS


class Country(Text):
    """A country that exists, as its ISO 3166-1 alpha-2 code."""

    default_error_messages = {"country": "Give an ISO 3166-1 alpha-2 code, such as DE."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "ISO 3166-1 alpha-2.")
        super().__init__(min_length=2, max_length=2, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The code."""
        value = super().to_internal_value(data)
        if value not in CODES:
            self.fail("country")
        return value


class Money(StrictSerializer):
    """``{"amount": 1990, "currency": "USD"}``: integer minor units and an ISO 4217 code."""

    amount = Integer(min_value=0)
    currency = serializers.RegexField(r"^[A-Z]{3}$", max_length=3, error_messages={"invalid": "Give an ISO 4217 code."})


def validated(serializer: type[serializers.Serializer[Any]], data: Any, **kwargs: Any) -> dict[str, Any]:
    """The validated values of a body or query; raises the 400 that names each field."""
    form = serializer(data=data, **kwargs)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
