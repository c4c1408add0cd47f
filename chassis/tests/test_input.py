"""What Django REST framework lets through and we do not: one test for each, and the OpenAPI document says the same."""

import pytest
from django.http import QueryDict
from drf_spectacular.generators import SchemaGenerator
from rest_framework.exceptions import ValidationError

from chassis.fields import Currency, Integer, Query, QueryInteger, Sku, Text, validated
from chassis.pages import PageQuery
from tests.urls import EchoBody

ECHO = "/api/v1/stock/echo"
DEEP = b'{"text": ' + b"[" * 33 + b"]" * 33 + b"}"
pytestmark = pytest.mark.django_db


def refusal(api, raw):
    answer = api.post(ECHO, raw)
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


def test_depth(api):
    assert refusal(api, DEEP) == (400, "malformed_request", "The JSON is nested deeper than 32 levels.")
    assert refusal(api, b"[" * 100_000)[:2] == (400, "malformed_request")


@pytest.mark.parametrize("text", [b"a\\u0000b", b"\\u0000"])
def test_nul_in_a_value_and_in_a_key(api, text):
    said = (400, "malformed_request", "Text must not hold NUL characters.")
    assert refusal(api, b'{"text": "%s", "number": 1}' % text) == said
    assert refusal(api, b'{"%s": 1}' % text) == said


@pytest.mark.parametrize("text", [b"\\ud800", b"\\udc00\\ud800", b"x\\udfff"])
def test_lone_surrogates(api, text):
    said = (400, "malformed_request", "Text must not hold lone surrogates.")
    assert refusal(api, b'{"text": "%s", "number": 1}' % text) == said


@pytest.mark.parametrize("number", [b"9007199254740992", b"-9007199254740992", b"1e400", b"9" * 5000])
def test_huge_numbers(api, number):
    assert refusal(api, b'{"text": "x", "number": %s}' % number)[:2] == (400, "malformed_request")


@pytest.mark.parametrize("raw", [b'{"text": "a", "text": "b"}', b'{"a": {"b": 1, "b": 2}}'])
def test_duplicate_keys(api, raw):
    assert refusal(api, raw)[1:] == ("malformed_request", "The JSON holds the same key twice in one object.")


def test_unknown_fields(api):
    problem = api.post(ECHO, {"text": "x", "number": 1, "is_staff": True, "a": 1}).json()
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("a", "unknown"),
        ("is_staff", "unknown"),
    ]


@pytest.mark.parametrize("wrong", ["1", True, None, [], {}, 1.5])
def test_wrong_types_of_a_number(api, wrong):
    assert api.post(ECHO, {"text": "x", "number": wrong}).status_code == 400


@pytest.mark.parametrize("wrong", [1, True, None, [], {}])
def test_wrong_types_of_a_text(api, wrong):
    assert api.post(ECHO, {"text": wrong, "number": 1}).status_code == 400


def test_an_integer_with_a_point_is_one_as_json_schema_says():
    assert Integer().run_validation(3.0) == 3
    for wrong in (3.5, float("nan"), float("inf"), "3"):
        with pytest.raises(ValidationError):
            Integer().run_validation(wrong)


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "", "x"],
)
def test_content_types(api, media_type):
    answer = api._client.generic("POST", ECHO, b'{"text": "x", "number": 1}', content_type=media_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_charset_in_the_content_type_is_fine(api):
    body = b'{"text": "x", "number": 1}'
    answer = api._client.generic("POST", ECHO, body, content_type="application/json; charset=utf-8")
    assert answer.status_code == 200


class Filter(Query):
    n = QueryInteger(min_value=-5, max_value=5, required=False)
    sku = Text(max_length=3, required=False)


@pytest.mark.parametrize(
    "query", ["n=", "n=%00", "n=1.0", "n=%201", "n=%D9%A1", "n=1_0", "n=6", "n=1&n=2", "sku=", "sku=%00"]
)
def test_a_query_is_taken_at_its_word(query):
    with pytest.raises(ValidationError):
        validated(Filter, QueryDict(query))


def test_a_good_query_is_taken():
    assert validated(Filter, QueryDict("n=-5&sku=abc&utm_source=x")) == {"n": -5, "sku": "abc"}
    assert validated(PageQuery, QueryDict("")) == {"limit": 20}


@pytest.mark.parametrize(
    ("field", "text"), [(Currency(), "USD\n"), (Currency(), " USD"), (Sku(), "A\n"), (Text(max_length=2), " ab")]
)
def test_what_a_pattern_says_is_meant_to_the_last_letter(field, text):
    with pytest.raises(ValidationError):
        field.run_validation(text)


def test_the_document_says_what_is_taken():
    document = SchemaGenerator().get_schema(public=True)["components"]["schemas"]
    body = document["EchoBodyRequest"]["properties"]
    assert body["text"]["pattern"].startswith("^[^\\x00-\\x08")
    assert body["sku"]["pattern"] == "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
    assert "me" in body["sku"]["not"]["enum"]
    assert set(body) == set(EchoBody().fields)
