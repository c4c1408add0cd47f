"""What the admins of the services share: read-only ledgers, money in people's form, and actions that ask first."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from chassis.errors import DomainError
from chassis.money import shown

MAX_QUANTITY = 1_000_000_000
MAX_AT_ONCE = 100
"""Rows that somebody can look over before they say yes: a page of a list."""


class ReadOnlyAdmin(ModelAdmin):
    """A table that people look at and nobody edits by hand: ledgers, events, balances."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Actions (``permissions=["act"]``) are for those who have the right to change rows, if only by them."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))


class ReasonForm(forms.Form):
    """An action that wants to know why."""

    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)


class QuantityForm(ReasonForm):
    """An action on a number of goods."""

    quantity = forms.IntegerField(min_value=-MAX_QUANTITY, max_value=MAX_QUANTITY, widget=UnfoldAdminIntegerFieldWidget)
    field_order = ["quantity", "reason"]

    def clean_quantity(self) -> int:
        """A number that moves something: the ledger takes no entry of nothing."""
        if not self.cleaned_data["quantity"]:
            raise forms.ValidationError("Not zero: that would change nothing.")
        return int(self.cleaned_data["quantity"])


def ask(
    request: HttpRequest,
    site: AdminSite,
    *,
    title: str,
    explanation: str,
    form_class: type[forms.Form],
    run: Callable[[dict[str, Any]], str],
    back: str,
) -> HttpResponse:
    """A page that asks before an action: shows the form, then runs ``run(values)`` and says what it returned.

    A refusal of the domain is shown beside the form, in its own words; nothing was done then.
    """
    form = form_class(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, run(form.cleaned_data))
            return HttpResponseRedirect(back)
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
    context = site.each_context(request) | {"title": title, "explanation": explanation, "form": form, "back": back}
    return TemplateResponse(request, "chassis/ask.html", context)


def sure(
    request: HttpRequest, site: AdminSite, *, verb: str, explanation: str, rows: Any, line: Callable[[Any], str]
) -> HttpResponse | None:
    """A page that lists the selected rows before an action on them, a line each; None once somebody said yes.

    Its answer names these rows and no others, whatever the list shows by then.
    """
    if "sure" in request.POST:
        return None
    back, count, names = request.get_full_path(), rows.count(), rows.model._meta
    if count > MAX_AT_ONCE:
        messages.error(request, f"{count} are too many to look over. Select {MAX_AT_ONCE} at most.")
        return HttpResponseRedirect(back)
    title = f"{verb} {count} {names.verbose_name if count == 1 else names.verbose_name_plural}"
    hidden = [("action", request.POST["action"]), ("sure", "yes"), *((ACTION_CHECKBOX_NAME, row.pk) for row in rows)]
    context = {"title": title, "explanation": explanation, "back": back, "hidden": hidden, "lines": map(line, rows)}
    return TemplateResponse(request, "chassis/ask.html", site.each_context(request) | context)


def act_on_each(request: HttpRequest, rows: Any, run: Callable[[Any], None], done: str) -> None:
    """Runs an action on each selected row by itself and says how many it did, and which refused and why."""
    count = 0
    for row in rows:
        try:
            run(row)
            count += 1
        except DomainError as refusal:
            messages.error(request, f"{row}: {refusal.detail}")
    if count:
        messages.success(request, f"{count} {done}")


def money_column(field: str, currency: str, title: str) -> Callable[[Any, Model], str]:
    """A list column that shows minor units as money, right-aligned, sortable."""

    def column(self: Any, row: Model) -> str:
        amount = getattr(row, field)
        if amount is None:
            return "–"
        return format_html('<span style="white-space:nowrap">{}</span>', shown(amount, getattr(row, currency)))

    column.short_description = title  # type: ignore[attr-defined]
    column.admin_order_field = field  # type: ignore[attr-defined]
    return column
