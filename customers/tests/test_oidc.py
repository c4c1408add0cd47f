"""The OpenID Connect provider, used as a browser and a service use it."""

import base64
import hashlib
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.idp.oidc.models import Client as OidcClient
from allauth.idp.oidc.models import Token
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from joserfc import jwt

from customers.domain import keys, sessions, staff_sign_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
AUTHORIZE, LOGIN = "/admin/customers/oidc/authorize", "/admin/customers/login/"
SECRET, VERIFIER = "a client secret for this test", "v" * 64
BACK = "/admin/stock/oidc/callback"


@pytest.fixture(autouse=True)
def stock(monkeypatch, db):
    monkeypatch.setenv("OIDC_CLIENTS", json.dumps({"stock": SECRET}))
    staff_sign_in.register_clients()


@pytest.fixture
def clerk(customer):
    clerk = customer("clerk@example.org", name="Clerk", is_staff=True)
    clerk.groups.set([Group.objects.get(name="warehouse")])
    return clerk


def authorize(client, host="localhost", **changes):
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": "stock",
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "redirect_uri": f"http://{host}{BACK}",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    } | changes
    return client.get(f"{AUTHORIZE}?{urlencode({k: v for k, v in query.items() if v})}", headers={"Host": host})


def code_of(answer):
    url = urlsplit(answer["Location"])
    assert url.path == BACK, answer["Location"]
    return parse_qs(url.query)["code"][0]


def exchange(client, code, **changes):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "stock",
        "client_secret": SECRET,
        "redirect_uri": f"http://localhost{BACK}",
        "code_verifier": VERIFIER,
    } | changes
    return client.post("/internal/oidc/token", {k: v for k, v in form.items() if v is not None})


def told(client, access):
    return client.get("/internal/oidc/userinfo", headers={"Authorization": f"Bearer {access}"})


def signed_in(client, person):
    client.force_login(person)
    return exchange(client, code_of(authorize(client))).json()


def test_who_is_not_signed_in_signs_in_and_goes_back_with_a_code(client, clerk):
    to_login = authorize(client)
    assert to_login["Location"].startswith(LOGIN)
    page = client.get(to_login["Location"]).content.decode()
    following = re.search(r'name="next" value="([^"]+)"', page)[1].replace("&amp;", "&")
    form = {"username": "clerk@example.org", "password": PASSWORD, "next": following}
    back = client.post(to_login["Location"], form)
    tokens = exchange(client, code_of(client.get(back["Location"], headers={"Host": "localhost"}))).json()
    claims = jwt.decode(tokens["id_token"], keys.published().signing(), algorithms=["RS256"])
    assert claims.header["kid"] in {key["kid"] for key in keys.published().document()["keys"]}
    assert {name: claims.claims[name] for name in ("iss", "aud", "sub", "nonce")} == {
        "iss": "http://localhost:8080/admin/customers/oidc",
        "aud": "stock",
        "sub": str(clerk.pk),
        "nonce": "n",
    }
    person = {"email": "clerk@example.org", "name": "Clerk", "staff": True, "roles": ["warehouse"]}
    assert told(client, tokens["access_token"]).json() == person | {"sub": str(clerk.pk)}
    renewal = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert exchange(client, None, **renewal).json()["error"] == "unauthorized_client"


def test_a_code_is_good_once_for_its_own_client_and_verifier(client, clerk):
    client.force_login(clerk)
    for wrong in ({"code_verifier": "w" * 64}, {"code_verifier": None}, {"client_secret": "x"}, {"client_id": "cart"}):
        answer = exchange(client, code_of(authorize(client)), **wrong)
        assert answer.status_code in (400, 401), wrong
    code = code_of(authorize(client))
    assert exchange(client, code).status_code == 200
    assert exchange(client, code).status_code == 400
    assert Token.objects.filter(type="at").count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://evil.example" + BACK},
        {"redirect_uri": "http://localhost/admin/cart/oidc/callback"},
        {"redirect_uri": "//evil.example"},
        {"redirect_uri": ""},
        {"client_id": "nobody"},
        {"client_id": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "", "code_challenge": ""},
        {"prompt": "login"},
        {"prompt": "none"},
        {"state": "%zz%00"},
    ],
)
def test_what_is_not_our_flow_is_told_on_a_page_and_leads_nowhere(client, clerk, changes):
    client.force_login(clerk)
    answer = authorize(client, **changes)
    if "state" in changes:
        assert code_of(answer)  # the client's own affair, and quoted
        return
    assert answer.status_code == 400
    assert b"Comptoir" in answer.content
    assert "Location" not in answer


