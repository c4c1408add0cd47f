"""Customers, as the contract has it."""

from typing import Any
from uuid import uuid4

import pytest

from support.client import Client
from support.people import ADDRESS, PASSWORD, Person

PROFILE = {"id", "email", "email_verified", "pending_email", "name", "created"}
ADDRESS_FIELDS = {"id", "name", "line1", "line2", "city", "postal_code", "country", "default"}


def account(**changes: Any) -> dict[str, Any]:
    return {"email": f"{uuid4().hex[:12]}@example.com", "password": PASSWORD, "name": "Ada"} | changes


def test_signing_up_tells_nobody_whether_the_address_was_known(guest: Person) -> None:
    body = account()
    first, again = (guest.post("/customers", body) for _ in range(2))
    assert first.ok(201) == {"email": body["email"], "name": "Ada"}
    assert (again.status, again.body) == (201, first.body)
    other = guest.post("/customers", body | {"password": "another long password"})
    assert other.status == 201
    answer = guest.post("/customers/token", {"email": body["email"], "password": "another long password"})
    assert answer.status == 401, answer
    tokens = guest.post("/customers/token", {"email": body["email"], "password": PASSWORD}).ok()
    assert set(tokens) == {"access", "refresh", "expires_in"}
    assert type(tokens["expires_in"]) is int


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "x"}, "email"),
        ({"email": 7}, "email"),
        ({"email": None}, "email"),
        ({"email": "a@" + "x" * 300 + ".com"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": 12345678901234}, "password"),
        ({"password": "x" * 10_000}, "password"),
        ({"password": ""}, "password"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"is_staff": True}, "is_staff"),
        ({"roles": ["owner"]}, "roles"),
    ],
)
def test_a_bad_field_is_named(guest: Person, changes: dict[str, Any], field: str) -> None:
    guest.post("/customers", account(**changes)).refused(400, "invalid", field)


@pytest.mark.parametrize("field", ["email", "password", "name"])
def test_a_missing_field_is_named(guest: Person, field: str) -> None:
    body = {name: value for name, value in account().items() if name != field}
    guest.post("/customers", body).refused(400, "invalid", field)


def test_a_wrong_password_and_an_unknown_address_look_alike(guest: Person, customer: Person) -> None:
    wrong = guest.post("/customers/token", {"email": customer.email, "password": "not the password"})
    unknown = guest.post("/customers/token", {"email": f"{uuid4().hex}@example.com", "password": "not the password"})
    assert (wrong.status, unknown.status) == (401, 401)
    same = {name: value for name, value in wrong.data.items() if name != "request_id"}
    assert {name: value for name, value in unknown.data.items() if name != "request_id"} == same


