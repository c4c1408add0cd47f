"""A copy of everything that the shop holds of a customer (GDPR, articles 15 and 20): a ZIP archive of JSON files."""

import io
import zipfile
from typing import Any

import orjson
from chassis.pages import rfc3339

from customers import clients
from customers.domain import accounts, second_factor
from customers.models import Customer, Mail, PrivacyEvent

README = """What this shop holds of you, as JSON.

account.json    your account
addresses.json  places to send goods to
sessions.json   where you signed in, and how that ended
mails.json      what was written to you in the last 30 days
carts.json      your carts
orders.json     your orders, and what happened to them
"""


def archive(*, id: str) -> bytes:
    """The archive of the account of a token's subject, gathered from all services now. The same call again gives what
    is held by then.

    Raises ``AccountClosed``, and ``DependencyUnavailable`` where a service does not answer: half a copy is none.
    """
    customer = accounts.get(id=id)
    files = {
        "account": _account(customer),
        "addresses": _rows(customer.addresses, "name line1 line2 city postal_code country default created"),
        "sessions": _rows(customer.sessions, "created ended reason"),
        "mails": _rows(Mail.objects.filter(recipient=customer.email), "kind recipient created sent"),
        "carts": clients.held(service="cart", customer=customer.pk)["carts"],
        "orders": clients.held(service="orders", customer=customer.pk)["orders"],
    }
    PrivacyEvent.objects.create(customer=customer.pk, event=PrivacyEvent.Event.EXPORTED)
    return _zipped(files)


def _account(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.pk,
        "email": customer.email,
        "email_verified": customer.email_verified,
        "pending_email": customer.pending_email or None,
        "name": customer.name,
        "roles": customer.roles,
        "second_factor": second_factor.enrolled(customer=customer),
        "created": rfc3339(customer.created),
        "last_login": rfc3339(customer.last_login) if customer.last_login else None,
    }


def _rows(rows: Any, fields: str) -> list[dict[str, Any]]:
    return list(rows.order_by("created").values(*fields.split()))


def _zipped(files: dict[str, Any]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, content in files.items():
            archive.writestr(f"{name}.json", orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
    return made.getvalue()
