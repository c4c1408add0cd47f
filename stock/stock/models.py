"""Levels, the ledger, and reservations. What must always hold is a constraint here, not a hope elsewhere."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Level(models.Model):
    """How much there is of a SKU. Changed only by the statements in domain/, each with its ledger entry."""

    sku = models.CharField(max_length=64, primary_key=True, db_collation="C")
    on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    reorder_point = models.PositiveIntegerField(null=True, blank=True, help_text="Warn when available falls below.")
    updated = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["sku"]
        constraints = [
            models.CheckConstraint(condition=Q(reserved__gte=0), name="level_reserved_not_negative"),
            models.CheckConstraint(condition=Q(on_hand__gte=F("reserved")), name="level_reserved_within_on_hand"),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def available(self) -> int:
        """What can still be sold."""
        return self.on_hand - self.reserved


class Reservation(models.Model):
    """Goods set aside for an order, under the order's id. Held until committed, released or expired."""

    class State(models.TextChoices):
        HELD = "held"
        COMMITTED = "committed"
        RELEASED = "released"
        EXPIRED = "expired"
        RETURNED = "returned"

    id = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=10, choices=State)
    expires = models.DateTimeField()
    created = models.DateTimeField(db_default=Now())
    updated = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["held", "committed", "released", "expired", "returned"]),
                name="reservation_state_known",
            )
        ]
        indexes = [
            models.Index(fields=["expires"], condition=Q(state="held"), name="reservation_to_expire"),
            models.Index(fields=["-created", "-id"], name="reservation_newest"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ReservationLine(models.Model):
    """One SKU of a reservation."""

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="lines", db_index=False)
    level = models.ForeignKey(Level, on_delete=models.PROTECT, db_column="sku", db_index=False)
    quantity = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reservation", "level"], name="reservation_line_once_per_sku"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.level_id}"


class Movement(models.Model):
    """An entry of the append-only ledger: on hand is the sum of its quantities, from the first day on."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt"
        ADJUSTMENT = "adjustment"
        SALE = "sale"
        RETURN = "return"

    level = models.ForeignKey(
        Level, on_delete=models.PROTECT, db_column="sku", db_index=False, related_name="movements"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    quantity = models.BigIntegerField(help_text="Signed: what came is positive, what went is negative.")
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=100, help_text="Who did it: staff, or a service.")
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, null=True, db_index=False)
    reference = models.CharField(max_length=100, null=True, help_text="What it came with; once per SKU.")  # noqa: DJ001
    created = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="receipt", quantity__gt=0, reservation=None)
                | (Q(kind="adjustment", reservation=None) & ~Q(quantity=0))
                | Q(kind="sale", quantity__lt=0, reservation__isnull=False)
                | Q(kind="return", quantity__gt=0, reservation__isnull=False),
                name="movement_kind_fits",
            ),
            models.UniqueConstraint(fields=["reservation", "level", "kind"], name="movement_once_per_reservation"),
            models.UniqueConstraint(fields=["level", "reference"], name="movement_once_per_reference"),
        ]
        indexes = [models.Index(fields=["level", "-id"], name="movement_of_a_sku")]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity:+} {self.level_id}"
