import pytest

pytestmark = pytest.mark.django_db
ECHO = "/api/v1/stock/echo"


def test_a_good_body_comes_through(api):
    answer = api.post(ECHO, {"text": " hi ", "number": 3, "sku": "A-1", "flag": True})
    assert answer.status_code == 200
    assert answer.json() == {"text": "hi", "number": 3, "sku": "A-1", "flag": True}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"number": 3}, "text", "required"),
        ({"text": 5, "number": 3}, "text", "invalid"),
        ({"text": "x", "number": "3"}, "number", "invalid"),
        ({"text": "x", "number": True}, "number", "invalid"),
        ({"text": "x", "number": 3.5}, "number", "invalid"),
        ({"text": "x", "number": 10}, "number", "max_value"),
        ({"text": "x", "number": 3, "flag": 1}, "flag", "invalid"),
        ({"text": "x", "number": 3, "sku": "-a"}, "sku", "sku"),
        ({"text": "x", "number": 3, "sku": "me"}, "sku", "reserved"),
        ({"text": "x", "number": 3, "more": 1}, "more", "unknown"),
        ({"text": "a\u0007b", "number": 3}, "text", "control"),
    ],
)
def test_bad_input_is_named_field_by_field(api, body, field, code):
    answer = api.post(ECHO, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]
    assert all(e["detail"] for e in problem["errors"])


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"",
        b'{"text": "a", "text": "b"}',
        b"[" * 2000 + b"]" * 2000,
        b'{"text": "a\\u0000b"}',
        b'{"text": "\\ud800"}',
        b'{"number": 123456789012345678901234567890}',
        b'{"number": NaN}',
        b'{"number": 1e999}',
        b'{"text": "\xff"}',
        b'{"number": ' + b"9" * 5000 + b"}",
        b"[1]",
        b'"x"',
    ],
)
def test_what_cannot_be_json_for_us_is_400(api, raw):
    answer = api.post(ECHO, raw)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_another_content_type_is_415(api):
    answer = api._client.post(ECHO, "a=b", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_method_that_is_not_there_is_405_and_says_which_are(api):
    answer = api.patch(ECHO, {})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer["Allow"]


def test_a_refusal_of_the_domain_becomes_a_problem(api):
    answer = api.put(ECHO)
    assert answer.status_code == 409
    assert answer["Retry-After"] == "7"
    problem = answer.json()
    assert problem.pop("request_id") == answer["X-Request-ID"]
    assert problem == {
        "type": "urn:comptoir:problem:full",
        "title": "It is full",
        "status": 409,
        "detail": "No room for more.",
        "code": "full",
        "room": 0,
    }


def test_a_refusal_with_401_says_how_to_sign_in(api):
    answer = api.request("OPTIONS", ECHO)
    assert (answer.status_code, answer.json()["code"]) == (401, "who_are_you")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_fault_of_ours_tells_nothing_of_itself(api):
    answer = api.delete(ECHO)
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert b"secret" not in answer.content


def test_an_unknown_address_is_a_problem_too(api):
    answer = api.get("/api/v1/stock/nowhere/at/all")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_an_unknown_host_is_a_problem_too(api):
    answer = api._client.get(ECHO, headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_database_that_does_not_answer_is_503(api, monkeypatch):
    from django.db import OperationalError

    from tests import urls

    def down(*args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(urls.Echo, "get", down)
    answer = api.get(ECHO)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer["Retry-After"] == "2"


def test_problems_are_counted_by_code(api):
    from chassis.problems import PROBLEMS

    def counts():
        return [PROBLEMS.labels(code)._value.get() for code in ("full", "invalid", "server_error")]

    before = counts()
    api.put(ECHO), api.post(ECHO, {}), api.delete(ECHO), api.get(ECHO)
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1, 1]
