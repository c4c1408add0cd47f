from typing import Any

from chassis import tokens
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        """This service knows its keys from its own database and need not ask itself over HTTP."""
        from django.contrib import admin

        from customers.domain import keys
        from customers.sign_in_form import SignInForm

        tokens.customer_keys = keys.published  # type: ignore[assignment]
        user_logged_out.connect(_sign_out_everywhere)
        admin.site.login_form, admin.site.login_template = SignInForm, "customers/sign_in.html"


def _sign_out_everywhere(user: Any, **_: Any) -> None:
    from customers.domain import staff_sign_in

    if user is not None:
        staff_sign_in.forget_tokens(customer=user)
