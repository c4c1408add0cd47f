import pytest
from rest_framework.exceptions import ValidationError

from chassis.fields import Country

pytestmark = pytest.mark.django_db


def test_a_body_of_null_is_400_and_no_server_error(api):
    answer = api.post("/api/v1/stock/echo", b"null")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["code"] == "null"


def test_a_country_is_one_that_exists():
    for code in ("GB", "DE", "HK"):
        assert Country().run_validation(code) == code
    for bad in ("XX", "gb", "GBR", "", 44, None):
        with pytest.raises(ValidationError):
            Country().run_validation(bad)
