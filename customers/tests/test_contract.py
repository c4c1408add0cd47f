"""Schemathesis: what openapi.yaml promises, for any request that can be made of it; SCHEMA_CASES says how many."""

from itertools import count

import pytest
from chassis.testing import contract
from django.db import connection

from customers import clients
from tests.conftest import bearer
from tests.neighbours import Neighbours, running

# What no schema can say: refers to what is there, or to rules of passwords and pictures.
BEYOND = {
    "current_password:wrong_password",
    "password:password_entirely_numeric",
    "password:password_too_common",
    "password:password_too_similar",
    "token:invalid_token",
}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def others(monkeypatch):
    """Cart and orders, which hold something of customers too."""
    with running(Neighbours()) as urls:
        for name, url in urls.items():
            monkeypatch.setenv(name, url)
        clients._client.cache_clear()
        yield
    clients._client.cache_clear()


def test_every_answer_is_as_the_document_says(live_server, customer, others):
    numbers, ann = count(), customer()

    def token(method, path):
        if method != "DELETE" or not path.endswith("/me"):
            return bearer(ann)
        try:  # an account of its own to close
            return bearer(customer(f"ann{next(numbers)}@example.org"))
        finally:
            connection.close()

    contract.prove(live_server.url, token, beyond=BEYOND)
