"""Schemathesis: what openapi.yaml promises, for any request that can be made of it; SCHEMA_CASES says how many."""

from uuid import uuid4

import pytest
from chassis.testing import contract

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_answer_is_as_the_document_says(live_server, shop, as_customer):
    me = str(uuid4())

    def token(method, path):
        return as_customer(me)

    outcome = contract.attack(live_server.url, token, cases=contract.wanted())
    print(f"{outcome.cases} cases", outcome.phases, outcome.statuses)
    assert not outcome.wrong, outcome.told()
    assert outcome.cases >= contract.wanted()
    assert set(outcome.phases) == {"examples", "coverage", "fuzzing", "stateful"}
