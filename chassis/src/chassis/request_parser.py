"""How gunicorn reads requests here: a plain head, as the gateway and libcurl write it, with two regular expressions.

gunicorn looks at each line by itself, in Python, for all that a client can do to a server, and that is a third of what
it costs a request. What reaches an instance has passed nginx or was written by a neighbour. So the plainest kind of
head, which leaves nothing to decide, is told by one expression that it has to match as a whole; every other one goes to
gunicorn's own parser, which reads, refuses and limits as ever. Both read the same: tests/test_request_parser.py.
"""

import re
from typing import Any

from gunicorn.http import message, parser  # type: ignore[import-untyped]

# https://www.rfc-editor.org/rfc/rfc9112#section-2.1, and of it: a path (origin-form), names of letters, digits and
# hyphens, values of printable ASCII. Not `//`, which is no path to urlsplit, and no fragment.
_HEAD = re.compile(
    r"([A-Z]{3,20}) (/(?!/)[!\"$-~]*) HTTP/1\.1\r\n"  # method, target
    r"((?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n"  # fields
)
_FIELD = re.compile(r"([A-Za-z0-9-]+):([ -~]*)\r\n")
# What decides where the request ends, or asks for more than an answer.
_DELICATE = frozenset({"TRANSFER-ENCODING", "EXPECT"})
# More than any body that the gateway lets through (10 MB).
_BODY_BYTES = 16 * 1024**2


class Request(message.Request):
    """A request whose head is read at once where it is plain, and by gunicorn where it is not."""

    path: str
    query: str

    def parse(self, unreader: Any) -> bytes:
        """Reads the head; what was read behind it is returned."""
        data = unreader.read()
        end = data.find(b"\r\n\r\n") + 4
        if end <= self.limit_request_line and self._is_plain(data[:end].decode("latin-1")):
            return bytes(data[end:])
        unreader.unread(data)
        return bytes(super().parse(unreader))

    def _is_plain(self, head: str) -> bool:
        """Takes method, target and fields from the head, unless there is anything to decide about it."""
        if not (told := _HEAD.fullmatch(head)):
            return False
        method, uri, lines = told.groups()
        headers = [(name.upper(), value.strip()) for name, value in _FIELD.findall(lines)]
        values = dict(headers)
        secure, _ = self._peer_trusted_for_forwarded()  # which fields tell the scheme, and by which value
        schemes = secure.keys() & values.keys()
        repeated, too_many = len(values) < len(headers), len(headers) > self.limit_request_fields
        if repeated or too_many or len(schemes) > 1 or _DELICATE & values.keys():
            return False
        for name in schemes:
            self.scheme = "https" if values[name] == secure[name] else "http"
        self.method, self.uri, self.version, self.headers = method, uri, (1, 1), headers
        self.path, _, self.query = uri.partition("?")
        self.fragment = ""
        return True


class Parser(parser.RequestParser):
    """The requests of one connection."""

    mesg_class = Request

    def finish_body(self, deadline: float | None = None, max_bytes: int | None = None) -> bool:
        """Reads what is left of the body; where nothing is, the socket's time-out is not set and set back.

        All of it: gunicorn gives up after 64 kB and hangs up, although it has said that it would not, and the request
        that the gateway writes to this connection in that moment is lost.
        """
        body = self.mesg.body if self.mesg else None
        if body and getattr(body.reader, "length", None) == 0:
            return True
        return bool(super().finish_body(deadline, max_bytes or _BODY_BYTES))
