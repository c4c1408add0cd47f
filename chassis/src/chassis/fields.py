"""Serializer fields and bases that take JSON at its word: a string is never a number, unknown fields are refused."""

import re
from functools import cache
from typing import Any, ClassVar

from django.core.validators import EmailValidator
from django.http import QueryDict
from rest_framework import serializers

from chassis.countries import CODES
from chassis.json import MAX_INTEGER

SKU_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
RESERVED_WORDS = frozenset(
    {"categories", "facets", "current", "reservations", "movements", "openapi.json", "metrics", "me"}
)
MAX_INT = 2**31 - 1


class StrictSerializer(serializers.Serializer[Any]):
    """A body: fields that it does not declare are 400, each named."""

    document: ClassVar[dict[str, Any]] = {}
    """What the OpenAPI document says of the whole: rules between fields, in words of JSON Schema."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values."""
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail("This field is not known.", code="unknown")] for name in unknown}
            )
        return super().to_internal_value(data)


class Nothing(StrictSerializer):
    """An empty body, or none: what somebody sends where nothing is read would be ignored, and they would not know."""


class Query(serializers.Serializer[Any]):
    """Query parameters: lists may be given as often as they like, all else once. Unknown ones are nobody's business."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; an empty value is a value, and not the same as none."""
        if isinstance(data, QueryDict):
            data = {name: self._one_or_all(name, values) for name, values in data.lists()}
        return super().to_internal_value(data)

    def _one_or_all(self, name: str, values: list[str]) -> Any:
        if name not in self.fields or isinstance(self.fields[name], serializers.ListField):
            return values
        if len(values) > 1:
            raise serializers.ValidationError({name: [serializers.ErrorDetail("Give it once.", "repeated")]})
        return values[0]


class Text(serializers.CharField):
    """A JSON string without control characters other than line breaks and tabs; numbers and booleans are not text."""

    default_error_messages = {"control": "Control characters are not allowed."}
    forbidden: ClassVar[str] = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
    """The characters that are refused, as a regular expression's class."""

    def to_internal_value(self, data: Any) -> str:
        """The text, trimmed; its length counts before that."""
        if not isinstance(data, str):
            self.fail("invalid")
        if re.search(f"[{self.forbidden}]", data):
            self.fail("control")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return str(super().to_internal_value(data))

    def described(self) -> dict[str, Any]:
        """What the OpenAPI document says of it besides its length."""
        any_, solid = f"[^{self.forbidden}]*", rf"[^\s{self.forbidden}]"
        needs_more_than_blanks = self.trim_whitespace and not self.allow_blank
        return {"pattern": f"^{any_}{solid}{any_}$" if needs_more_than_blanks else f"^{any_}$"}


class Email(Text):
    """An e-mail address as a JSON string, at most 254 characters (RFC 5321)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254} | kwargs)
        self.validators.append(EmailValidator())

    def described(self) -> dict[str, Any]:
        """The format says it."""
        return {"format": "email"}


class Integer(serializers.IntegerField):
    """A JSON integer, within PostgreSQL's int4 unless bounded closer. Strings, booleans and fractions are refused.

    ``3.0`` is the integer 3, as JSON Schema has it: what is published must be what is taken.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_value", MAX_INT)
        kwargs.setdefault("min_value", -MAX_INT)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        """The integer itself."""
        if isinstance(data, bool) or not (isinstance(data, int) or (isinstance(data, float) and data.is_integer())):
            self.fail("invalid")
        return int(data)


class QueryInteger(serializers.IntegerField):
    """An integer in a query: ASCII digits and perhaps a minus, nothing else that Python takes for a number."""

    def to_internal_value(self, data: Any) -> int:
        """The integer."""
        if not isinstance(data, str) or not re.fullmatch(r"-?[0-9]{1,19}", data):
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

    def described(self) -> dict[str, Any]:
        """Its pattern, and the words that it cannot be."""
        return {"pattern": f"^{SKU_PATTERN}$", "not": {"enum": sorted(RESERVED_WORDS)}}


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

    def described(self) -> dict[str, Any]:
        """All of them."""
        return {"enum": sorted(CODES)}


class Currency(Text):
    """A currency's code as ISO 4217 writes it: three capital letters."""

    default_error_messages = {"currency": "Give an ISO 4217 code, such as EUR."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The code."""
        value = super().to_internal_value(data)
        if not re.fullmatch("[A-Z]{3}", value):
            self.fail("currency")
        return value

    def described(self) -> dict[str, Any]:
        """Its pattern."""
        return {"pattern": "^[A-Z]{3}$"}


class Money(StrictSerializer):
    """A price, ``{"amount": 1990, "currency": "USD"}``: integer minor units and an ISO 4217 code."""

    amount = Integer(min_value=0)
    currency = Currency()


class Total(Money):
    """What many goods cost together: beyond a price's limit, up to what JSON's numbers hold."""

    amount = Integer(min_value=0, max_value=MAX_INTEGER)


def validated(serializer: type[serializers.Serializer[Any]], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """The validated values of a body or query; raises the 400 that names each field."""
    return dict(_form(serializer, partial).run_validation(data))


@cache
def _form(serializer: type[serializers.Serializer[Any]], partial: bool) -> serializers.Serializer[Any]:
    """One instance serves all requests: it keeps nothing of them, and copying its fields costs more than using them."""
    return serializer(partial=partial)
