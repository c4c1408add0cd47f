"""500 real baskets bought by 8 buyers at once: every total and every final stock level, exactly."""

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from support.client import Answer
from support.crowd import each
from support.goods import baskets, prices
from support.people import Person, Staff

COUNT, BUYERS, SCARCE = 500, 8, 12


def levels(person: Person, skus: Iterable[str]) -> dict[str, int]:
    """What is available of each SKU."""
    names = sorted(skus)
    found: dict[str, int] = {}
    for begin in range(0, len(names), 100):
        query = "&".join(f"sku={sku}" for sku in names[begin : begin + 100])
        found |= {row["sku"]: row["available"] for row in person.get(f"/stock?{query}").ok()["results"]}
    return found


@pytest.fixture
def scarce(staff: Staff) -> Iterator[dict[str, int]]:
    """The goods that are asked for most, made so rare that half of those who want them come too late."""
    asked = Counter[str]()
    for basket in baskets(COUNT):
        asked.update(basket)
    chosen = {sku: quantity // 2 for sku, quantity in asked.most_common(SCARCE)}
    now = levels(staff, chosen)
    for sku, quantity in chosen.items():
        if quantity != now[sku]:
            staff.receive(sku, quantity - now[sku], kind="adjustment")
    assert levels(staff, chosen) == chosen
    yield chosen
    for sku, quantity in now.items():
        staff.receive(sku, quantity)


def test_every_total_and_every_level_is_exact(guest: Person, staff: Staff, scarce: dict[str, int]) -> None:
    wanted, price = baskets(COUNT), prices()
    before = levels(guest, {sku for basket in wanted for sku in basket})
    assert all(before[sku] == quantity for sku, quantity in scarce.items())

    def buy(basket: dict[str, int]) -> Answer:
        return guest.checkout(guest.cart_with(basket))

    answers = each(buy, wanted, at_once=BUYERS)
    sold = Counter[str]()
    for basket, answer in zip(wanted, answers, strict=True):
        if answer.status == 201:
            check_order(answer, basket, price)
            sold.update(basket)
        else:
            check_refusal(answer, basket, scarce)
    refused = sum(answer.status != 201 for answer in answers)
    assert 0 < refused < COUNT, refused
    assert levels(guest, before) == {sku: before[sku] - sold[sku] for sku in before}
    # Nobody was sent away for goods that were there: whoever was refused could not be served from what is left.
    after = levels(guest, before)
    for basket, answer in zip(wanted, answers, strict=True):
        if answer.status != 201:
            assert any(after[sku] < quantity for sku, quantity in basket.items()), answer


def check_order(answer: Answer, basket: dict[str, int], price: dict[str, int]) -> None:
    """The order holds what was in the basket, at the catalogue's prices."""
    order = answer.ok(201)
    assert {line["sku"]: line["quantity"] for line in order["lines"]} == basket
    assert all(line["unit_price"] == {"amount": price[line["sku"]], "currency": "USD"} for line in order["lines"])
    assert all(line["line_total"]["amount"] == basket[line["sku"]] * price[line["sku"]] for line in order["lines"])
    assert order["total"] == {"amount": sum(price[sku] * n for sku, n in basket.items()), "currency": "USD"}
    assert (order["status"], order["payment"]["status"]) == ("confirmed", "paid")


def check_refusal(answer: Answer, basket: dict[str, int], scarce: dict[str, int]) -> None:
    """Refused for scarce goods of this basket, each with what was there: less than was asked for."""
    short = answer.refused(409, "insufficient_stock")["lines"]
    assert short
    assert all(0 <= line["available"] < basket[line["sku"]] for line in short), answer
    assert {line["sku"] for line in short} <= scarce.keys(), answer
