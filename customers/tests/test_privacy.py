"""The rights of the GDPR: a copy of one's data, and erasure everywhere."""

import io
import zipfile
from datetime import timedelta

import orjson
import pytest
from chassis import http
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from customers import clients
from customers.domain import addresses, erasure, mails, sessions
from customers.models import Customer, Erasure, Mail, PrivacyEvent
from tests.conftest import CUSTOMERS, PASSWORD, bearer
from tests.neighbours import Neighbours, running

pytestmark = pytest.mark.django_db
ME = f"{CUSTOMERS}/me"


@pytest.fixture
def others(monkeypatch):
    neighbours = Neighbours()
    with running(neighbours) as urls:
        for name, url in urls.items():
            monkeypatch.setenv(name, url)
        clients._client.cache_clear()
        yield neighbours
    clients._client.cache_clear()


@pytest.fixture
def ann(customer, others):
    """Somebody with an address, a session, a cart and an order."""
    ann = customer(email_verified=True)
    addresses.add(
        customer=str(ann.pk), name="Ann", line1="Here 1", line2="", city="Bern", postal_code="3000", country="CH"
    )
    sessions.start(customer=ann, password=ann.password)
    mails.write(Mail.Kind.WELCOME, recipient=ann.email, customer=ann)
    others.held |= {("cart", str(ann.pk)): [{"id": "a cart"}], ("orders", str(ann.pk)): [{"number": "1001"}]}
    return ann


def events(customer):
    return list(PrivacyEvent.objects.filter(customer=customer.pk).order_by("id").values_list("event", flat=True))


def let_pass(**time):
    shift = timedelta(**time)
    Erasure.objects.update(requested=F("requested") - shift, next_attempt=F("next_attempt") - shift)


def unpacked(answer):
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return {name: archive.read(name) for name in archive.namelist()}


def test_a_copy_holds_what_all_services_know_and_no_secret(api, ann, others):
    answer = api.get(f"{ME}/export", bearer(ann))
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "application/zip", "no-store")
    files = unpacked(answer)
    read = {name: orjson.loads(content) for name, content in files.items() if name.endswith(".json")}
    assert read["account.json"]["email"] == "ann@example.org"
    assert [row["city"] for row in read["addresses.json"]] == ["Bern"]
    assert [row["ended"] for row in read["sessions.json"]] == [None]
    assert [row["kind"] for row in read["mails.json"]] == ["welcome"]
    assert (read["carts.json"], read["orders.json"]) == ([{"id": "a cart"}], [{"number": "1001"}])
    assert b"orders.json" in files["README.txt"]
    assert ann.password.encode() not in b"".join(files.values())
    assert unpacked(api.get(f"{ME}/export", bearer(ann))) == files
    assert events(ann) == ["exported", "exported"]


@pytest.mark.parametrize("service", ["cart", "orders"])
def test_there_is_no_half_a_copy(api, ann, others, service):
    others.down = {service}
    answer = api.get(f"{ME}/export", bearer(ann))
    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert events(ann) == []


def test_nobody_gets_a_copy_without_a_token(api, others):
    assert api.get(f"{ME}/export").status_code == 401
    assert others.calls == []


def test_who_leaves_is_erased_everywhere_and_once_more_when_no_token_is_left(api, ann, others):
    token = bearer(ann)
    assert api.delete(ME, token).status_code == 204
    assert api.delete(ME, token).status_code == 204
    assert Erasure.objects.count() == 1
    assert events(ann) == ["erasure_requested"]
    assert others.calls == []
    assert erasure.carry_out() == 1
    assert others.held == {}
    assert events(ann) == ["erasure_requested", "erased"]
    assert erasure.carry_out() == 0
    # A token that is still good for minutes makes a cart.
    others.held["cart", str(ann.pk)] = [{"id": "late"}]
    let_pass(minutes=7)
    assert erasure.carry_out() == 1
    assert others.held == {}
    let_pass(days=1)
    assert erasure.carry_out() == 0
    assert events(ann) == ["erasure_requested", "erased", "completed"]
    assert not Mail.objects.exists()


def test_nothing_of_the_person_is_left_here(api, ann, others):
    api.delete(ME, bearer(ann))
    Mail.objects.update(attempts=1, sent=F("created"))
    let_pass(minutes=7)
    assert erasure.carry_out() == 1
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ~* %s', ["ann@|Here 1|Bern"])
            assert cursor.fetchone() == (0,), table
    assert Customer.objects.filter(pk=ann.pk, closed__isnull=False).exists()


def test_an_erasure_waits_for_orders_under_way_and_for_services_that_are_down(api, ann, others, monkeypatch):
    monkeypatch.setattr(http.time, "sleep", lambda seconds: None)
    api.delete(ME, bearer(ann))
    others.under_way = True
    assert erasure.carry_out() == 0
    assert ("orders", str(ann.pk)) in others.held
    assert erasure.carry_out() == 0, "not due yet"
    others.under_way, others.down = False, {"cart"}
    let_pass(seconds=3)
    assert erasure.carry_out() == 0
    assert events(ann) == ["erasure_requested"]
    others.down = set()
    let_pass(seconds=60)
    assert erasure.carry_out() == 1
    assert others.held == {}
    assert events(ann)[-1] == "erased"


def test_an_account_closed_from_the_desk_is_erased_too(at_desk, ann, others):
    at_desk("owner").post(f"/admin/customers/customers/customer/{ann.pk}/close/", {"reason": "a letter"})
    assert erasure.carry_out() == 1
    assert others.held == {}


def test_staff_accounts_are_not_erased_by_a_call(api, customer, others):
    boss = customer("boss@example.org", is_staff=True)
    assert api.delete(ME, bearer(boss)).json()["code"] == "staff_account"
    assert not Erasure.objects.exists()


def test_nobody_rewrites_what_was_done(ann):
    PrivacyEvent.objects.create(customer=ann.pk, event="exported")
    for change in (lambda: PrivacyEvent.objects.update(event="erased"), lambda: PrivacyEvent.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert events(ann) == ["exported"]


def test_the_new_owner_of_the_address_begins_anew(api, ann, others):
    api.delete(ME, bearer(ann))
    body = {"email": "ann@example.org", "password": PASSWORD, "name": "Ann"}
    assert api.post(CUSTOMERS, body).status_code == 201
    erasure.carry_out()
    assert api.post(f"{CUSTOMERS}/token", {"email": "ann@example.org", "password": PASSWORD}).status_code == 200
