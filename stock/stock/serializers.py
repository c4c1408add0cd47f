"""The shape of what comes in and goes out."""

from typing import Any

from chassis.errors import Invalid
from chassis.fields import MAX_INT, UUID, Integer, Query, Sku, StrictSerializer, Text
from chassis.ids import numbered
from chassis.pages import PageQuery, rfc3339
from rest_framework import serializers

from stock.domain.reservations import Held
from stock.models import Movement

MAX_QUANTITY = 1_000_000_000


class MovementRequest(StrictSerializer):
    """A receipt or an adjustment."""

    document = {
        "if": {"properties": {"kind": {"const": "receipt"}}},
        "then": {"properties": {"quantity": {"minimum": 1}}},
        "else": {"properties": {"quantity": {"not": {"const": 0}}}},
    }
    sku = Sku()
    kind = serializers.ChoiceField(choices=["receipt", "adjustment"])
    quantity = Integer(min_value=-MAX_QUANTITY, max_value=MAX_QUANTITY)
    reason = Text(max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A receipt is positive, an adjustment is not zero."""
        if attrs["kind"] == "receipt" and attrs["quantity"] < 1:
            raise serializers.ValidationError({"quantity": serializers.ErrorDetail("Must be positive.", "min_value")})
        if attrs["quantity"] == 0:
            raise serializers.ValidationError({"quantity": serializers.ErrorDetail("Must not be zero.", "zero")})
        return attrs


class LineRequest(StrictSerializer):
    """A SKU and how many of it."""

    sku = Sku()
    quantity = Integer(min_value=1, max_value=MAX_INT)


class ReservationRequest(StrictSerializer):
    """What to set aside, and for how many seconds."""

    lines = serializers.ListField(child=LineRequest(), min_length=1, max_length=1000)
    ttl = Integer(min_value=1, max_value=86_400)


class SaleRequest(StrictSerializer):
    """Reservations that are to be sold."""

    ids = serializers.ListField(child=UUID(), min_length=1, max_length=1000)


class ReceiptsRequest(StrictSerializer):
    """Many receipts at once, each SKU at most once under ``reference``."""

    reference = Text(max_length=100)
    lines = serializers.ListField(child=LineRequest(), min_length=1, max_length=2000)


class AvailabilityRequest(StrictSerializer):
    """What a cart or an order is about."""

    skus = serializers.ListField(child=Sku(), min_length=1, max_length=1000)


class LevelsQuery(Query):
    """``?sku=a&sku=b``."""

    sku = serializers.ListField(child=Sku(), min_length=1, max_length=100)


class MovementsQuery(PageQuery):
    """A page of a SKU's ledger, newest first."""


class Availability(serializers.Serializer[Any]):
    """What can be sold of a SKU."""

    sku = serializers.CharField()
    available = serializers.IntegerField(min_value=0)


class Availabilities(serializers.Serializer[Any]):
    """What can be sold of several SKUs, in the order asked."""

    results = Availability(many=True)


class MovementEntry(serializers.Serializer[Any]):
    """An entry of the ledger."""

    id = serializers.UUIDField()
    sku = serializers.CharField()
    kind = serializers.ChoiceField(choices=Movement.Kind.choices)
    quantity = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    actor = serializers.CharField()
    created = serializers.DateTimeField()


class MovementPage(serializers.Serializer[Any]):
    """A page of the ledger."""

    results = MovementEntry(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ReservedLine(serializers.Serializer[Any]):
    """A SKU and how many of it are set aside."""

    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class ReservationAnswer(serializers.Serializer[Any]):
    """A reservation as it stands; ``expires_in`` in seconds."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    expires_in = serializers.IntegerField()
    lines = ReservedLine(many=True)


def merged(lines: list[dict[str, Any]]) -> dict[str, int]:
    """Quantities by SKU, in SKU order; lines of the same SKU are added up. Raises the 400 for what no column holds."""
    quantities: dict[str, int] = {}
    for line in sorted(lines, key=lambda line: line["sku"]):
        quantities[line["sku"]] = quantities.get(line["sku"], 0) + line["quantity"]
    if too_many := [sku for sku, quantity in quantities.items() if quantity > MAX_INT]:
        raise Invalid("lines", f"More than {MAX_INT} of {too_many[0]} in all.", "max_value")
    return quantities


def movement(row: Movement) -> dict[str, Any]:
    """An entry of the ledger as it goes out."""
    return {
        "id": str(numbered(row.pk, created=row.created)),
        "sku": row.level_id,
        "kind": row.kind,
        "quantity": row.quantity,
        "reason": row.reason,
        "actor": row.actor,
        "created": rfc3339(row.created),
    }


def reservation(held: Held) -> dict[str, Any]:
    """A reservation as it goes out."""
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in held.lines.items()]
    return {"id": str(held.id), "state": held.state, "expires_in": held.expires_in, "lines": lines}
