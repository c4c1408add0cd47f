from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command

from cart.domain import checkouts
from cart.models import Cart, Consumed
from tests.conftest import inside

pytestmark = pytest.mark.django_db


def test_an_order_that_was_lost_is_forgotten_and_no_other(filled, monkeypatch):
    lost, kept, begun = uuid4(), uuid4(), uuid4()
    cart = filled(A=3)
    checkouts.consume(id=cart, order=lost, lines={"A": 1})
    checkouts.consume(id=cart, order=kept, lines={"A": 1})
    checkouts.begin(id=cart, order=begun, customer=None, ttl=60)
    for expected in (f"{lost} forgotten: it did not come about\n", ""):
        monkeypatch.setattr("sys.stdin", StringIO(f"{lost}\n{begun}\n{uuid4()}\n"))
        said = StringIO()
        call_command("reconcile", stdout=said)
        assert said.getvalue() == expected
    assert set(Consumed.objects.values_list("pk", flat=True)) == {kept}
    assert Cart.objects.get(pk=cart).checkout_order is None
    assert inside(cart) == {"A": 1}
