"""The OpenID Connect provider of the staff: django-allauth's, cut down to one flow for our own admins.

Authorization code with PKCE, no consent page, no refresh tokens. Browsers see two addresses, ``authorize`` and
``logout``; services exchange the code and ask about the person (``token``, ``userinfo``) below /internal/, which the
gateway never routes. ID tokens are signed with the keys of the access tokens, whose key set serves both.
"""

from typing import Any, Literal

from allauth.idp.oidc import views
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.internal.oauthlib.utils import get_validator_context
from allauth.idp.oidc.models import Client, PrivateKey
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import logout as django_logout
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from customers.domain import keys


class Adapter(DefaultOIDCAdapter):
    """What our provider says of itself and of people."""

    def get_issuer(self) -> str:
        """The same wherever the request came in."""
        return f"{settings.PUBLIC_URL}{settings.ADMIN_PATH}oidc"

    def list_private_keys(
        self, *, did_activate: Literal[True] | None = None, is_active: Literal[True] | None = None
    ) -> list[PrivateKey]:
        """The key that signs now. Older ID tokens come back at sign-out only, where we then ask."""
        return [PrivateKey(pem=keys.published().signing().as_pem(private=True).decode())]

    def get_claims(
        self, purpose: Literal["id_token", "userinfo"], user: Any, client: Any, scopes: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Who it is, and the roles; ``staff`` is false as soon as somebody is staff no more."""
        return {
            "sub": self.get_user_sub(client, user),
            "email": user.email,
            "name": user.name,
            "staff": user.is_staff and user.is_active,
            "roles": user.roles,
        }


class Authorize(views.AuthorizationView):
    """Where an admin sends somebody who is not signed in there."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """To the sign-in page, or straight back with a code. Only our own flow: with PKCE, and no prompt."""
        if request.GET.get("prompt") or request.GET.get("code_challenge_method") != "S256":
            return refused(request, "The address of this page is incomplete. Begin at the admin you want to open.")
        if request.user.is_authenticated and not getattr(request.user, "is_staff", False):
            django_logout(request)
        _believe_own_origin(request)
        try:
            answer: HttpResponse = super().get(request, *args, **kwargs)
        except ValueError:  # oauthlib's word for characters that have no place in an address
            answer = HttpResponse()
        if answer.status_code == 302:
            return answer
        return refused(
            request, "The address of this page is not one of this shop. Begin at the admin you want to open."
        )


class Logout(views.LogoutView):
    """Where an admin sends somebody who signs out: ends the sign-in at the provider, and so everywhere."""

    http_method_names = ["get", "post"]

    def form_invalid(self, form: Any) -> HttpResponse:
        """An address to go to that is not ours."""
        return refused(self.request, "The address of this page is not one of this shop. Sign out in an admin.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """For the page that asks back, where nothing shows that we know the person."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | admin.site.each_context(self.request)


def refused(request: HttpRequest, detail: str) -> HttpResponse:
    """A page for people, with 400."""
    context = admin.site.each_context(request) | {"title": "This does not work", "detail": detail}
    return TemplateResponse(request, "customers/refused.html", context, status=400).render()


def _believe_own_origin(request: HttpRequest) -> None:
    """All admins share one origin, whatever name people reach it by: clients are registered with paths, which are
    below the origin at which the provider was reached. ALLOWED_HOSTS says which names there are.
    """
    client = Client.objects.filter(pk=request.GET.get("client_id", "")).first()
    if client:
        client.set_redirect_uris([request.build_absolute_uri(path) for path in client.get_redirect_uris()])
        get_validator_context().clients[client.pk] = client


authorize = Authorize.as_view()
logout = Logout.as_view()
token = views.token
user_info = views.user_info
