"""The shape of what comes in and goes out."""

from collections.abc import Iterable, Mapping
from typing import Any

from chassis.fields import MAX_INT, UUID, Integer, Money, Sku, StrictSerializer, Total
from chassis.money import money
from django.conf import settings
from rest_framework import serializers

from cart.domain.checkouts import Bought
from cart.domain.contents import Contents
from cart.domain.prices import PricedCart, PricedLine
from cart.models import MAX_QUANTITY


class QuantityRequest(StrictSerializer):
    """How many of it."""

    quantity = Integer(min_value=1, max_value=MAX_QUANTITY)


class CheckoutRequest(StrictSerializer):
    """Who is buying (null: a guest), and for how many seconds the checkout counts as under way."""

    customer = UUID(allow_null=True)
    ttl = Integer(min_value=1, max_value=86_400)


class OrderedLine(StrictSerializer):
    """A SKU and how many of it were ordered."""

    sku = Sku()
    quantity = Integer(min_value=1, max_value=MAX_INT)


class ConsumeRequest(StrictSerializer):
    """What an order has bought."""

    order = UUID()
    lines = serializers.ListField(child=OrderedLine(), min_length=1, max_length=1000)


class PurchaseRequest(ConsumeRequest):
    """What an order has bought of a cart."""

    cart = UUID()


class PurchasesRequest(StrictSerializer):
    """What several orders have bought, each of a cart of its own."""

    orders = serializers.ListField(child=PurchaseRequest(), min_length=1, max_length=1000)

    def validate_orders(self, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One order a cart: which of two comes first would matter."""
        if len({each["cart"] for each in orders}) < len(orders):
            raise serializers.ValidationError("Two of these orders are of the same cart.", "duplicate")
        return orders


class CartLine(serializers.Serializer[Any]):
    """A line at today's price.

    `previous_unit_price` is what it cost when the line was last set, where that differs. `available` may be less than
    `quantity`: only checkout refuses. Goods that are no longer sold stay with their last price and `available` 0.
    """

    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)
    unit_price = Money()
    previous_unit_price = Money(allow_null=True)
    line_total = Total()
    available = serializers.IntegerField(min_value=0)


class CartAnswer(serializers.Serializer[Any]):
    """A cart at today's prices; `version` counts the changes of its lines."""

    id = serializers.UUIDField()
    lines = CartLine(many=True)
    total = Total()
    version = serializers.IntegerField(min_value=0)


def cart(priced: PricedCart) -> dict[str, Any]:
    """A cart as it goes out."""
    return {
        "id": str(priced.id),
        "lines": [_line(line) for line in priced.lines],
        "total": money(priced.total, settings.CURRENCY),
        "version": priced.version,
    }


def contents(found: Contents) -> dict[str, Any]:
    """A cart as the orders service gets it: no prices, those it asks for itself."""
    lines = [{"sku": item.sku, "quantity": item.quantity} for item in found.items]
    return {"id": str(found.id), "version": found.version, "lines": lines}


def purchase(body: Mapping[str, Any]) -> Bought:
    """What an order has bought, as it came in."""
    return Bought(order=body["order"], cart=body["cart"], lines=merged(body["lines"]))


def merged(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Quantities by SKU; lines of the same SKU are added up, as far as a column holds it."""
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line["sku"]] = min(quantities.get(line["sku"], 0) + line["quantity"], MAX_INT)
    return quantities


def _line(line: PricedLine) -> dict[str, Any]:
    previous = line.previous_unit_price
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": money(line.unit_price, settings.CURRENCY),
        "previous_unit_price": None if previous is None else money(previous, settings.CURRENCY),
        "line_total": money(line.total, settings.CURRENCY),
        "available": line.available,
    }
