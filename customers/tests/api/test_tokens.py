import json
import time

import pytest
from chassis import tokens
from joserfc import jws
from joserfc.jwk import KeySet

from customers.domain import keys, sessions
from customers.models import Customer, RefreshToken, Session
from tests.conftest import CUSTOMERS, PASSWORD, bearer

pytestmark = pytest.mark.django_db


def sign_in(api, email="ann@example.org", password=PASSWORD):
    return api.post(f"{CUSTOMERS}/token", {"email": email, "password": password})


def test_signing_in_gives_tokens_that_every_service_verifies(api, customer):
    ann = customer()
    answer = sign_in(api, " Ann@Example.ORG ")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access", "refresh", "expires_in"}
    assert body["expires_in"] == 300
    assert tokens.verify(body["access"]) == tokens.Principal("customer", str(ann.pk))


def test_the_access_token_says_what_the_contract_says(api, customer):
    ann = customer()
    access = sign_in(api).json()["access"]
    parsed = jws.extract_compact(access.encode())
    header, claims = parsed.headers(), json.loads(parsed.payload)
    assert (header["alg"], header["typ"]) == ("RS256", "at+jwt")
    assert header["kid"] in {key["kid"] for key in api.get(f"{CUSTOMERS}/.well-known/jwks.json").json()["keys"]}
    assert set(claims) == {"iss", "aud", "sub", "iat", "exp", "jti"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("comptoir", "comptoir", str(ann.pk))
    assert claims["exp"] - claims["iat"] == 300
    assert abs(claims["iat"] - time.time()) < 60


def test_the_key_set_is_public_and_holds_nothing_private(api):
    answer = api.get(f"{CUSTOMERS}/.well-known/jwks.json", {"Authorization": "Bearer expired"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "kid", "n", "e", "use", "alg"}
    assert KeySet.import_key_set(answer.json()).keys[0].kid == key["kid"]


@pytest.mark.parametrize(
    ("fields", "groups", "roles"),
    [
        ({"is_staff": True, "is_superuser": True}, [], {"owner"}),
        ({"is_staff": True}, ["support", "orders"], {"support", "orders"}),
        ({"is_staff": True}, [], set()),
        ({"is_staff": False}, ["support"], set()),
        ({"is_superuser": True}, [], set()),
    ],
)
def test_staff_carry_their_roles_and_nobody_else_does(api, customer, fields, groups, roles):
    from django.contrib.auth.models import Group

    someone = customer(**fields)
    someone.groups.set([Group.objects.get(name=name) for name in groups])
    assert tokens.verify(sign_in(api).json()["access"]).roles == roles


@pytest.mark.parametrize(
    ("email", "password"), [("ann@example.org", "wrong"), ("bob@example.org", PASSWORD), ("ann@example.org", " ")]
)
def test_what_does_not_fit_is_401_and_says_the_same(api, customer, email, password):
    customer()
    answer = sign_in(api, email, password)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (401, "invalid_credentials")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert problem["detail"] == "The e-mail address or the password is wrong"
    assert not Session.objects.exists()


def test_an_unknown_address_costs_as_many_hashes_as_a_wrong_password(api, customer, hashes):
    customer()
    customer("off@example.org", is_active=False)
    counts = []
    for email in ("ann@example.org", "nobody@example.org", "off@example.org"):
        hashes.clear()
        assert sign_in(api, email, "wrong").status_code == 401
        counts.append(len(hashes))
    assert counts == [1, 1, 1]


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_family(api, customer):
    customer()
    first = sign_in(api).json()["refresh"]
    second = api.post(f"{CUSTOMERS}/token/refresh", {"refresh": first})
    assert second.status_code == 200
    assert tokens.verify(second.json()["access"]).kind == "customer"
    third = api.post(f"{CUSTOMERS}/token/refresh", {"refresh": second.json()["refresh"]}).json()["refresh"]
    again = api.post(f"{CUSTOMERS}/token/refresh", {"refresh": first})
    assert (again.status_code, again.json()["code"]) == (401, "invalid_refresh_token")
    assert api.post(f"{CUSTOMERS}/token/refresh", {"refresh": third}).status_code == 401
    session = Session.objects.get()
    assert (session.reason, session.ended is not None) == ("reuse", True)
    assert RefreshToken.objects.filter(used=None).count() == 1


def test_one_family_ends_and_the_other_goes_on(api, customer):
    customer()
    one, other = (sign_in(api).json()["refresh"] for _ in range(2))
    for token in (one, one, "unknown"):
        assert api.post(f"{CUSTOMERS}/token/revoke", {"refresh": token}).status_code == 204
    assert api.post(f"{CUSTOMERS}/token/refresh", {"refresh": one}).status_code == 401
    assert api.post(f"{CUSTOMERS}/token/refresh", {"refresh": other}).status_code == 200
    assert sorted(Session.objects.values_list("reason", flat=True)) == ["", "revoked"]


def test_an_expired_refresh_token_is_refused(api, customer):
    customer()
    token = sign_in(api).json()["refresh"]
    row = RefreshToken.objects.get()
    assert round((row.expires - row.created).total_seconds() / 3600) == 30 * 24
    RefreshToken.objects.update(created="2020-01-01T00:00Z", expires="2020-01-31T00:00Z")
    assert api.post(f"{CUSTOMERS}/token/refresh", {"refresh": token}).status_code == 401
    assert RefreshToken.objects.count() == 1
    assert sessions.forget_old() == 2
    assert not Session.objects.exists()


def test_the_database_holds_no_refresh_token(api, customer):
    customer()
    token = sign_in(api).json()["refresh"]
    row = RefreshToken.objects.values().get()
    assert token not in str(row)
    assert row["digest"] == sessions.digest(token)


def test_a_switched_off_account_neither_signs_in_nor_refreshes(api, customer):
    ann = customer()
    token = sign_in(api).json()["refresh"]
    Customer.objects.filter(pk=ann.pk).update(is_active=False)
    assert sign_in(api).status_code == 401
    assert api.post(f"{CUSTOMERS}/token/refresh", {"refresh": token}).status_code == 401
    assert api.get(f"{CUSTOMERS}/me", bearer(ann)).status_code == 401


@pytest.mark.parametrize("kind", ["refresh", "nonsense"])
def test_a_refresh_token_is_no_access_token(api, customer, kind):
    customer()
    token = sign_in(api).json().get(kind, kind)
    assert api.get(f"{CUSTOMERS}/me", {"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/token", {"email": "ann@example.org"}, "password"),
        ("/token", {"email": "no address", "password": "x"}, "email"),
        ("/token", {"email": 5, "password": "x"}, "email"),
        ("/token", {"email": "ann@example.org", "password": 5}, "password"),
        ("/token", {"email": "ann@example.org", "password": "x" * 257}, "password"),
        ("/token", {"email": "ann@example.org", "password": "x", "admin": True}, "admin"),
        ("/token/refresh", {}, "refresh"),
        ("/token/refresh", {"refresh": ["x"]}, "refresh"),
        ("/token/revoke", {"refresh": ""}, "refresh"),
    ],
)
def test_bad_input_is_named(api, path, body, field):
    answer = api.post(CUSTOMERS + path, body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_signing_in_is_few_queries(api, customer, django_assert_num_queries):
    customer()
    keys.published().signing()
    with django_assert_num_queries(9):  # throttle: transaction of 2 takes, reset, give back; account; session
        assert sign_in(api).status_code == 200
