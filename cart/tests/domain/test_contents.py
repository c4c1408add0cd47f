"""What is in a cart, and what this process remembers of it."""

from uuid import uuid4

import pytest

from cart.domain import contents
from cart.domain.contents import Contents, Item, recall, remember

A, B = Item(sku="A", quantity=1, name="Goods A", unit_price=100), Item(sku="B", quantity=1, name="B", unit_price=5)


@pytest.fixture
def cart():
    return Contents(id=uuid4(), version=7, items=(A, B))


def test_a_line_that_was_not_there_comes_last(cart):
    new = Item(sku="0", quantity=3, name="Nothing", unit_price=1)
    after = cart.with_quantity(new)
    assert (after.version, after.skus) == (8, ["A", "B", "0"])
    assert after.as_stored(new) == after


def test_a_line_that_was_there_keeps_its_place(cart):
    dearer = Item(sku="A", quantity=4, name="Goods A, new", unit_price=120)
    after = cart.with_quantity(dearer)
    assert (after.version, after.skus) == (8, ["A", "B"])
    assert after.items[0] == Item(sku="A", quantity=4, name="Goods A", unit_price=100), (
        "told once more what it did cost"
    )
    assert after.as_stored(dearer).items == (dearer, B)


def test_as_many_as_before_is_no_change_but_for_the_price(cart):
    dearer = Item(sku="A", quantity=1, name="Goods A", unit_price=120)
    after = cart.with_quantity(dearer)
    assert after == cart
    assert (after.as_stored(dearer).version, after.as_stored(dearer).items) == (7, (dearer, B))


def test_what_was_changed_last_is_remembered_longest(monkeypatch):
    monkeypatch.setattr(contents, "_recent", {})
    monkeypatch.setattr(contents, "_MOST", 2)
    first, second, third = (Contents(id=uuid4(), version=0, items=()) for _ in range(3))
    for cart in (first, second, first, third):
        assert remember(cart) is cart
    assert [recall(cart.id) for cart in (first, second, third)] == [first, None, third]
