"""A small WSGI application, to see what a reload of a real gunicorn loses."""

import time
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Reads the body, works for 5 ms, answers."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    time.sleep(0.005)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body) + 2))])
    return [b'"' + body + b'"']
