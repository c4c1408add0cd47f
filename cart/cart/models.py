"""Carts, their lines, and which orders have taken theirs. What must always hold is a constraint here."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

MAX_LINES = 500
MAX_QUANTITY = 999


class Cart(models.Model):
    """What somebody means to buy. A guest's cart is open to whoever knows its id, a customer's to that customer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customer = models.UUIDField(null=True)
    adopted = models.DateTimeField(
        null=True, help_text="When its customer opened or claimed it; the newest is that customer's current cart."
    )
    version = models.PositiveIntegerField(default=0, help_text="How often its lines have changed.")
    line_count = models.PositiveSmallIntegerField("lines", default=0, db_default=0)
    checkout_order = models.UUIDField(null=True, help_text="The order that is being made of it.")
    checkout_until = models.DateTimeField(null=True, help_text="Until then; afterwards that order counts as given up.")
    created = models.DateTimeField(db_default=Now())
    updated = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(line_count__lte=MAX_LINES), name="cart_lines_bounded"),
            models.CheckConstraint(
                condition=Q(customer=None, adopted=None) | Q(customer__isnull=False, adopted__isnull=False),
                name="cart_of_a_customer_was_adopted",
            ),
            models.CheckConstraint(
                condition=Q(checkout_order=None, checkout_until=None)
                | Q(checkout_order__isnull=False, checkout_until__isnull=False),
                name="cart_checkout_whole_or_none",
            ),
        ]
        indexes = [
            models.Index(
                "customer",
                F("adopted").desc(),
                F("id").desc(),
                condition=Q(customer__isnull=False),
                name="cart_current",
            ),
            # Not by when they were changed: then each change of a cart would be one of all its indexes (HOT updates).
            models.Index(fields=["created"], condition=Q(customer=None), name="cart_guests_by_age"),
            models.Index(fields=["-created", "-id"], name="cart_newest"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Line(models.Model):
    """One SKU of a cart, with its name and price as they were when the line was last set."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines", db_index=False)
    sku = models.CharField(max_length=64, db_collation="C")
    quantity = models.SmallIntegerField()
    name = models.TextField()
    unit_price = models.BigIntegerField(help_text="In minor units of the shop's currency.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "sku"], name="cart_line_once_per_sku"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY), name="cart_line_quantity_bounded"
            ),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="cart_line_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class Consumed(models.Model):
    """An order that has taken its lines out of the cart: each does so once."""

    order = models.UUIDField(primary_key=True, db_column="order_id")
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="consumed")
    created = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-created"]
        verbose_name_plural = "consumed"

    def __str__(self) -> str:
        return str(self.order)
