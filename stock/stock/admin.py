"""The warehouse's desk: levels are read, and change only by receipts and adjustments that say why."""

from typing import Any
from urllib.parse import urlencode

from chassis.admin import MAX_QUANTITY, QuantityForm, ReadOnlyAdmin, ask
from chassis.fields import is_sku
from django import forms
from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from stock.domain import levels
from stock.models import Level, Movement, Reservation, ReservationLine


class ReceiptForm(QuantityForm):
    """What came in is a positive number."""

    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY, widget=UnfoldAdminIntegerFieldWidget)


class NewSkuForm(ReceiptForm):
    """The first goods of a SKU: the ledger forgets nothing, so it must be one, and none that is there."""

    sku = forms.CharField(label="SKU", max_length=64, widget=UnfoldAdminTextInputWidget)
    field_order = ["sku", "quantity", "reason"]

    def clean_sku(self) -> str:
        """A SKU that can be one, and that stock does not know yet."""
        sku = str(self.cleaned_data["sku"])
        if not is_sku(sku):
            raise forms.ValidationError("1 to 64 letters, digits, dots, dashes or underscores; no reserved word.")
        if Level.objects.filter(pk=sku).exists():
            raise forms.ValidationError("Stock has this SKU already: receive it on its own page.")
        return sku


class Shortage(admin.SimpleListFilter):
    """What the warehouse has to do something about."""

    title = "supply"
    parameter_name = "supply"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("out", "Sold out"), ("low", "Below its reorder point"), ("in", "Available")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Level]) -> QuerySet[Level]:
        free = F("on_hand") - F("reserved")
        rows = queryset.annotate(free=free)
        match self.value():
            case "out":
                return rows.filter(free=0)
            case "low":
                return rows.filter(free__lt=F("reorder_point"))
            case "in":
                return rows.filter(free__gt=0)
        return rows


@admin.register(Level)
class LevelAdmin(ReadOnlyAdmin):
    list_display = ["sku", "on_hand", "reserved", "free", "reorder_point", "supply", "updated"]
    search_fields = ["sku"]
    list_filter = [Shortage]
    readonly_fields = ["sku", "on_hand", "reserved", "free", "updated"]
    fields = ["sku", "on_hand", "reserved", "free", "reorder_point", "updated"]
    actions_list = ["receive_new"]
    actions_detail = ["receive", "adjust", "ledger"]
    actions_row = ["receive", "adjust", "ledger"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the reorder point can be edited; the balances are read-only fields."""
        return self.has_act_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Level]:
        rows: QuerySet[Level] = super().get_queryset(request).annotate(free=F("on_hand") - F("reserved"))
        return rows

    @display(description="available", ordering="free")
    def free(self, level: Level) -> int:
        return level.available

    @display(description="supply", label={"sold out": "danger", "low": "warning", "in stock": "success"})
    def supply(self, level: Level) -> str:
        if level.available == 0:
            return "sold out"
        return "low" if level.available < (level.reorder_point or 0) else "in stock"

    @action(description="Receive stock", url_path="receive", icon="add", permissions=["act"])
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, "Receive stock", "Goods that came in.", levels.receive, ReceiptForm)

    @action(description="Adjust", url_path="adjust", icon="tune", permissions=["act"])
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request, object_id, "Adjust", "A signed correction: a count, breakage, theft.", levels.adjust, QuantityForm
        )

    @action(description="Ledger", url_path="ledger", icon="history", permissions=["view"])
    def ledger(self, request: HttpRequest, object_id: str) -> HttpResponse:
        of_it = urlencode({"level__exact": object_id})
        return HttpResponseRedirect(f"{reverse('admin:stock_movement_changelist')}?{of_it}")

    @action(description="Receive a new SKU", url_path="receive", icon="add", permissions=["act"])
    def receive_new(self, request: HttpRequest) -> HttpResponse:
        return ask(
            request,
            self.admin_site,
            title="Receive a new SKU",
            explanation="The first goods of a SKU that stock does not know yet, written as in products.",
            form_class=NewSkuForm,
            run=lambda values: _booked(levels.receive, request, **values),
            back=reverse("admin:stock_level_changelist"),
        )

    def _ask(
        self, request: HttpRequest, sku: str, title: str, explanation: str, act: Any, form_class: type[forms.Form]
    ) -> HttpResponse:
        if self.get_object(request, sku) is None:
            raise Http404
        return ask(
            request,
            self.admin_site,
            title=f"{title}: {sku}",
            explanation=explanation,
            form_class=form_class,
            run=lambda values: _booked(act, request, sku=sku, **values),
            back=reverse("admin:stock_level_change", args=[quote(sku)]),
        )

    def _get_actions_navigation(self, provided: Any, allowed: Any, object_id: str | None = None) -> Any:
        """Django's pages write A_B as A_5FB in their addresses; those of actions hold the SKU itself, as in rows."""
        return super()._get_actions_navigation(provided, allowed, object_id and unquote(object_id))


def _booked(act: Any, request: HttpRequest, *, sku: str, quantity: int, reason: str) -> str:
    moved: Movement = act(sku=sku, quantity=quantity, reason=reason, actor=f"admin:{request.user}")
    return f"{moved.kind} of {moved.quantity:+} {sku} written to the ledger."


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    list_display = ["created", "level", "kind", "quantity", "reason", "actor", "reservation"]
    search_fields = ["level__sku", "reservation__id"]
    list_filter = ["kind", ("created", RangeDateFilter)]
    list_filter_submit = True
    list_select_related = ["level", "reservation"]
    show_full_result_count = False


class LineInline(TabularInline):
    model = ReservationLine
    fields = readonly_fields = ["level", "quantity"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    list_display = ["id", "status", "expires", "created", "updated"]
    search_fields = ["id", "lines__level__sku"]
    list_filter = ["state"]
    inlines = [LineInline]
    show_full_result_count = False

    @display(
        description="state",
        label={"held": "info", "committed": "success", "expired": "warning", "released": "", "returned": "warning"},
    )
    def status(self, reservation: Reservation) -> str:
        return reservation.state
