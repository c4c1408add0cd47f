"""How gunicorn answers here: in one piece, without an access log of its own, and with problem documents.

gunicorn writes headers and body one after the other, and an instance that is killed or frozen between the two has
promised the gateway an answer that never comes, when it is too late to ask another instance.
"""

import socket
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time
from typing import Any

import orjson
from gunicorn import glogging, util  # type: ignore[import-untyped]
from gunicorn.http import errors, wsgi  # type: ignore[import-untyped]
from structlog.contextvars import bind_contextvars, clear_contextvars

_REFUSED = {
    errors.LimitRequestLine: (414, "uri_too_long", "The request line is longer than 8 kB."),
    errors.LimitRequestHeaders: (431, "headers_too_large", "There are too many headers, or one is too long."),
    errors.UnsupportedTransferCoding: (501, "not_implemented", "Send Content-Length, or chunked."),
    errors.ExpectationFailed: (417, "expectation_failed", "Only 100-continue may be expected."),
}
_OF_THE_APPLICATION = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)
_MALFORMED = 400, "malformed_request", "The request is not valid HTTP."
_FAILED = 500, "server_error", "The service failed to answer."


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(formatdate(second, usegmt=True))


# The Date of an answer changes once a second.
util.http_date = lambda timestamp=None: _date(int(time() if timestamp is None else timestamp))


class Response(wsgi.Response):
    """Keeps the headers until the first part of the body goes, or until it is clear that there is none."""

    _head, _ready = b"", False

    def send_headers(self) -> None:
        """Has them ready."""
        if not self._ready:
            lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers)]
            self._head = util.to_bytestring("".join(lines) + "\r\n", "latin-1")
            self._ready = self.headers_sent = True

    def _emit_body(self, data: bytes) -> None:
        if self.chunked:
            self._send_head()
            super()._emit_body(data)
        else:
            head, self._head = self._head, b""
            util.write(self.sock, head + data)

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            util.write(self.sock, head)

    def write_file(self, respiter: Any) -> None:
        """A file is sent by the kernel, past all this."""
        self.send_headers()
        self._send_head()
        super().write_file(respiter)

    def close(self) -> None:
        """The answer is complete."""
        self.send_headers()
        self._send_head()
        super().close()


wsgi.Response = Response


class Logger(glogging.Logger):
    """gunicorn's own, without a line a request: that is chassis.request_id's."""

    def access(self, *told: Any) -> None:
        """Else the line would be put together for nobody."""


def refuse(connection: socket.socket, error: Exception, log: glogging.Logger) -> None:
    """Answers a request that could not be read, or for which the application failed past all its own handlers.

    gunicorn would answer in HTML, and repeat what was sent there and in its log: there may be a token in it.
    """
    from chassis import problems, request_id  # they need Django's settings, which the master does not have

    clear_contextvars()  # of this thread's last request
    bind_contextvars(request_id=request_id.sane_or_new(None))
    known = isinstance(error, errors.ParseException) and not isinstance(error, _OF_THE_APPLICATION)
    status, code, detail = _REFUSED.get(type(error), _MALFORMED) if known else _FAILED
    if known:
        log.warning("refused a request: %s", type(error).__name__)
    else:
        log.exception("a request failed")
    body = orjson.dumps(problems.document(status=status, code=code, detail=detail))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {problems.MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with suppress(OSError):  # the client has gone
        util.write_nonblock(connection, head.encode() + body)
