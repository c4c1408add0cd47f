"""The shopkeeper's look at carts: who has what in them, how long already. Nothing is edited by hand."""

from typing import Any
from uuid import UUID

from chassis.admin import ReadOnlyAdmin
from chassis.money import shown
from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.timesince import timesince
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from cart.models import Cart, Line


class Owner(admin.SimpleListFilter):
    """Whose cart."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("customer", "A customer"), ("guest", "A guest")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Cart]) -> QuerySet[Cart]:
        if self.value() not in ("customer", "guest"):
            return queryset
        return queryset.filter(customer__isnull=self.value() == "guest")


class State(admin.SimpleListFilter):
    """What is in it, and what is being done with it."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("filled", "With goods"), ("empty", "Empty"), ("checkout", "Being checked out")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Cart]) -> QuerySet[Cart]:
        match self.value():
            case "filled":
                return queryset.filter(line_count__gt=0)
            case "empty":
                return queryset.filter(line_count=0)
            case "checkout":
                return queryset.filter(checkout_until__gt=Now())
        return queryset


class LineInline(TabularInline):
    model = Line
    fields = readonly_fields = ["sku", "name", "quantity", "price", "total"]
    extra = 0
    can_delete = False
    verbose_name_plural = "lines, at the prices of when they were set"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="unit price")
    def price(self, line: Line) -> str:
        return shown(line.unit_price, settings.CURRENCY)

    @display(description="line total")
    def total(self, line: Line) -> str:
        return shown(line.quantity * line.unit_price, settings.CURRENCY)


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin):
    list_display = ["id", "owner", "line_count", "state", "age", "updated"]
    list_filter = [Owner, State, ("created", RangeDateFilter), ("updated", RangeDateFilter)]
    list_filter_submit = True
    search_fields = ["id", "customer"]
    search_help_text = "The whole id of a cart, its customer, or the order being made of it"
    fields = ["id", "customer", "adopted", "version", "checkout_order", "checkout_until", "created", "updated"]
    inlines = [LineInline]
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Cart], search_term: str
    ) -> tuple[QuerySet[Cart], bool]:
        """By whole ids, which indexes find; a part of one would be looked for in every row."""
        if not search_term.strip():
            return queryset, False
        try:
            id = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        return queryset.filter(Q(pk=id) | Q(customer=id) | Q(checkout_order=id)), False

    @display(description="owner", label={"customer": "info", "guest": ""})
    def owner(self, cart: Cart) -> tuple[str, str]:
        return ("customer", str(cart.customer)) if cart.customer else ("guest", "guest")

    @display(description="state", label={"being checked out": "warning", "with goods": "success", "empty": ""})
    def state(self, cart: Cart) -> str:
        if cart.busy:  # type: ignore[attr-defined]
            return "being checked out"
        return "with goods" if cart.line_count else "empty"

    @display(description="age", ordering="created")
    def age(self, cart: Cart) -> str:
        return timesince(cart.created, depth=1)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        """With the database's word on whether a checkout is under way."""
        rows: QuerySet[Cart] = super().get_queryset(request).annotate(busy=Q(checkout_until__gt=Now()))
        return rows
