from chassis import tokens
from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        """This service knows its keys from its own database and need not ask itself over HTTP."""
        from customers.domain import keys

        tokens.customer_keys = keys.published  # type: ignore[assignment]
