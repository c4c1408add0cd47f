"""A line is set without a look at the cart before, where this process left it; the answer is of what there is."""

from uuid import uuid4

import pytest

from cart.domain import carts, checkouts, claims, lines
from cart.domain.contents import recall, remember
from tests.conftest import inside, version_of

pytestmark = pytest.mark.django_db


def put(id, sku, quantity, customer=None):
    """The lines that the answer has, by SKU; it says what the database has."""
    answer = lines.put(id=id, customer=customer, sku=sku, quantity=quantity)
    told = {line.sku: line.quantity for line in answer.lines}
    assert (told, answer.version) == (inside(id), version_of(id))
    return told


@pytest.fixture
def outdated(filled):
    """A cart that another process has put B into since this one put A there."""
    id = filled(A=2)
    left = recall(id)
    put(id, "B", 1)
    remember(left)
    return id


def test_what_somebody_else_put_in_is_in_the_answer(shop, outdated):
    assert put(outdated, "A", 5) == {"A": 5, "B": 1}
    assert recall(outdated).version == version_of(outdated), "known from now on"


def test_as_many_as_before_is_an_answer_of_the_whole_cart_too(shop, outdated):
    assert put(outdated, "A", 2) == {"A": 2, "B": 1}


def test_a_price_is_told_once_more_and_then_no_more(shop, filled):
    id = filled(A=2)
    shop.sell("A", 120)
    told = [lines.put(id=id, customer=None, sku="A", quantity=2).lines[0].previous_unit_price for _ in range(2)]
    assert told == [100, None]


def test_a_cart_of_which_an_order_is_made_is_looked_at_first(shop, filled, monkeypatch):
    """Who orders and comes back before the lines have left gets what they ask for, not that less what was ordered."""
    id, order = filled(A=2), uuid4()
    checkouts.begin(id=id, order=order, customer=None, ttl=60)
    monkeypatch.setattr(carts, "sleep", lambda _: checkouts.consume(id=id, order=order, lines={"A": 2}))
    assert put(id, "A", 3) == {"A": 3}


def test_one_that_is_gone_or_somebody_else_s_is_not_found(shop, filled):
    gone, theirs = filled(A=1), filled(A=1)
    carts.delete(id=gone, customer=None)
    claims.claim(id=theirs, customer=uuid4())
    for id in (gone, theirs):
        assert recall(id)
        for sku in ("A", "nobody-knows", "?"):
            with pytest.raises(carts.CartNotFound):
                lines.put(id=id, customer=None, sku=sku, quantity=2)
    assert inside(theirs) == {"A": 1}
