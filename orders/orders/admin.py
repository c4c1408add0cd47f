"""The order desk: find an order, see what happened to it, and do the next thing. Nothing is edited by hand."""

from collections.abc import Callable
from typing import Any

from chassis.admin import ReadOnlyAdmin, act_on_each, money_column, sure
from chassis.money import shown
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from orders.domain import lifecycle
from orders.models import Mail, Order, OrderEvent, OrderLine, Payment


class ReadOnlyInline(TabularInline):
    """Part of an order, to be looked at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = readonly_fields = ["sku", "name", "quantity", "price", "sum"]

    @display(description="unit price")
    def price(self, line: OrderLine) -> str:
        return shown(line.unit_price, line.order.currency)

    @display(description="total")
    def sum(self, line: OrderLine) -> str:
        return shown(line.line_total, line.order.currency)


class EventInline(ReadOnlyInline):
    model = OrderEvent
    fields = readonly_fields = ["created", "event", "actor", "note"]


class MailInline(ReadOnlyInline):
    model = Mail
    fields = readonly_fields = ["kind", "created", "sent", "attempts"]


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ["number", "created", "email", "shown_status", "money", "paid", "method"]
    search_fields = ["=number", "email", "=id", "shipping_address__name"]
    list_filter = ["state", "method", "payment__state", ("created", RangeDateFilter)]
    list_filter_submit = True
    list_select_related = ["payment"]
    show_full_result_count = False
    ordering = ["-created", "-id"]
    inlines = [LineInline, EventInline, MailInline]
    fields = [
        ("number", "shown_status"), ("created", "updated"), ("email", "customer"), "address",
        "money", ("method", "paid"), "refused", ("cart", "cart_version"), ("attempts", "next_attempt"),
    ]  # fmt: skip
    actions = ["mark_shipped", "mark_delivered", "cancel_orders", "refund_orders", "mark_paid"]
    money = money_column("total", "currency", "total")

    @display(
        description="status",
        ordering="state",
        label={
            "pending": "info",
            "confirmed": "success",
            "shipped": "success",
            "delivered": "success",
            "rejected": "danger",
            "cancelled": "warning",
            "refunded": "warning",
        },
    )
    def shown_status(self, order: Order) -> str:
        return order.status

    @display(description="payment", ordering="payment__state")
    def paid(self, order: Order) -> str:
        payment: Payment | None = getattr(order, "payment", None)
        return payment.state if payment else "–"

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:
        """Why it was refused is a line of those that were."""
        return [field for field in self.fields if field != "refused" or (obj and obj.failure)]

    @display(description="refused because")
    def refused(self, order: Order) -> str:
        return str((order.failure or {}).get("detail", "–"))

    @display(description="ships to")
    def address(self, order: Order) -> str:
        where = order.shipping_address
        city = f"{where.get('postal_code', '')} {where.get('city', '')}"
        rows = [where.get("name"), where.get("line1"), where.get("line2"), city, where.get("country")]
        return format_html("{}", format_html_join("", "{}<br>", ([row] for row in rows if row)))

    @admin.action(description="Mark as shipped", permissions=["act"])
    def mark_shipped(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._each(request, orders, lifecycle.ship, "marked as shipped.")

    @admin.action(description="Mark as delivered", permissions=["act"])
    def mark_delivered(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._each(request, orders, lifecycle.deliver, "marked as delivered.")

    @admin.action(description="Cancel", permissions=["act"])
    def cancel_orders(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        explanation = "Frees the goods of these orders, and gives back what was paid for them. Not to be undone."
        if (asked := self._ask(request, orders, "Cancel", explanation)) is None:
            self._each(request, orders, lifecycle.cancel, "cancelled, or under way to it.")
        return asked

    @admin.action(description="Refund", permissions=["act"])
    def refund_orders(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        explanation = "Gives the whole payment of each of these orders back to who paid it. Not to be undone."
        if (asked := self._ask(request, orders, "Refund", explanation)) is None:
            self._each(request, orders, lifecycle.refund, "refunded, or under way to it.")
        return asked

    @admin.action(description="Mark invoice as paid", permissions=["act"])
    def mark_paid(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._each(request, orders, lifecycle.mark_paid, "marked as paid.")

    def _ask(self, request: HttpRequest, orders: QuerySet[Order], verb: str, explanation: str) -> HttpResponse | None:
        def line(order: Order) -> str:
            return f"{order} of {order.email}: {shown(order.total, order.currency)}, {order.status}, {self.paid(order)}"

        return sure(request, self.admin_site, verb=verb, explanation=explanation, rows=orders, line=line)

    def _each(self, request: HttpRequest, orders: QuerySet[Order], act: Callable[..., Order], done: str) -> None:
        def run(order: Order) -> None:
            act(order=order, actor=f"admin:{request.user}")

        act_on_each(request, orders, run, done)
