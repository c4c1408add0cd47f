"""How long an answer takes tells nobody whether an address is known. Coarse: a hash costs tens of milliseconds."""

from statistics import median
from time import perf_counter

import pytest

from customers.models import Customer, Throttle
from tests.conftest import CUSTOMERS

pytestmark = pytest.mark.django_db
ROUNDS = 7


@pytest.fixture(autouse=True)
def _real_hashes(settings, _cheap_and_clean):
    settings.PASSWORD_HASHERS = ["chassis.hashers.Argon2id"]


@pytest.mark.parametrize("path", ["", "/token", "/password-reset"])
def test_a_known_address_takes_as_long_as_an_unknown_one(api, customer, path):
    customer()
    body = {
        "": {"password": "another horse, a staple", "name": "Ann"},
        "/token": {"password": "wrong"},
        "/password-reset": {},
    }[path]

    def seconds(email):
        Throttle.objects.all().delete()
        started = perf_counter()
        answer = api.post(f"{CUSTOMERS}{path}", {"email": email} | body)
        took = perf_counter() - started
        return took, answer.status_code, answer.content.replace(email.encode(), b"")

    seconds("warm@example.org")
    known, unknown = [], []
    for n in range(ROUNDS):
        known.append(seconds("ann@example.org"))
        unknown.append(seconds(f"new{n}@example.org"))
    assert {each[1] for each in known} == {each[1] for each in unknown}
    if path != "/token":  # its problem document holds a request id
        assert {each[2] for each in known} == {each[2] for each in unknown}
    slower = median(each[0] for each in known), median(each[0] for each in unknown)
    assert max(slower) < min(slower) * 1.6 + 0.01, slower
    assert Customer.objects.filter(email="ann@example.org").count() == 1
