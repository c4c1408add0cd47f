"""The staff's sign-in of a service, against a provider that answers over real HTTP."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model

from chassis.sign_in import backends, sessions
from chassis.sign_in.people import account_of
from chassis.staff import ensure_owner, ensure_roles
from tests.provider import Provider, running

pytestmark = pytest.mark.django_db
ADMIN = "/admin/stock/"
CALLBACK, LOCAL = f"{ADMIN}oidc/callback", f"{ADMIN}login/local/"
CLERK = {"sub": "7d1c", "email": "clerk@shop.test", "name": "Clerk", "staff": True, "roles": ["warehouse"]}


@pytest.fixture
def provider(settings):
    ensure_roles()
    provider = Provider(person=dict(CLERK))
    with running(provider):
        settings.OIDC_OP_TOKEN_ENDPOINT = f"{provider.url}/token"
        settings.OIDC_OP_USER_ENDPOINT = f"{provider.url}/userinfo"
        settings.OIDC_OP_JWKS_ENDPOINT = f"{provider.url}/keys"
        yield provider


def sent(client, provider, path=f"{ADMIN}auth/"):
    """What the provider is asked, after a page of the admin was."""
    answer = client.get(client.get(path)["Location"])
    url = urlsplit(answer["Location"])
    assert url.path == "/admin/customers/oidc/authorize"
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    provider.challenge, provider.nonce = asked["code_challenge"], asked["nonce"]
    return asked


def sign_in(client, provider):
    return client.get(CALLBACK, {"code": "good", "state": sent(client, provider)["state"]})


def is_in(client):
    return client.get(ADMIN).status_code == 200


def hurry(client, seconds):
    """As if the provider had answered so many seconds ago."""
    session = client.session
    session["provider_answered"] -= seconds
    session.save()


def roles():
    return set(get_user_model().objects.get(username=CLERK["sub"]).groups.values_list("name", flat=True))


def test_people_are_sent_to_the_provider_and_come_back_to_the_page_they_wanted(client, provider):
    asked = sent(client, provider)
    assert (asked["client_id"], asked["code_challenge_method"], asked["scope"]) == ("stock", "S256", "openid")
    assert asked["redirect_uri"] == f"http://testserver{CALLBACK}"
    back = client.get(CALLBACK, {"code": "good", "state": asked["state"]})
    assert (back.status_code, back["Location"]) == (302, f"{ADMIN}auth/")
    assert is_in(client)
    user = get_user_model().objects.get(username=CLERK["sub"])
    assert (user.email, user.first_name, user.is_superuser, user.has_usable_password()) == (
        "clerk@shop.test", "Clerk", False, False
    )  # fmt: skip
    assert roles() == {"warehouse"}


def test_who_gave_no_name_is_shown_by_their_address():
    user = account_of(CLERK | {"name": ""})
    assert (user.first_name, account_of(CLERK).first_name) == ("clerk", "Clerk")


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "cart"},
        {"iss": "http://evil.example"},
        {"nonce": "another"},
        {"sub": "somebody else"},
        {"sub": ""},
        {"exp": 1},
    ],
)
def test_an_id_token_that_is_not_meant_for_us_lets_nobody_in(client, provider, wrong):
    asked, provider.id_token = sent(client, provider), wrong
    answer = client.get(CALLBACK, {"code": "good", "state": asked["state"]})
    assert answer["Location"] == f"{ADMIN}login/failed/"
    assert not is_in(client)
    assert not get_user_model().objects.values("username")


@pytest.mark.parametrize("query", [{"code": "bad"}, {"state": "x"}, {"error": "access_denied"}, {"code": ""}])
def test_what_goes_wrong_is_told_on_a_page(client, provider, query):
    asked = sent(client, provider)
    answer = client.get(CALLBACK, {"code": "good", "state": asked["state"]} | query)
    page = client.get(answer["Location"])
    assert page.status_code == 403
    assert b"local account" in page.content
    assert not is_in(client)


def test_a_callback_that_nobody_asked_for_is_refused(client, provider):
    assert client.get(CALLBACK, {"code": "good", "state": "s"})["Location"] == f"{ADMIN}login/failed/"
    assert not is_in(client)


def test_who_is_not_staff_does_not_get_in(client, provider):
    provider.person["staff"] = False
    assert sign_in(client, provider)["Location"] == f"{ADMIN}login/failed/"
    assert not get_user_model().objects.values("username")


def test_the_way_back_is_our_own(client, provider):
    for evil in ("https://evil.example/", "//evil.example/"):
        client.get(f"{ADMIN}login/", {"next": evil})
        assert client.session["oidc_login_next"] is None


def test_a_sign_in_that_ended_at_the_provider_ends_here_within_seconds(client, provider):
    sign_in(client, provider)
    assert is_in(client)
    asked = provider.asked
    assert is_in(client)
    assert provider.asked == asked, "asked again at once"
    provider.signed_in = False
    hurry(client, sessions.FRESH_SECONDS + 1)
    assert client.post(f"{ADMIN}auth/user/add/", {}).status_code == 302
    assert not is_in(client)


def test_changed_roles_count_within_seconds(client, provider):
    sign_in(client, provider)
    assert is_in(client)
    provider.person |= {"roles": ["support", "orders", "made-up"], "email": "new@shop.test"}
    hurry(client, sessions.FRESH_SECONDS + 1)
    assert is_in(client)
    assert roles() == {"support", "orders"}
    assert get_user_model().objects.get().email == "new@shop.test"
    provider.person["staff"] = False
    hurry(client, sessions.FRESH_SECONDS + 1)
    assert not is_in(client)


def test_work_goes_on_for_minutes_while_the_provider_is_down(client, provider):
    sign_in(client, provider)
    assert is_in(client)
    provider.down = True
    hurry(client, sessions.PATIENCE_SECONDS - 10)
    assert is_in(client)
    hurry(client, 20)
    assert not is_in(client)


def test_signing_out_here_goes_on_to_the_provider(client, provider):
    sign_in(client, provider)
    assert client.get(f"{ADMIN}logout/").status_code == 405
    answer = client.post(f"{ADMIN}logout/")
    assert answer["Location"].startswith("/admin/customers/oidc/logout?id_token_hint=ey")
    assert not is_in(client)


def test_the_local_account_works_without_the_provider(client, settings):
    settings.OIDC_OP_USER_ENDPOINT = "http://127.0.0.1:9/userinfo"
    ensure_owner(email="owner@shop.test", password="a long password")
    answer = client.post(LOCAL, {"username": " Owner@shop.test", "password": "a long password"})
    assert (answer.status_code, answer["Location"]) == (302, ADMIN)
    assert is_in(client)
    assert client.post(f"{ADMIN}logout/")["Location"] == LOCAL
    assert not is_in(client)


def test_guessing_the_local_password_is_throttled_per_address(client):
    backends._whole_at.clear()
    ensure_owner(email="owner@shop.test", password="a long password")

    def tried(password, address):
        form = {"username": "owner@shop.test", "password": password}
        return client.post(LOCAL, form, headers={"X-Forwarded-For": address}).status_code

    assert {tried("wrong", "203.0.113.1") for _ in range(backends.TRIES)} == {200}
    assert tried("a long password", "203.0.113.1") == 200
    assert not is_in(client)
    assert tried("a long password", "203.0.113.2") == 302
    backends._whole_at.clear()


def test_a_person_of_the_provider_has_no_way_in_by_the_local_page(client, provider):
    sign_in(client, provider)
    client.cookies.clear()
    for word in ("!", "", "x"):
        client.post(LOCAL, {"username": CLERK["sub"], "password": word})
    assert not is_in(client)
