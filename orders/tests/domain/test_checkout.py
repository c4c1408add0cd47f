"""How long a key is remembered."""

from datetime import timedelta

import pytest
from chassis.idempotency.models import IdempotencyRecord
from django.db.models import F
from django.db.models.functions import Now

from orders.domain import checkout
from orders.models import Order, State

pytestmark = pytest.mark.django_db


def keys() -> set[str]:
    return set(IdempotencyRecord.objects.values_list("key", flat=True))


def test_a_key_is_kept_for_a_day_and_until_its_order_is_at_rest(shop, buy):
    shop.down.add("stock")
    for key in ("waiting", "abandoned"):
        assert buy(shop.cart(A=1), key=key).status_code == 503
    Order.objects.filter(idempotency__key="abandoned").update(state=State.REJECTED)
    shop.down.clear()
    for key in ("at-rest", "cancelling", "fresh"):
        assert buy(shop.cart(A=1), key=key).status_code == 201
    Order.objects.filter(idempotency__key="cancelling").update(cancel_requested=Now())
    IdempotencyRecord.objects.exclude(key="fresh").update(created=F("created") - timedelta(hours=25))

    assert checkout.forget_keys() == 2
    assert keys() == {"waiting", "cancelling", "fresh"}
    Order.objects.update(state=State.CANCELLED)
    assert checkout.forget_keys() == 2
    assert keys() == {"fresh"}
    assert Order.objects.count() == 5
