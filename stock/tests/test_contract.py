"""Schemathesis: what openapi.yaml promises, for any request that can be made of it; SCHEMA_CASES says how many."""

import pytest
from chassis.testing import contract

from stock.domain import levels

# What no schema can say: lines of the same SKU are added up.
BEYOND = {"lines:max_value"}
pytestmark = pytest.mark.django_db(transaction=True)


def test_every_answer_is_as_the_document_says(live_server, as_staff, as_service):
    levels.receive(sku="A", quantity=100, reason="opening", actor="test")

    def token(method, path):
        return as_service("orders") if "/reservations/" in path else as_staff("warehouse")

    contract.prove(live_server.url, token, beyond=BEYOND)
