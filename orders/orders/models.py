"""Orders: what was bought, what was paid, what happened when. An order's row is the durable job of its checkout."""

from typing import Any

from chassis.idempotency.models import IdempotencyRecord
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class State(models.TextChoices):
    """Where an order is on its way (docs/architecture.md has the picture)."""

    PENDING = "pending"
    RESERVED = "reserved"
    PAYING = "paying"
    PAID = "paid"
    CONFIRMED = "confirmed"
    STOCK_COMMITTED = "stock_committed"
    COMPLETED = "completed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


_S = State
LIVE = [_S.PENDING, _S.RESERVED, _S.PAYING, _S.PAID, _S.CONFIRMED, _S.STOCK_COMMITTED, _S.CANCELLING]
"""Between the first row and the cart's consumption: at most one such order per cart."""
UNDER_WAY = [*LIVE, _S.REFUNDING]
"""Not at rest: somebody has to go on with it."""
FAILED = [_S.REJECTED, _S.CANCELLED, _S.REFUNDING, _S.REFUNDED]

WORK = Q(state__in=UNDER_WAY) | Q(state=_S.COMPLETED, cancel_requested__isnull=False)

ERASED = "erased@closed.invalid"
"""The e-mail of an order whose buyer was erased (RFC 2606: no such address can exist)."""

STATUS = {
    _S.PENDING: "pending",
    _S.RESERVED: "pending",
    _S.PAYING: "pending",
    _S.PAID: "pending",
    _S.CANCELLING: "pending",
    _S.CONFIRMED: "confirmed",
    _S.STOCK_COMMITTED: "confirmed",
    _S.COMPLETED: "confirmed",
    _S.REFUNDING: "confirmed",
    _S.SHIPPED: "shipped",
    _S.DELIVERED: "delivered",
    _S.REJECTED: "rejected",
    _S.CANCELLED: "cancelled",
    _S.REFUNDED: "refunded",
}
"""What a client sees of a state."""


def _number() -> Any:
    return models.Func(models.Value("orders_number"), function="nextval", output_field=models.BigIntegerField())


class Order(models.Model):
    """An order, from the first row on. ``lease`` names who works on it; each advance is fenced by it."""

    id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(unique=True, db_default=_number())
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    customer = models.UUIDField(null=True)
    email = models.EmailField(max_length=254)
    shipping_address = models.JSONField()
    cart = models.UUIDField()
    cart_version = models.BigIntegerField(null=True, help_text="Null until the snapshot is written.")
    currency = models.CharField(max_length=3)
    subtotal = models.BigIntegerField(default=0)
    discount = models.BigIntegerField(default=0)
    shipping = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    expected_total = models.BigIntegerField(null=True)
    method = models.CharField(max_length=10, choices=[("test", "test"), ("invoice", "invoice")])
    token = models.CharField(max_length=100, blank=True, help_text="The provider's token; forgotten once it was used.")
    failure = models.JSONField(null=True, help_text="Why it was refused: the problem document's members.")
    idempotency = models.ForeignKey(IdempotencyRecord, on_delete=models.SET_NULL, null=True)
    cancel_requested = models.DateTimeField(null=True)
    given_up = models.BooleanField(
        default=False, help_text="Until something is paid, nobody goes on with it but for its client."
    )
    lease = models.UUIDField()
    lease_until = models.DateTimeField()
    next_attempt = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(default=0)
    created = models.DateTimeField(db_default=Now())
    updated = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="order_state_known"),
            models.UniqueConstraint(fields=["cart"], condition=Q(state__in=LIVE), name="order_one_live_per_cart"),
            models.UniqueConstraint(
                fields=["cart", "cart_version"],
                condition=~Q(state__in=FAILED) & Q(cart_version__isnull=False),
                name="order_one_per_cart_version",
            ),
            models.UniqueConstraint(
                fields=["idempotency"], condition=~Q(state=State.REJECTED), name="order_one_per_key"
            ),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") - F("discount") + F("shipping") + F("tax")), name="order_total_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(subtotal__gte=0, discount__gte=0, shipping__gte=0, tax__gte=0, total__gte=0),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.PENDING, State.REJECTED, State.CANCELLING, State.CANCELLED])
                | Q(cart_version__isnull=False),
                name="order_has_snapshot_beyond_pending",
            ),
        ]
        indexes = [
            models.Index(fields=["-created", "-id"], name="order_newest"),
            models.Index(
                fields=["customer", "-created", "-id"],
                condition=Q(customer__isnull=False),
                name="order_by_customer",
            ),
            models.Index(fields=["state", "-created", "-id"], name="order_by_state"),
            models.Index(fields=["next_attempt"], condition=WORK, name="order_under_way"),
            models.Index(fields=["email"], name="order_by_email"),
        ]

    def __str__(self) -> str:
        return f"Order {self.number}"

    @property
    def status(self) -> str:
        """What a client sees of the state."""
        return STATUS[State(self.state)]

    @property
    def ending(self) -> bool:
        """Whether it is to be cancelled or refunded, and that is not done yet."""
        cancelled = self.cancel_requested is not None and self.state in (*LIVE, State.COMPLETED)
        return cancelled or self.state == State.REFUNDING


class OrderLine(models.Model):
    """What was bought, at the price of the moment."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    sku = models.CharField(max_length=64, db_collation="C")
    name = models.CharField(max_length=300)
    quantity = models.IntegerField()
    unit_price = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "sku"], name="line_once_per_sku"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_positive"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="line_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"

    @property
    def line_total(self) -> int:
        """Minor units."""
        return self.quantity * self.unit_price


class Payment(models.Model):
    """The money of an order. The provider's key is the order's id: a charge can be asked for, never doubled."""

    class State(models.TextChoices):
        INITIATED = "initiated"
        DUE = "due"
        PAID = "paid"
        DECLINED = "declined"
        VOIDED = "voided"
        REFUNDED = "refunded"

    order = models.OneToOneField(Order, on_delete=models.PROTECT, primary_key=True)
    state = models.CharField(max_length=10, choices=State)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created = models.DateTimeField(db_default=Now())
    updated = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["initiated", "due", "paid", "declined", "voided", "refunded"]),
                name="payment_state_known",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="payment_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.amount} {self.currency}"


class OrderEvent(models.Model):
    """What happened to an order, append-only. An order enters a state once at most."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events", db_index=False)
    event = models.CharField(max_length=20, help_text="A state that was entered, or what else happened.")
    actor = models.CharField(max_length=100)
    note = models.CharField(max_length=300, blank=True)
    created = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["order", "event"], name="event_once_per_order")]

    def __str__(self) -> str:
        return self.event


class Mail(models.Model):
    """A mail to be sent: written in the transaction of what it tells, sent by the worker, at least once."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, db_index=False)
    kind = models.CharField(max_length=20)
    created = models.DateTimeField(db_default=Now())
    sent = models.DateTimeField(null=True)
    attempts = models.IntegerField(db_default=0)
    next_attempt = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "kind"], name="mail_once_per_kind")]
        indexes = [models.Index(fields=["next_attempt"], condition=Q(sent=None), name="mail_to_send")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_id}"
