"""What customers may ask of carts: a copy, and erasure."""

from uuid import uuid4

import pytest

from cart.models import Cart, Line

pytestmark = pytest.mark.django_db


def test_a_copy_and_erasure_of_one_customer_alone(api, as_service, filled):
    me, other = uuid4(), uuid4()
    mine, more, theirs, guests = filled(me, A=2), filled(me), filled(other, A=1), filled(A=1)
    path, customers = f"/internal/customers/{me}", as_service("customers")
    carts = api.get(path, customers).json()["carts"]
    assert [cart["id"] for cart in carts] == [str(mine), str(more)]
    price = {"amount": 100, "currency": "USD"}
    assert carts[0]["lines"] == [{"sku": "A", "name": "Goods A", "quantity": 2, "unit_price": price}]
    assert carts[1]["lines"] == []
    for _ in range(2):
        assert api.delete(path, customers).status_code == 204
    assert set(Cart.objects.values_list("pk", flat=True)) == {theirs, guests}
    assert Line.objects.count() == 2
    assert api.get(path, customers).json() == {"carts": []}
