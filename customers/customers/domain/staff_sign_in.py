"""The staff's sign-in at all admins: which admins there are, and ending it everywhere."""

import orjson
from allauth.idp.oidc.models import Client, Token
from chassis import env
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as BrowserSession
from django.utils import timezone

from customers.models import Customer


def register_clients() -> None:
    """Makes the registered clients what OIDC_CLIENTS says; chassis.prepare calls it at every start.

    A client is one of the other services; its callback is a path, see customers.oidc.
    """
    # OIDC_CLIENTS: a JSON object of the other services' names, each with its client secret. Without it, none can use
    # the one sign-in, and staff sign in locally.
    secrets: dict[str, str] = orjson.loads(env.text("OIDC_CLIENTS", "{}"))
    Client.objects.exclude(pk__in=secrets).delete()
    for name, secret in secrets.items():
        client = Client.objects.filter(pk=name).first() or Client(pk=name)
        if not (client.created_at and client.secret and client.check_secret(secret)):
            client.set_secret(secret)
        client.name, client.skip_consent = f"Comptoir {name}", True
        client.set_redirect_uris([f"/admin/{name}/oidc/callback"])
        client.save()


def end(*, customer: Customer) -> None:
    """Ends the sign-in at the provider, in every browser, and so at all admins within seconds."""
    forget_tokens(customer=customer)
    for session in BrowserSession.objects.filter(expire_date__gt=timezone.now()):
        if session.get_decoded().get("_auth_user_id") == str(customer.pk):
            session.delete()


def forget_tokens(*, customer: Customer) -> None:
    """The other admins ask anew who it is, and sign out where nobody is signed in here."""
    Token.objects.filter(user=customer).delete()


def forget_old() -> int:
    """Deletes what has expired; returns how many tokens."""
    SessionStore.clear_expired()
    return Token.objects.expired().delete()[0]
