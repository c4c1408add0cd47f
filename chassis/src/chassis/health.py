"""``/livez``: this process answers. ``/readyz``: it can do its work, so its database answers too."""

import time

import orjson
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from chassis import problems

_CHECK_SECONDS = 1.0
_last: tuple[float, bool] = (float("-inf"), False)


def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all."""
    return HttpResponse(orjson.dumps({"status": "ok"}), content_type="application/json")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, else a 503 problem. The database is asked at most once a second."""
    global _last
    checked, ready = _last
    if time.monotonic() - checked > _CHECK_SECONDS:
        ready = _database_answers()
        _last = (time.monotonic(), ready)
    if ready:
        return HttpResponse(orjson.dumps({"status": "ready"}), content_type="application/json")
    return problems.response(status=503, code="database_unavailable", detail="The database does not answer.")


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return False
    return True
