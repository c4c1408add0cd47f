"""The shape of what comes in and goes out."""

from typing import Any

from chassis.fields import Boolean, Country, Email, StrictSerializer, Text
from chassis.pages import PageQuery, rfc3339
from django.utils.encoding import punycode
from rest_framework import serializers

from customers.domain.sessions import Tokens
from customers.models import Address, Customer

MAX_PASSWORD = 256


class AccountEmail(Email):
    """An address in the one form that accounts are known by: lower case, the domain in ASCII (RFC 5891)."""

    def to_internal_value(self, data: Any) -> str:
        """The address's one form; what has none stays as it is, for the validator to refuse."""
        local, at, domain = super().to_internal_value(data).rpartition("@")
        try:
            return f"{local}{at}{punycode(domain)}".lower()
        except UnicodeError:
            return f"{local}{at}"


class Password(Text):
    """A password verbatim, blanks included."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_PASSWORD, trim_whitespace=False, **kwargs)


class NewPassword(Password):
    """A password to be: the rules are settings.AUTH_PASSWORD_VALIDATORS, which say what is wrong."""

    def described(self) -> dict[str, Any]:
        """The one rule that the OpenAPI document can state."""
        return {"pattern": f"^[^{self.forbidden}]{{8,}}$"}


class Token(Text):
    """A token as it was given out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, **kwargs)


class Name(Text):
    """How somebody wants to be called: one line."""

    default_error_messages = {"control": "Give one line, without control characters."}
    forbidden = r"\x00-\x1f\x7f"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, **kwargs)


class SignUpRequest(StrictSerializer):
    """A new account."""

    email = AccountEmail()
    password = NewPassword()
    name = Name()


class SignInRequest(StrictSerializer):
    """Who wants tokens."""

    email = AccountEmail()
    password = Password()
    otp = Text(
        required=False,
        max_length=40,
        help_text="The code of an authenticator app, or a recovery code, where the account has a second factor.",
    )


class RefreshRequest(StrictSerializer):
    """A refresh token, to be traded or revoked."""

    refresh = Token()


class ProfileRequest(StrictSerializer):
    """What shall be changed; address and password need the current password."""

    document = {"dependentRequired": {"email": ["current_password"], "password": ["current_password"]}}
    name = Name(required=False)
    email = AccountEmail(required=False)
    password = NewPassword(required=False)
    current_password = Password(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Whoever changes how one signs in shows that one can."""
        if {"email", "password"} & set(attrs) and "current_password" not in attrs:
            missing = serializers.ErrorDetail("Needed to change the e-mail address or the password.", "required")
            raise serializers.ValidationError({"current_password": missing})
        return attrs


class EmailRequest(StrictSerializer):
    """Whose password shall be reset."""

    email = AccountEmail()


class ResetRequest(StrictSerializer):
    """The token of the mail, and the new password."""

    token = Token()
    password = NewPassword()


class VerifyRequest(StrictSerializer):
    """The token of the mail."""

    token = Token()


class AddressRequest(StrictSerializer):
    """A place to send goods to."""

    name = Name()
    line1 = Name()
    line2 = Name(required=False, allow_blank=True)
    city = Name()
    postal_code = Text(required=False, allow_blank=True, max_length=20, help_text="Some countries have none.")
    country = Country()
    default = Boolean(required=False)


class AddressesQuery(PageQuery):
    """A page of addresses, in the order they were added."""


class SignUpAnswer(serializers.Serializer[Any]):
    """The same for every address."""

    email = serializers.EmailField()
    name = serializers.CharField()


class TokensAnswer(serializers.Serializer[Any]):
    """The access token holds for ``expires_in`` seconds; the refresh token gets the next pair, once."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField()


class Profile(serializers.Serializer[Any]):
    """An account as its owner sees it."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    email_verified = serializers.BooleanField()
    pending_email = serializers.EmailField(allow_null=True, help_text="Takes the place of email once verified.")
    name = serializers.CharField()
    created = serializers.DateTimeField()


class VerifiedAnswer(serializers.Serializer[Any]):
    """The address that is verified now."""

    email = serializers.EmailField()
    email_verified = serializers.BooleanField()


class MailOnItsWay(serializers.Serializer[Any]):
    """The same for every address."""

    detail = serializers.CharField()


class AddressAnswer(serializers.Serializer[Any]):
    """An address as its owner sees it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    line1 = serializers.CharField()
    line2 = serializers.CharField(allow_blank=True)
    city = serializers.CharField()
    postal_code = serializers.CharField(allow_blank=True)
    country = serializers.CharField()
    default = serializers.BooleanField()


class AddressPage(serializers.Serializer[Any]):
    """A page of addresses."""

    results = AddressAnswer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class KeySetAnswer(serializers.Serializer[Any]):
    """A JWKS document (RFC 7517)."""

    keys = serializers.ListField(child=serializers.DictField())


def tokens(issued: Tokens) -> dict[str, Any]:
    """New tokens as they go out."""
    return {"access": issued.access, "refresh": issued.refresh, "expires_in": issued.expires_in}


def profile(customer: Customer) -> dict[str, Any]:
    """An account as it goes out to its owner."""
    return {
        "id": str(customer.pk),
        "email": customer.email,
        "email_verified": customer.email_verified,
        "pending_email": customer.pending_email or None,
        "name": customer.name,
        "created": rfc3339(customer.created),
    }


def address(row: Address) -> dict[str, Any]:
    """An address as it goes out to its owner."""
    fields = ("name", "line1", "line2", "city", "postal_code", "country", "default")
    return {"id": str(row.pk)} | {field: getattr(row, field) for field in fields}
