import base64
import json

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from chassis.errors import Invalid
from chassis.idempotency.models import IdempotencyRecord
from chassis.pages import page

pytestmark = pytest.mark.django_db
FORGED = [["x", 1], ["2026-13-45", 1], [1, 1], [1.5, 1], ["2026-01-01T00:00:00Z", "x"]]


@pytest.mark.parametrize("values", FORGED)
def test_a_forged_cursor_is_the_clients_mistake(values):
    cursor = base64.urlsafe_b64encode(json.dumps([False, *values]).encode()).decode().rstrip("=")
    request, rows = Request(APIRequestFactory().get("/")), IdempotencyRecord.objects.all()
    with pytest.raises(Invalid) as refusal:
        page(request, rows, keys=["created", "id"], limit=2, cursor=cursor, render=list)
    assert refusal.value.errors == [
        {"field": "cursor", "detail": "This cursor is not one of ours. Start again without one.", "code": "invalid"}
    ]
