"""The shape of what comes in and goes out."""

from typing import Any

from chassis import env
from chassis.fields import UUID, Country, Email, StrictSerializer, Text, Total
from chassis.pages import PageQuery
from rest_framework import serializers

from orders.models import STATUS

STATUSES = sorted(set(STATUS.values()))
METHODS = ["invoice"] if env.production() else ["test", "invoice"]
"""The test provider takes no real money, so it is not there in production."""


class Address(StrictSerializer):
    """Where it goes. ``postal_code`` may be empty: some countries have none."""

    name = Text(max_length=200)
    line1 = Text(max_length=200)
    line2 = Text(max_length=200, required=False, allow_blank=True)
    city = Text(max_length=100)
    postal_code = Text(max_length=20, allow_blank=True)
    country = Country()


class PaymentRequest(StrictSerializer):
    """How it is paid. ``test`` needs the provider's token: tok_ok, tok_declined, tok_error, tok_timeout."""

    document = {"if": {"properties": {"method": {"const": "test"}}}, "then": {"required": ["token"]}}
    method = serializers.ChoiceField(choices=METHODS)
    token = Text(max_length=100, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A method with a provider needs the provider's token."""
        if attrs["method"] == "test" and not attrs.get("token"):
            raise serializers.ValidationError({"token": serializers.ErrorDetail("This field is required.", "required")})
        return attrs


class OrderRequest(StrictSerializer):
    """A checkout. ``expected_total``: refuse if the total is another one by now."""

    cart = UUID()
    email = Email()
    shipping_address = Address()
    payment = PaymentRequest()
    expected_total = Total(required=False)


class OrdersQuery(PageQuery):
    """A page of orders, newest first. ``q``: number, e-mail, id, or part of the name."""

    status = serializers.ChoiceField(choices=STATUSES, required=False)
    q = Text(max_length=200, required=False, allow_blank=True)


class MoneyAnswer(serializers.Serializer[Any]):
    """Integer minor units and ISO 4217."""

    amount = serializers.IntegerField()
    currency = serializers.CharField()


class LineAnswer(serializers.Serializer[Any]):
    """What was bought."""

    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = MoneyAnswer()
    line_total = MoneyAnswer()


class PaymentAnswer(serializers.Serializer[Any]):
    """Where the money is."""

    method = serializers.CharField()
    status = serializers.ChoiceField(choices=["due", "paid", "declined", "voided", "refunded"])


class AddressAnswer(serializers.Serializer[Any]):
    """Where it goes."""

    name = serializers.CharField()
    line1 = serializers.CharField()
    line2 = serializers.CharField(required=False, allow_blank=True)
    city = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()


class OrderAnswer(serializers.Serializer[Any]):
    """An order."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    lines = LineAnswer(many=True)
    subtotal = MoneyAnswer()
    discount = MoneyAnswer()
    shipping = MoneyAnswer()
    tax = MoneyAnswer()
    total = MoneyAnswer()
    email = serializers.CharField()
    shipping_address = AddressAnswer()
    payment = PaymentAnswer()
    created = serializers.DateTimeField()
    access_token = serializers.CharField(allow_null=True)


class OrderPage(serializers.Serializer[Any]):
    """A page of orders."""

    results = OrderAnswer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class EventAnswer(serializers.Serializer[Any]):
    """Something that happened to an order; ``status`` where the client's status may have changed by it."""

    event = serializers.CharField()
    status = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    created = serializers.DateTimeField()


class Events(serializers.Serializer[Any]):
    """What happened, oldest first."""

    results = EventAnswer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Always null: these are all.")
    previous = serializers.CharField(allow_null=True)
