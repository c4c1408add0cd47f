"""What the logs tell: one request's way through every service, and nothing about people."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from local.shop import Shop

from support.people import ADDRESS, PASSWORD, Person, Staff
from support.target import STAFF_PASSWORD
from support.wait import until

PERSONAL = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    "a token": re.compile(r"eyJ[\w-]{8,}\.|access_token=|\bBearer \w|tok_(ok|declined)"),
    "a name or a street": re.compile("|".join(re.escape(ADDRESS[part]) for part in ("name", "line1", "postal_code"))),
    "a password": re.compile(f"{re.escape(PASSWORD)}|{re.escape(STAFF_PASSWORD)}"),
}


def lines_of(shop: Shop, request_id: str) -> dict[str, dict[str, Any]]:
    """Each process's last line of a request."""
    found = {}
    for path in shop.state.log.glob("*.log"):
        whole, _, _ = path.read_text(errors="replace").rpartition("\n")  # the last line may be being written
        for line in whole.splitlines():
            if request_id in line and (entry := json.loads(line)).get("request_id") == request_id:
                found[path.stem] = entry
    return found


def test_a_checkout_s_id_is_in_every_service_s_log_with_what_helps_to_follow_it(
    shop: Shop, customer: Person, staff: Staff
) -> None:
    cart, request_id = customer.cart_with({staff.goods(price=150, quantity=5): 1}), uuid4().hex
    me = str(customer.get("/customers/me").ok()["id"])
    headers = {"Idempotency-Key": str(uuid4()), "X-Request-ID": request_id}
    customer.post("/orders", customer.order(cart), headers=headers).ok(201)
    wanted = {"nginx", "orders", "cart", "stock", "products"}
    lines = until(lambda: lines_of(shop, request_id), lambda found: {name.split("-")[0] for name in found} == wanted)
    gateway, orders = lines["nginx"], lines["orders"]
    assert (gateway["route"], gateway["status"], gateway["customer"]) == ("orders", 201, me)
    assert (gateway["instance"], gateway["upstream_status"]) == ("orders", "201")
    assert 0 < orders["ms"] / 1000 <= gateway["duration"] + 0.05
    assert (orders["route"], orders["status"], orders["caller"]) == ("api/v1/orders", 201, f"customer:{me}")
    others = {entry["caller"] for name, entry in lines.items() if name not in ("nginx", "orders")}
    assert others == {"service:orders"}, "who asks the other services"


def leaks(text: str, secrets: dict[str, str]) -> Iterator[str]:
    """What must not be in a line, and the line."""
    for line in text.splitlines():
        for kind, pattern in PERSONAL.items():
            if found := pattern.search(line):
                yield f"{kind} ({found[0]!r}): {line[:300]}"
        for name, secret in secrets.items():
            if secret in line:
                yield f"the secret {name}: {line[:100]}"


def secrets_of(shop: Shop) -> dict[str, str]:
    """Every secret; of a private key its first line of data."""
    texts = {}
    for path in shop.state.secrets.rglob("*"):
        if path.is_file() and path.name not in ("service_jwks.json", "staff_email"):
            text = path.read_text()
            texts[str(path.relative_to(shop.state.secrets))] = text.splitlines()[1] if path.suffix == ".pem" else text
    return texts


@pytest.mark.closing
def test_no_log_of_the_whole_run_holds_a_secret_or_anything_about_a_person(shop: Shop) -> None:
    secrets, read, found = secrets_of(shop), 0, []
    for path in shop.state.log.glob("*.log*"):
        text = path.read_text(errors="replace")
        read += len(text)
        found += [f"{path.name}: {leak}" for leak in leaks(text, secrets)]
    assert read > 10_000
    assert len(secrets) > 20
    assert found[:10] == []


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "refused", "email": "ada@example.com"}',
        "GET /api/v1/orders/1?access_token=x",
        '{"authorization": "Bearer abc"}',
        f"DETAIL: ({ADDRESS['line1']})",
        "connection to postgres://stock:the-secret@127.0.0.1 failed",
    ],
)
def test_that_look_finds_what_it_looks_for(line: str) -> None:
    assert len(list(leaks(line, {"stock/password": "the-secret"}))) >= 1
