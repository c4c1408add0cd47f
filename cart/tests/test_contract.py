"""Schemathesis: what openapi.yaml promises, for any request that can be made of it; SCHEMA_CASES says how many."""

from uuid import uuid4

import pytest
from chassis.testing import contract

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_answer_is_as_the_document_says(live_server, shop, as_customer):
    me = str(uuid4())

    def token(method, path):
        return as_customer(me)

    contract.prove(live_server.url, token)
