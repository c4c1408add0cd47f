import base64
import hmac
import time
import uuid

import orjson
import pytest
from joserfc import jws, jwt

from chassis import tokens as real_tokens
from chassis.testing import tokens
from tests.servers import running

pytestmark = pytest.mark.django_db
WHO = "/api/v1/stock/who"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_nobody_is_nobody(api):
    assert api.get(WHO).json() == {}


def test_a_customer_is_known(api, as_customer):
    me = str(uuid.uuid4())
    answer = api.get(WHO, as_customer(me))
    assert answer.json() == {"kind": "customer", "id": me, "roles": []}
    assert answer["X-Customer"] == me, "for the gateway's log"


def test_staff_are_known_by_their_roles(api, as_staff):
    assert api.get(WHO, as_staff("support", "orders")).json()["roles"] == ["orders", "support"]


def test_a_service_is_known_by_its_own_key(api, as_service):
    answer = api.get(WHO, as_service("orders"))
    assert answer.json() == {"kind": "service", "id": "orders", "roles": []}
    assert "X-Customer" not in answer


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"aud": "stock"},
        {"iss": "someone-else"},
        {"sub": None},
        {"exp": None},
        {"aud": None},
        {"iss": None},
    ],
)
def test_claims_that_do_not_hold_are_401(api, customers_key, changes):
    claims = {"sub": str(uuid.uuid4())} | changes
    answer = api.get(WHO, bearer(tokens.access_token(customers_key, **claims)))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_signed_with_another_key_is_401(api):
    assert api.get(WHO, bearer(tokens.access_token(tokens.new_key("test"), sub="x"))).status_code == 401


def test_an_unknown_key_id_is_401(api):
    assert api.get(WHO, bearer(tokens.access_token(tokens.new_key("other"), sub="x"))).status_code == 401


def test_hs256_with_the_public_key_as_secret_is_401(api, customers_key):
    def part(value: dict[str, object]) -> bytes:
        return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=")

    claims = {"iss": "comptoir", "aud": "comptoir", "sub": "x", "exp": int(time.time()) + 60}
    signed = part({"alg": "HS256", "kid": "test", "typ": "at+jwt"}) + b"." + part(claims)
    mac = hmac.digest(customers_key.as_pem(private=False), signed, "sha256")
    token = (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
    assert api.get(WHO, bearer(token)).status_code == 401


def test_alg_none_is_401(api):
    # {"alg":"none","kid":"test","typ":"at+jwt"} . {"sub":"x"} . no signature
    token = "eyJhbGciOiJub25lIiwia2lkIjoidGVzdCIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ4In0."
    assert api.get(WHO, bearer(token)).status_code == 401


@pytest.mark.parametrize("header", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_along_is_not_looked_at(api, header):
    mine = tokens.new_key("test")
    with running((200, tokens.public(mine).encode())) as server:
        brought = {"jwk": mine.as_dict(private=False), "x5c": ["MIIB"]}.get(header, server.url)
        claims = {"iss": "comptoir", "aud": "comptoir", "sub": "x", "exp": int(time.time()) + 60, "roles": ["owner"]}
        registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        for kid in ("test", "unheard-of"):
            token = jwt.encode(
                {"alg": "RS256", "kid": kid, "typ": "at+jwt", header: brought}, claims, mine, registry=registry
            )
            assert api.get(WHO, bearer(token)).status_code == 401
        assert server.requests == []


def test_an_expired_token_says_so(api, customers_key):
    token = tokens.access_token(customers_key, sub="x", exp=int(time.time()) - 60)
    answer = api.get(WHO, bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_a_customers_token_without_its_type_is_401(api, customers_key):
    claims = {"iss": "comptoir", "aud": "comptoir", "sub": "x", "exp": int(time.time()) + 60}
    token = jwt.encode({"alg": "RS256", "kid": "test", "typ": "JWT"}, claims, customers_key)
    assert api.get(WHO, bearer(token)).status_code == 401


def test_our_own_tokens_live_a_minute_and_are_for_one_service(settings, service_private_keys):
    made = real_tokens.service_token("orders")
    claims = jwt.decode(made, service_private_keys[settings.SERVICE]).claims
    assert claims["exp"] - claims["iat"] == 60
    assert {name: claims[name] for name in ("iss", "sub", "aud")} == {"iss": "stock", "sub": "stock", "aud": "orders"}


@pytest.mark.parametrize(
    "changes", [{"exp": int(time.time()) - 10}, {"exp": int(time.time()) + 3600}, {"iat": None}, {"exp": None}]
)
def test_a_service_token_that_lives_longer_than_a_minute_is_401(api, service_private_keys, changes):
    token = tokens.token_of_service(service_private_keys["orders"], audience="stock", **changes)
    assert api.get("/api/v1/stock/orders", bearer(token)).status_code == 401


def test_a_service_token_signed_with_a_customers_key_is_401(api, customers_key):
    claims = {"iss": "orders", "sub": "orders", "aud": "stock", "iat": int(time.time()), "exp": int(time.time()) + 60}
    token = jwt.encode({"alg": "RS256", "kid": "orders", "typ": "JWT"}, claims, customers_key)
    assert api.get("/api/v1/stock/orders", bearer(token)).status_code == 401


def test_a_service_token_for_another_service_is_401(api, service_private_keys):
    token = tokens.token_of_service(service_private_keys["orders"], audience="products")
    assert api.get(WHO, bearer(token)).status_code == 401


def test_a_service_cannot_speak_for_another(api, service_private_keys):
    token = tokens.token_of_service(service_private_keys["cart"], audience="stock", iss="orders", sub="orders")
    assert api.get(WHO, bearer(token)).status_code == 401


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer é"])
def test_a_header_that_is_no_token_is_401(api, header):
    assert api.get(WHO, {"Authorization": header}).status_code == 401


def test_doors_open_for_whom_they_are_meant(api, as_customer, as_staff, as_service):
    doors = ["customers", "warehouse", "orders", "default"]
    callers = {
        "nobody": {},
        "customer": as_customer(),
        "warehouse": as_staff("warehouse"),
        "support": as_staff("support"),
        "owner": as_staff(),
        "orders service": as_service("orders"),
        "cart service": as_service("cart"),
    }
    found = {
        caller: [api.get(f"/api/v1/stock/{door}", headers).status_code for door in doors]
        for caller, headers in callers.items()
    }
    assert found == {
        "nobody": [401, 401, 401, 401],
        "customer": [200, 403, 403, 403],
        "warehouse": [200, 200, 403, 403],
        "support": [200, 403, 403, 403],
        "owner": [200, 200, 403, 200],
        "orders service": [403, 403, 200, 403],
        "cart service": [403, 403, 403, 403],
    }
