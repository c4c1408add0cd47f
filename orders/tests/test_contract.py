"""Schemathesis: what openapi.yaml promises, for any request that can be made of it; SCHEMA_CASES says how many."""

from uuid import uuid4

import pytest
from chassis.testing import contract

# What no schema can say: refers to what is there, or to rules of passwords and pictures.
BEYOND = {
    "expected_total.currency:invalid",
}
pytestmark = pytest.mark.django_db(transaction=True)


def test_every_answer_is_as_the_document_says(live_server, shop, as_customer, as_staff):
    me = str(uuid4())

    def token(method, path):
        return as_staff("orders") if path.endswith(("ship", "deliver", "refund", "mark-paid")) else as_customer(me)

    contract.prove(live_server.url, token, beyond=BEYOND)
