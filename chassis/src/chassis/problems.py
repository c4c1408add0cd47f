"""Every error as ``application/problem+json`` (RFC 9457), from Django REST framework, the domain, and Django itself."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from drf_standardized_errors.formatter import flatten_errors
from drf_standardized_errors.handler import ExceptionHandler
from prometheus_client import Counter
from rest_framework import exceptions
from rest_framework.response import Response

from chassis import request_id
from chassis.errors import CHALLENGE, DomainError, Unavailable

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("problems")
PROBLEMS = Counter("problems_total", "Problem documents that views answered with, by code.", ["code"])
# These start at 0, so that a panel has a series before the first event.
for _code in (
    *("invalid", "malformed_request", "not_authenticated", "permission_denied", "not_found"),
    *("database_unavailable", "dependency_unavailable", "server_error"),
):
    PROBLEMS.labels(_code)
_CODES = {"parse_error": "malformed_request", "error": "server_error"}


class DatabaseUnavailable(Unavailable):
    """The service's database does not answer, or not in time."""

    code, title = "database_unavailable", "The database is unavailable"


def document(*, status: int, code: str, detail: str, title: str = "", **extra: Any) -> dict[str, Any]:
    """A problem document: ``type, title, status, detail, code, request_id`` and what else is to be said."""
    return {
        "type": f"urn:comptoir:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id.current(),
        **extra,
    }


def from_domain(error: DomainError) -> dict[str, Any]:
    """The problem document of a refusal."""
    extra = dict(error.extra) | ({"errors": error.errors} if error.errors else {})
    return document(status=error.status, code=error.code, title=error.title, detail=error.detail, **extra)


def headers_of(error: DomainError) -> dict[str, str]:
    """The headers that go with a refusal: ``Retry-After`` in seconds where it has one, the challenge of a 401."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return headers | ({"WWW-Authenticate": CHALLENGE} if error.status == 401 else {})


def from_api_exception(error: exceptions.APIException) -> dict[str, Any]:
    """The problem document of an exception of Django REST framework; bad input is named field by field."""
    if isinstance(error, exceptions.ValidationError):
        errors = [
            {"field": _field(found.attr), "detail": found.detail, "code": found.code}
            for found in flatten_errors(error.detail)
        ]
        detail = "; ".join(f"{e['field']}: {e['detail']}" if e["field"] else e["detail"] for e in errors[:5])
        return document(status=400, code="invalid", title="The input is not valid", detail=detail, errors=errors)
    code = str(getattr(error.detail, "code", "") or error.default_code)
    return document(status=error.status_code, code=_CODES.get(code, code), detail=str(error.detail))


def _field(attr: str | None) -> str:
    """The path of a field; what concerns a whole object is said of the object."""
    return (attr or "").removesuffix("non_field_errors").rstrip(".")


class ProblemHandler(ExceptionHandler):
    """drf-standardized-errors' handler, speaking problem+json and knowing the domain's refusals."""

    def run(self) -> Response:
        """The response of whatever was raised in a view, counted."""
        response = self._response()
        PROBLEMS.labels(response.data["code"]).inc()
        return response

    def _response(self) -> Response:
        refusal = self._refusal()
        if refusal is None:
            response = super().run()
            assert response is not None  # DEBUG never lets an exception through: see the setting in chassis.settings
            return response
        self.set_rollback()
        return Response(
            from_domain(refusal), status=refusal.status, headers=headers_of(refusal), content_type=MEDIA_TYPE
        )

    def _refusal(self) -> DomainError | None:
        if isinstance(self.exc, (OperationalError, InterfaceError)):
            _log.warning("database_unavailable", error=str(self.exc).strip())
            return DatabaseUnavailable("The database did not answer in time. Please try again.")
        return self.exc if isinstance(self.exc, DomainError) else None

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """What Django calls suspicious (a crafted header, a multipart bomb) is the client's mistake, not ours."""
        if isinstance(exc, SuspiciousOperation):
            return exceptions.ParseError("The request could not be understood.")
        return super().convert_known_exceptions(exc)

    def format_exception(self, exc: exceptions.APIException) -> dict[str, Any]:
        """The problem document in place of the library's own format."""
        return from_api_exception(exc)

    def get_response(self, exc: exceptions.APIException, data: Mapping[str, Any]) -> Response:
        """The response with the media type of problem documents."""
        return Response(data, status=exc.status_code, headers=self.get_headers(exc), content_type=MEDIA_TYPE)


def response(*, status: int, code: str, detail: str) -> HttpResponse:
    """A problem document as a plain Django response, for where no REST framework view is reached."""
    body = orjson.dumps(document(status=status, code=code, detail=detail))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's ``handler400``."""
    return response(status=400, code="malformed_request", detail="The request could not be understood.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's ``handler403``."""
    return response(status=403, code="permission_denied", detail="This is not allowed.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's ``handler404``."""
    return response(status=404, code="not_found", detail="There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``."""
    return response(status=500, code="server_error", detail="Something went wrong on our side; it has been logged.")
