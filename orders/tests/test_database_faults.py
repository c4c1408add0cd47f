"""The database does not answer for a moment while an order is placed: who is told 503 is never charged for it."""

import threading
import time

import psycopg2
import pytest
from django.db import OperationalError, connection

from orders.domain import checkout, completion, saga
from orders.models import Order, Payment
from testpay import server
from tests import shop as neighbours
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)
LONGER_THAN_A_LOCK_IS_WAITED_FOR = 2.6


def database():
    told = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return psycopg2.connect(**{name: told[key] for name, key in names.items()})


def hold_the_row(_):
    """Somebody else has the order's row for a moment."""
    other = database()
    other.cursor().execute("SELECT 1 FROM orders_order FOR UPDATE")

    def free():
        time.sleep(LONGER_THAN_A_LOCK_IS_WAITED_FOR)
        other.close()

    threading.Thread(target=free).start()


def cut_off(backend):
    """The server ends the connection of who works on the order, as in a failover."""
    with database() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    other.close()


def once(fault):
    connection.ensure_connection()
    left = [connection.connection.info.backend_pid]
    return lambda: fault(left.pop()) if left else None


@pytest.fixture
def before_the_snapshot(monkeypatch):
    def place(fault):
        real, do = Shop.variants, once(fault)

        def variants(self, body):
            do()
            return real(self, body)

        routes = [(path, variants if call is real else call) for path, call in neighbours._ROUTES]
        monkeypatch.setattr(neighbours, "_ROUTES", routes)

    return place


@pytest.fixture
def while_it_is_charged(monkeypatch):
    def place(fault):
        real, do = server.Handler._charge, once(fault)

        def charge(self, wanted):
            do()
            return real(self, wanted)

        monkeypatch.setattr(server.Handler, "_charge", charge)

    return place


@pytest.fixture
def its_client_leaves():
    """The worker's turn, when every wait is over."""

    def work():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders_order SET lease_until = now(), next_attempt = now()")
        completion.go_on()
        return Order.objects.get()

    return work


@pytest.mark.parametrize("fault", [hold_the_row, cut_off])
def test_before_anything_is_paid_it_is_undone(shop, buy, charges, before_the_snapshot, its_client_leaves, fault):
    before_the_snapshot(fault)
    answer = buy(shop.cart(A=1), key="k")
    assert (answer.status_code, "Retry-After" in answer) in ((503, True), (202, False))
    order = its_client_leaves()
    assert (order.state, charges.find(str(order.pk)), shop.held()) == ("rejected", None, 0)
    assert buy(str(order.cart), key="k").status_code == 201


@pytest.mark.parametrize("fault", [hold_the_row, cut_off])
def test_once_it_may_be_paid_it_goes_on_by_itself(shop, buy, while_it_is_charged, its_client_leaves, fault):
    while_it_is_charged(fault)
    answer = buy(shop.cart(A=1), key="k")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    order = its_client_leaves()
    assert answer["Location"].startswith(f"/api/v1/orders/{order.pk}?access_token=")
    assert (order.state, order.payment.state) == ("completed", "paid")


def test_where_nobody_knows_whether_it_will_be_paid_nobody_says_503(shop, buy, monkeypatch, its_client_leaves):
    """The answer to the statement that begins the payment is lost, and the database with it."""
    real = saga.advance_through

    def unreachable():
        raise OperationalError("could not connect to server")

    with monkeypatch.context() as patch:

        def lost(*args, **words):
            real(*args, **words)
            patch.setattr(connection, "connect", unreachable)
            connection.connection.close()
            connection.cursor()

        patch.setattr(saga, "advance_through", lost)
        answer = buy(shop.cart(A=1), key="k")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert its_client_leaves().state == "completed"


def test_who_dies_before_anything_is_paid_leaves_nothing_to_be_paid(shop, buy, monkeypatch, its_client_leaves):
    def dies(order):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(saga.snapshots, "take", dies)
        patch.setattr(checkout.leases, "let_go", lambda order: None)
        with pytest.raises(SystemExit):
            buy(shop.cart(A=1), key="k")
    assert its_client_leaves().state == "rejected"
    assert not Payment.objects.exists()
