"""A WSGI application that takes 20 ms for everything and says so to caches: for bench/overload.py."""

import time
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """20 ms, then a small document."""
    time.sleep(0.02)
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", "2"), ("Cache-Control", "no-store")]
    )
    return [b"{}"]
