"""routes.toml: every route as everybody, by real calls."""

import pytest
from chassis.testing import routes
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.api.test_images import picture

pytestmark = pytest.mark.django_db
TABLE = routes.rules()


@pytest.fixture
def world(callers, sell, shelves):
    sell("Bananas", variants={"BANANAS": ({}, 99)})
    image = encode_multipart(BOUNDARY, {"image": SimpleUploadedFile("x.png", picture())})
    bodies = {"POST /api/v1/products/{slug}/images": (MULTIPART_CONTENT, image)}
    return routes.World(callers(), {"slug": "bananas"}, bodies)


def test_no_route_is_missing():
    assert set(routes.in_urls()[0]) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_each_caller_gets_what_the_table_says(route, world):
    routes.prove(route, TABLE[route], world)


def test_no_token_opens_the_admin(world):
    assert routes.prove_admin(world) > 100
