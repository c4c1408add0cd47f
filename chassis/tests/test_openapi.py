"""The addresses every service has, and its OpenAPI document."""

import pytest
import yaml
from drf_spectacular.generators import SchemaGenerator

from chassis import openapi

pytestmark = pytest.mark.django_db


@pytest.fixture
def document():
    return openapi.add_problems(SchemaGenerator().get_schema(public=True))


def test_every_operation_is_named_after_its_path_and_may_answer_with_a_problem(document):
    operations = {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    }
    assert {"get_stock_echo", "post_stock_echo", "put_stock_echo", "get_stock_who"} <= set(operations)
    for operation in operations.values():
        problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}
    assert {"type", "title", "status", "detail", "code", "request_id"} == set(
        document["components"]["schemas"]["Problem"]["required"]
    )


def test_bodies_take_no_unknown_fields_and_answers_may_grow(document):
    schemas = document["components"]["schemas"]
    assert schemas["EchoBodyRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["EchoBody"]


def test_a_sku_in_a_path_is_described(document):
    (parameter,) = document["paths"]["/api/v1/stock/goods/{sku}"]["get"]["parameters"]
    assert parameter["schema"]["pattern"] == "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


def test_the_committed_document_is_served_as_json(api, settings, tmp_path):
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump({"openapi": "3.1.1", "info": {"title": "x"}}))
    settings.BASE_DIR = tmp_path
    openapi._document.cache_clear()
    answer = api.get("/api/v1/stock/openapi.json")
    openapi._document.cache_clear()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"openapi": "3.1.1", "info": {"title": "x"}}


@pytest.mark.parametrize("sku", ["A", "a.b-c_d", "0" * 64])
def test_a_sku_is_an_address(api, sku):
    assert api.get(f"/api/v1/stock/goods/{sku}").json() == sku


@pytest.mark.parametrize("sku", ["-a", ".a", "a%20b", "a%2Fb", "0" * 65, "a%00", "%C3%A4"])
def test_what_cannot_be_a_sku_is_404(api, sku):
    answer = api.get(f"/api/v1/stock/goods/{sku}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_admin_and_its_files_are_below_the_services_own_path(api):
    answer = api.get("/admin/stock/login/local/")
    assert answer.status_code == 200
    assert b"/admin/stock/static/" in answer.content
    assert api.get("/admin/").status_code == 404


def test_without_a_slash_there_is_nothing_and_no_redirect(api):
    assert api.get("/api/v1/stock/echo").status_code == 200
    assert api.get("/api/v1/stock/echo/").status_code == 404
