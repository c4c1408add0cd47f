"""Who may do what: the authentication class and the permissions of the services' views."""

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from chassis import tokens
from chassis.errors import CHALLENGE
from chassis.tokens import Principal

if TYPE_CHECKING:  # views import this module, by way of the settings
    from rest_framework.views import APIView


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` (RFC 6750). No header is nobody; one that does not hold is 401 with the reason."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        """The principal and the token, or None for nobody."""
        # Not get_authorization_header, which makes a mapping of all headers to find this one.
        scheme, _, token = request._request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not token:
            raise AuthenticationFailed("Use 'Authorization: Bearer <token>'.", code="invalid_token")
        try:
            principal = tokens.verify(token)
        except tokens.InvalidToken as error:
            raise AuthenticationFailed(str(error), code=error.code) from None
        request._request.principal = principal  # type: ignore[attr-defined]  # for the log line
        return principal, token

    def authenticate_header(self, request: Request) -> str:
        """What ``WWW-Authenticate`` says on a 401."""
        return CHALLENGE


class SignedIn(BasePermission):
    """A customer, staff included; never a service."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller may."""
        return getattr(request.user, "kind", "") == "customer"


def is_staff(user: Any, *roles: str) -> bool:
    """Whether the caller is of the shop's own and has one of the roles (any, where none is named)."""
    if not isinstance(user, Principal) or not user.is_staff:
        return False
    return not roles or "owner" in user.roles or not user.roles.isdisjoint(roles)


def staff(*roles: str) -> type[BasePermission]:
    """A permission for somebody of the shop's own who has one of the roles; an owner may everything."""

    class StaffWithRole(BasePermission):
        def has_permission(self, request: Request, view: "APIView") -> bool:
            return is_staff(request.user, *roles)

    return StaffWithRole


def services(*names: str) -> type[BasePermission]:
    """A permission for calls by the named services only."""

    class NamedServices(BasePermission):
        def has_permission(self, request: Request, view: "APIView") -> bool:
            return getattr(request.user, "kind", "") == "service" and request.user.id in names

    return NamedServices


Owner = staff("owner")
"""The default of every view: the shop's owner alone."""