def test_every_name_of_the_shop_works_and_none_leads_to_another(client, clerk):
    client.force_login(clerk)
    for host in ("localhost:8080", "127.0.0.1:9999"):
        assert authorize(client, host=host)["Location"].startswith(f"http://{host}{BACK}?code=")
    elsewhere = authorize(client, host="localhost:8080", redirect_uri=f"http://127.0.0.1:8080{BACK}")
    assert "Location" not in elsewhere


def test_the_secret_is_registered_anew_and_clients_that_are_gone_go(client, clerk, monkeypatch):
    before = OidcClient.objects.get().secret
    staff_sign_in.register_clients()
    assert OidcClient.objects.get().secret == before
    monkeypatch.setenv("OIDC_CLIENTS", json.dumps({"stock": "another secret", "cart": "a third"}))
    staff_sign_in.register_clients()
    client.force_login(clerk)
    assert exchange(client, code_of(authorize(client))).status_code == 401
    assert exchange(client, code_of(authorize(client)), client_secret="another secret").status_code == 200
    monkeypatch.setenv("OIDC_CLIENTS", "{}")
    staff_sign_in.register_clients()
    assert not OidcClient.objects.exists()
    assert not Token.objects.exists()


def test_roles_and_rights_are_told_as_they_are_now(client, clerk):
    access = signed_in(client, clerk)["access_token"]
    clerk.groups.set([Group.objects.get(name="orders")])
    assert told(client, access).json()["roles"] == ["orders"]
    clerk.is_staff = False
    clerk.save()
    assert (told(client, access).json()["staff"], told(client, access).json()["roles"]) == (False, [])
    clerk.is_active = False
    clerk.save()
    assert told(client, access).status_code == 401


def test_who_is_staff_no_more_gets_no_code(client, clerk):
    client.force_login(clerk)
    clerk.is_staff = False
    clerk.save()
    assert authorize(client)["Location"].startswith(LOGIN)
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("way", ["admin", "provider", "password", "desk"])
def test_every_end_of_the_sign_in_ends_what_the_services_hold(client, clerk, way):
    tokens = signed_in(client, clerk)
    if way == "admin":
        client.post("/admin/customers/logout/")
    elif way == "provider":
        answer = client.get("/admin/customers/oidc/logout", {"id_token_hint": tokens["id_token"]})
        assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    elif way == "password":
        clerk.set_password("another horse, a staple")
        clerk.save()
    else:
        sessions.end_all(customer=clerk)
        assert not Session.objects.exists()
    assert told(client, tokens["access_token"]).status_code == 401
    assert authorize(client)["Location"].startswith(LOGIN)


def test_a_stranger_does_not_sign_people_out_by_a_link(client, clerk, customer):
    signed_in(client, clerk)
    page = client.get("/admin/customers/oidc/logout")
    assert (page.status_code, b"Sign out of all admins?" in page.content) == (200, True)
    elsewhere = client.get("/admin/customers/oidc/logout", {"post_logout_redirect_uri": "https://evil.example/"})
    assert "Location" not in elsewhere
    evil = {"client_id": "stock", "post_logout_redirect_uri": "https://evil.example/"}
    assert client.get("/admin/customers/oidc/logout", evil).status_code == 400
    assert "_auth_user_id" in client.session


def test_an_id_token_is_no_access_token(client, clerk, api):
    tokens = signed_in(client, clerk)
    for token in (tokens["id_token"], tokens["access_token"]):
        answer = api.get("/api/v1/customers/me", {"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
    assert told(client, sessions.access_token(clerk)).status_code == 401


def test_what_has_expired_is_swept(client, clerk):
    signed_in(client, clerk)
    assert staff_sign_in.forget_old() == 0
    Token.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert staff_sign_in.forget_old() == 2
    assert not Token.objects.exists()
