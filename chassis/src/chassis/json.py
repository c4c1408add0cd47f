"""Strict JSON in, fast JSON out.

What a plain parser lets through and a database or a programmer chokes on is refused here, once: nesting beyond
``MAX_DEPTH``, NUL characters, lone surrogates, integers outside ±2**53, duplicate keys, NaN
(RFC 8259, and RFC 7493: I-JSON).
"""

import json
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.http import HttpResponse
from drf_orjson_renderer.renderers import ORJSONRenderer
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1


def loads(raw: bytes) -> Any:
    """The value of a JSON text. Raises ``ValueError`` with a reason that can be shown to the client."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"The body is not JSON: {error}.") from None
    _check(value, MAX_DEPTH)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("The JSON holds the same key twice in one object.")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON.")


def _check(value: Any, depth: int) -> None:
    if depth < 0:
        raise ValueError(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        for key, inner in value.items():
            check_text(key)
            _check(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth - 1)
    elif isinstance(value, str):
        check_text(value)
    elif isinstance(value, (int, float)) and abs(value) > MAX_INTEGER:
        raise ValueError("The JSON holds a number beyond 2**53.")


def check_text(value: str) -> None:
    """Raises ``ValueError`` for text that PostgreSQL or UTF-8 cannot hold."""
    if "\0" in value:
        raise ValueError("Text must not hold NUL characters.")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("Text must not hold lone surrogates.")


class StrictJSONParser(BaseParser):
    """The only parser of JSON bodies; see the module."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body's value; anything unacceptable is a ``ParseError`` (400)."""
        try:
            return loads(stream.read())
        except ValueError as error:
            raise ParseError(str(error)) from None


class AlwaysJSON(BaseContentNegotiation):
    """Answers are JSON whatever ``Accept`` says, which RFC 9110 section 12.4.1 allows and strangers expect."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        """The parser for the body's content type; None is 415."""
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        return renderers[0], renderers[0].media_type or "application/json"


class JSONRenderer(ORJSONRenderer):
    """orjson; the response's own media type wins, which is how problem documents get theirs."""


class Response(HttpResponse):
    """An answer in JSON. The framework's own is rendered later, by whom was chosen: here there is nothing to choose."""

    def __init__(self, data: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        body = b"" if data is None else orjson.dumps(data, default=JSONRenderer.default, option=JSONRenderer.options)
        super().__init__(body, status=status, headers=headers, content_type="application/json" if body else None)
        if not body:
            del self["Content-Type"]
