"""mozilla-django-oidc as we use it."""

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from mozilla_django_oidc import auth, views
from requests import RequestException
from structlog import get_logger

from chassis.settings import PROVIDER_PATH
from chassis.sign_in import people

_log = get_logger("sign_in")


class Begin(views.OIDCAuthenticationRequestView):
    """To the provider, with state, nonce and PKCE."""


class ComeBack(views.OIDCAuthenticationCallbackView):
    """Back from the provider, with a code; what goes wrong is told on a page."""

    @property
    def failure_url(self) -> str:
        """A page that leads nowhere by itself."""
        return reverse("sign_in_failed")

    @property
    def success_url(self) -> str:
        """The page that was asked for, or the first one."""
        return self.request.session.get("oidc_login_next") or reverse("admin:index")

    def get(self, request: HttpRequest) -> HttpResponse:
        """The sign-in, or the page that says it failed."""
        try:
            return super().get(request)
        except (SuspiciousOperation, RequestException, auth.jwt.PyJWTError, KeyError, ValueError) as error:
            _log.warning("sign_in_failed", error=type(error).__name__)
            return self.login_failure()


class SignOut(views.OIDCLogoutView):
    """Out of this admin, then of the provider; a local account only out of this admin."""

    http_method_names = ["post"]

    @property
    def redirect_url(self) -> str:
        """To the provider with what shows that we know the person, so that it does not ask back."""
        token = self.request.session.get("oidc_id_token")
        if not token:
            return reverse("sign_in_locally")
        return f"{PROVIDER_PATH}oidc/logout?{urlencode({'id_token_hint': token})}"


class Exchange(auth.OIDCAuthenticationBackend):
    """Trades the code for the person it stands for."""

    def verify_token(self, token: str, **kwargs: object) -> dict[str, object]:
        """The claims of an ID token that is ours, of the provider, and in time (OpenID Connect Core, 3.1.3.7)."""
        claims: dict[str, object] = super().verify_token(token, **kwargs)
        issuer = f"{settings.PUBLIC_URL}{PROVIDER_PATH}oidc"
        if claims.get("iss") != issuer or claims.get("aud") != settings.OIDC_RP_CLIENT_ID or not claims.get("sub"):
            raise SuspiciousOperation("The ID token is not meant for this service.")
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, object]) -> object:
        """The local account of the person, with the roles of this moment; None for who is not staff."""
        claims = self.get_userinfo(access_token, id_token, payload)
        if claims.get("sub") != payload["sub"] or claims.get("staff") is not True:
            return None
        return people.account_of(claims)