def test_guessing_a_password_ends_in_429_whatever_address_is_forged(guest: Person, customer: Person) -> None:
    body = {"email": customer.email, "password": "not it at all"}
    answers = [guest.post("/customers/token", body, headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(20)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 10
    assert answers[-1].code == "too_many_attempts"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 90


def test_a_refresh_token_is_good_once_and_its_theft_ends_the_session(guest: Person, customer: Person) -> None:
    body = {"email": customer.email, "password": PASSWORD}
    first = guest.post("/customers/token", body).ok()
    second = guest.post("/customers/token/refresh", {"refresh": first["refresh"]}).ok()
    assert set(second) == {"access", "refresh", "expires_in"}
    assert guest.post("/customers/token/refresh", {"refresh": first["refresh"]}).status == 401
    assert guest.post("/customers/token/refresh", {"refresh": second["refresh"]}).status == 401
    assert guest.post("/customers/token/refresh", {"refresh": "unknown"}).status == 401
    guest.post("/customers/token/refresh", {"refresh": 7}).refused(400, "invalid", "refresh")
    guest.post("/customers/token/revoke", {"refresh": "unknown"}).ok(204)


def test_my_account(guest: Person, customer: Person) -> None:
    me = customer.get("/customers/me").ok()
    assert set(me) == PROFILE
    assert (me["email"], me["email_verified"], me["name"]) == (customer.email, False, "Ada Byron")
    guest.get("/customers/me").refused(401, "not_authenticated")
    guest.patch("/customers/me", {"name": "X"}).refused(401, "not_authenticated")
    guest.delete("/customers/me").refused(401, "not_authenticated")
    customer.patch("/customers/me", {"id": str(uuid4())}).refused(400, "invalid", "id")
    customer.patch("/customers/me", {"email_verified": True}).refused(400, "invalid", "email_verified")
    customer.patch("/customers/me", {"name": 7}).refused(400, "invalid", "name")
    customer.patch("/customers/me", {"password": "a new long password"}).refused(400, "invalid", "current_password")
    assert customer.get("/customers/me").ok() == me


def test_my_addresses(guest: Person, customer: Person, somebody_else: Person) -> None:
    path = "/customers/me/addresses"
    made = [customer.post(path, ADDRESS | {"city": city}).ok(201) for city in ("London", "Paris", "Rome")]
    assert all(set(address) == ADDRESS_FIELDS for address in made)
    assert [address["default"] for address in made] == [True, False, False]
    page = customer.get(f"{path}?limit=2").ok()
    assert set(page) == {"results", "next", "previous"}
    assert [row["city"] for row in page["results"]] == ["London", "Paris"]
    rest = customer.send("GET", page["next"]).ok()
    assert [row["city"] for row in rest["results"]] == ["Rome"]
    assert customer.send("GET", rest["previous"]).ok()["results"] == page["results"]
    one = f"{path}/{made[0]['id']}"
    assert customer.get(one).ok() == made[0]
    for stranger, status in ((guest, 401), (somebody_else, 404)):
        assert stranger.get(one).status == status
        assert stranger.patch(one, {"city": "Mine"}).status == status
        assert stranger.delete(one).status == status
    guest.post(path, ADDRESS).refused(401, "not_authenticated")
    assert customer.get(one).ok() == made[0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"country": "gb"}, "country"),
        ({"country": 7}, "country"),
        ({"name": ""}, "name"),
        ({"line1": None}, "line1"),
        ({"city": ["London"]}, "city"),
        ({"postal_code": 12345}, "postal_code"),
        ({"default": "yes"}, "default"),
        ({"id": str(uuid4())}, "id"),
    ],
)
def test_a_bad_address_is_400(customer: Person, changes: dict[str, Any], field: str) -> None:
    customer.post("/customers/me/addresses", ADDRESS | changes).refused(400, "invalid", field)
    assert customer.get("/customers/me/addresses").ok()["results"] == []


def test_a_forgotten_password_tells_nobody_whether_the_address_is_known(guest: Person, customer: Person) -> None:
    known = guest.post("/customers/password-reset", {"email": customer.email})
    unknown = guest.post("/customers/password-reset", {"email": f"{uuid4().hex}@example.com"})
    assert (known.status, known.body) == (unknown.status, unknown.body)
    assert known.status in (200, 202, 204)
    guest.post("/customers/password-reset", {"email": "x"}).refused(400, "invalid", "email")
    answer = guest.post("/customers/password-reset/confirm", {"token": "x", "password": "a new long password"})
    assert answer.status == 400, answer


def test_the_key_set_is_public_and_holds_no_private_part(guest: Person) -> None:
    keys = guest.get("/customers/.well-known/jwks.json").ok()["keys"]
    assert keys
    assert all(key["kty"] == "RSA" and key["kid"] for key in keys)
    assert not [key for key in keys if {"d", "p", "q", "dp", "dq", "qi"} & set(key)]


def test_a_token_of_somebody_who_left_opens_nothing(customer: Person) -> None:
    token = customer.token()
    customer.delete("/customers/me").ok(204)
    answer = Client(customer.url, lambda: token).get("/customers/me")
    assert answer.status in (401, 404), answer
