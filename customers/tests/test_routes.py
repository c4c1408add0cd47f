"""routes.toml: every route as everybody, by real calls."""

import pytest
from chassis.testing import routes
from django.contrib.auth.models import Group
from django.core import mail

from customers.domain import addresses, mails, sessions, verification
from tests.conftest import bearer, token_of_mail

pytestmark = pytest.mark.django_db
TABLE = routes.rules()


@pytest.fixture
def world(callers, customer):
    people = {name: customer(f"{name}@example.org") for name in ("owner", "another", *routes.STAFF)}
    for role in routes.STAFF:
        people[role].is_staff = True
        people[role].save()
        people[role].groups.set(Group.objects.filter(name="owner" if role == "shop-owner" else role))
    owner = people["owner"]
    place = {"name": "Ann", "line1": "Here 1", "city": "Bern", "country": "CH"}

    def token(ask, **who):
        ask(**who)
        while mails.deliver():
            pass
        return token_of_mail(mail.outbox[-1])

    values = {
        "id": str(addresses.add(customer=str(owner.pk), **place).pk),
        "refresh": lambda: sessions.start(customer=owner, password=owner.password).refresh,
        "reset": lambda: token(verification.request_reset, email=owner.email),
        "verification": lambda: token(verification.request_verification, id=str(owner.pk)),
    }
    return routes.World(callers() | {name: bearer(person) for name, person in people.items()}, values)


def test_no_route_is_missing():
    assert set(routes.in_urls()[0]) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_each_caller_gets_what_the_table_says(route, world):
    routes.prove(route, TABLE[route], world)


def test_no_token_opens_the_admin(world):
    assert routes.prove_admin(world) > 100
