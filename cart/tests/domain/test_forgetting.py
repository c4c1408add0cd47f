from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from cart.domain import checkouts
from cart.models import Cart, Line

pytestmark = pytest.mark.django_db


def untouched_for(id, days):
    with connection.cursor() as cursor:
        then = "now() - make_interval(days => %(days)s)"
        cursor.execute(
            f"UPDATE cart_cart SET created = {then} - interval '1 day', updated = {then} WHERE id = %(id)s",
            {"days": days, "id": id},
        )


def test_old_carts_of_guests_are_forgotten_and_only_those(filled):
    old, empty, fresh, mine, busy, over = (
        filled(A=1),
        filled(),
        filled(A=1),
        filled(uuid4(), A=1),
        filled(A=1),
        filled(),
    )
    checkouts.consume(id=old, order=uuid4(), lines={"B": 1})
    checkouts.begin(id=busy, order=uuid4(), customer=None, ttl=60)
    checkouts.begin(id=over, order=uuid4(), customer=None, ttl=60)
    Cart.objects.filter(pk=over).update(checkout_until="2020-01-01T00:00Z")
    for id in (old, empty, mine, busy, over):
        untouched_for(id, 91)
    untouched_for(fresh, 89)
    said = StringIO()
    call_command("forget_old_carts", stdout=said)
    assert set(Cart.objects.values_list("pk", flat=True)) == {fresh, mine, busy}
    assert Line.objects.count() == 3
    assert said.getvalue() == "3 carts forgotten\n"
    call_command("forget_old_carts", days=88, stdout=said)
    assert set(Cart.objects.values_list("pk", flat=True)) == {mine, busy}


def test_setting_a_line_keeps_a_cart(api, filled):
    id = filled(A=1)
    untouched_for(id, 91)
    api.put(f"/api/v1/carts/{id}/lines/A", {"quantity": 1})
    call_command("forget_old_carts", stdout=StringIO())
    assert Cart.objects.filter(pk=id).exists()
