"""Schemathesis: what openapi.yaml promises, for any request that can be made of it; SCHEMA_CASES says how many."""

import pytest
from chassis.testing import contract

# What no schema can say: refers to what is there, or to rules of passwords and pictures.
BEYOND = {
    "category:not_found",
    "image:empty",
    "image:invalid",
    "images:not_found",
    "malformed_request",
    "parent:not_found",
    "remove_variants:not_found",
    "variants:conflict",
    "variants:duplicate",
    "variants:required",
}
# A deleted product is archived: staff still see it, and may bring it back.
ARCHIVED = {"use_after_free"}
pytestmark = pytest.mark.django_db(transaction=True)


def test_every_answer_is_as_the_document_says(live_server, sell, shelves, as_staff):
    sell("Bananas", category=shelves["Tropical"])

    def token(method, path):
        return as_staff("catalogue")

    contract.prove(live_server.url, token, beyond=BEYOND, unchecked=ARCHIVED)
