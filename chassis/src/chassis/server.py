"""How gunicorn answers here: in one piece, and without an access log of its own.

gunicorn writes headers and body one after the other, and an instance that is killed or frozen between the two has
promised the gateway an answer that never comes, when it is too late to ask another instance.
"""

from typing import Any

from gunicorn import glogging, util  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]


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
