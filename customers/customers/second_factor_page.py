"""A page of the admin on which staff enrol an authenticator app, get recovery codes, and turn it off again."""

from typing import cast

from chassis.errors import DomainError
from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.domain import second_factor
from customers.models import Customer


class CodeForm(forms.Form):
    """The code that the app shows."""

    code = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )


def page(request: HttpRequest) -> HttpResponse:
    """One's own second factor, and nobody else's."""
    customer, form = cast(Customer, request.user), CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if codes := _done(customer, request.POST.get("do", ""), form.cleaned_data["code"].strip()):
                return _shown(request, {"codes": codes, "back": reverse("second_factor")})
            messages.success(request, "Your account has no second factor any more.")
            return HttpResponseRedirect(reverse("second_factor"))
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
    secret = second_factor.begin(customer=customer)
    picture = _qr_code(second_factor.address(customer=customer, secret=secret)) if secret else ""
    left = 0 if secret else second_factor.recovery_codes_left(customer=customer)
    return _shown(request, {"form": form, "secret": secret, "picture": picture, "left": left})


def _done(customer: Customer, do: str, code: str) -> list[str]:
    """New recovery codes; none where it was turned off."""
    if do == "confirm":
        return second_factor.confirm(customer=customer, code=code)
    if do == "renew":
        return second_factor.renew_recovery_codes(customer=customer, code=code)
    second_factor.check(customer=customer, code=code)
    second_factor.remove(customer=customer)
    return []


def _shown(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    context = admin.site.each_context(request) | {"title": "Your second factor"} | context
    return TemplateResponse(request, "customers/second_factor.html", context, headers={"Cache-Control": "no-store"})


def _qr_code(text: str) -> str:
    import segno  # only here

    return str(segno.make(text, error="m").svg_data_uri(scale=5, border=2))
