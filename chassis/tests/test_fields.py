import pytest

pytestmark = pytest.mark.django_db


def test_a_body_of_null_is_400_and_no_server_error(api):
    answer = api.post("/api/v1/stock/echo", b"null")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["code"] == "null"
