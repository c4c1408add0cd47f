"""Parse, one call of the domain, render: accounts and tokens."""

from typing import Any

from chassis.auth import SignedIn
from chassis.fields import Nothing, validated
from chassis.json import Response
from chassis.origin import origin
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from customers import caller, serializers
from customers.domain import accounts, export, keys, sessions, sign_in, verification

# RFC 6749, section 5.1: nobody on the way keeps tokens.
UNCACHED = {"Cache-Control": "no-store"}
ON_ITS_WAY = {"detail": "If there is an account to write to, a mail is on its way."}


class PublicView(APIView):
    """For everybody; a token that came along is not looked at, so that an expired one is in nobody's way."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []


class SignUpView(PublicView):
    """New accounts."""

    @extend_schema(request=serializers.SignUpRequest, responses={201: serializers.SignUpAnswer})
    def post(self, request: Request) -> Response:
        """Answers the same for a known address, whose owner gets a mail instead."""
        body = validated(serializers.SignUpRequest, request.data)
        accounts.sign_up(**body)
        return Response({"email": body["email"], "name": body["name"]}, status=201)


class TokenView(PublicView):
    """Signing in."""

    @extend_schema(request=serializers.SignInRequest, responses=serializers.TokensAnswer)
    def post(self, request: Request) -> Response:
        """An access token for five minutes and a refresh token for thirty days, good once. Who has enrolled an
        authenticator app sends its code too, else it is 401 ``otp_required``."""
        body = validated(serializers.SignInRequest, request.data)
        issued = sign_in.sign_in(**body, origin=origin(request))
        return Response(serializers.tokens(issued), headers=UNCACHED)


class RefreshView(PublicView):
    """Going on without a password."""

    @extend_schema(request=serializers.RefreshRequest, responses=serializers.TokensAnswer)
    def post(self, request: Request) -> Response:
        """Trades a refresh token for new tokens. Using one twice ends the session."""
        body = validated(serializers.RefreshRequest, request.data)
        return Response(serializers.tokens(sessions.refresh(token=body["refresh"])), headers=UNCACHED)


class RevokeView(PublicView):
    """Signing out."""

    @extend_schema(request=serializers.RefreshRequest, responses={204: None})
    def post(self, request: Request) -> Response:
        """Ends the session of a refresh token; one that is unknown has none to end (RFC 7009, section 2.2)."""
        sessions.end_family(token=validated(serializers.RefreshRequest, request.data)["refresh"])
        return Response(status=204)


class KeySetView(PublicView):
    """What access tokens are verified with."""

    @extend_schema(responses=serializers.KeySetAnswer)
    def get(self, request: Request) -> Response:
        """Each key stands here well before it signs and well after."""
        headers = {"Cache-Control": f"public, max-age={keys.CACHE_SECONDS}"}
        return Response(keys.published().document(), headers=headers)


class MeView(APIView):
    """One's own account."""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.Profile)
    def get(self, request: Request) -> Response:
        """The account of the token."""
        return Response(serializers.profile(accounts.get(id=caller.customer(request))), headers=UNCACHED)

    @extend_schema(request=serializers.ProfileRequest, responses=serializers.Profile)
    def patch(self, request: Request) -> Response:
        """Changes what is given. A new password signs everybody out; a new address counts once verified."""
        body = validated(serializers.ProfileRequest, request.data)
        return Response(serializers.profile(accounts.change(id=caller.customer(request), **body)), headers=UNCACHED)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Closes the account for good, and has erased what the other services hold. May be repeated."""
        accounts.close(id=caller.customer(request))
        return Response(status=204)


class ExportView(APIView):
    """A copy of one's data."""

    permission_classes = [SignedIn]

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponse:
        """A ZIP archive of JSON files: account, addresses, sessions, mails, carts, orders."""
        made = export.archive(id=caller.customer(request))
        headers = {"Content-Disposition": 'attachment; filename="my-data.zip"'}
        return HttpResponse(made, content_type="application/zip", headers=headers | UNCACHED)


class MyVerificationView(APIView):
    """The mail with the link, once more."""

    permission_classes = [SignedIn]

    @extend_schema(request=None, responses={202: serializers.MailOnItsWay})
    def post(self, request: Request) -> Response:
        """Sends it to each address of the account that is not verified."""
        validated(Nothing, request.data)
        verification.request_verification(id=caller.customer(request))
        return Response(ON_ITS_WAY, status=202)


class VerifyEmailView(PublicView):
    """The link in the mail."""

    @extend_schema(parameters=[serializers.VerifyRequest], responses=serializers.VerifiedAnswer)
    def get(self, request: Request) -> Response:
        """What the link in the mail opens; may be repeated."""
        return self._verify(request.query_params)

    @extend_schema(request=serializers.VerifyRequest, responses=serializers.VerifiedAnswer)
    def post(self, request: Request) -> Response:
        """For store fronts that have a page of their own for it."""
        return self._verify(request.data)

    def _verify(self, data: Any) -> Response:
        customer = verification.verify_email(token=validated(serializers.VerifyRequest, data)["token"])
        return Response({"email": customer.email, "email_verified": customer.email_verified}, headers=UNCACHED)


class PasswordResetView(PublicView):
    """A forgotten password."""

    @extend_schema(request=serializers.EmailRequest, responses={202: serializers.MailOnItsWay})
    def post(self, request: Request) -> Response:
        """Sends a mail with a token for one hour; answers the same for an unknown address."""
        verification.request_reset(email=validated(serializers.EmailRequest, request.data)["email"])
        return Response(ON_ITS_WAY, status=202)


class PasswordResetConfirmView(PublicView):
    """A new password."""

    @extend_schema(request=serializers.ResetRequest, responses={204: None})
    def post(self, request: Request) -> Response:
        """Works once; signs everybody out."""
        verification.reset_password(**validated(serializers.ResetRequest, request.data))
        return Response(status=204)
