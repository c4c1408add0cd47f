"""HTTP exchanges with other services, over connections that are kept: libcurl, by way of pycurl.

A fifth of the CPU of urllib3, in which a quarter of orders' share of a checkout went (docs/performance.md).
https://curl.se/libcurl/c/curl_easy_setopt.html and https://curl.se/libcurl/c/curl_multi_socket_action.html
"""

import ssl
from collections.abc import Mapping, Sequence
from io import BytesIO
from select import POLLIN, POLLOUT, poll
from typing import Any

import pycurl

_IDLE_SECONDS = 60
"""Shorter than a server keeps an idle connection (chassis.gunicorn): who sends must be the one who closes."""
_SETTINGS = {
    pycurl.NOSIGNAL: 1,  # a time-out by signal would be for the main thread
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    pycurl.PROXY: "",  # whatever http_proxy says
    pycurl.MAXAGE_CONN: _IDLE_SECONDS,
    pycurl.DNS_CACHE_TIMEOUT: 1,  # a container that is started anew has another address
}
# What libcurl would add by itself: each header costs the other side some microseconds.
_NOTHING_ADDED = ["User-Agent:", "Accept:", "Expect:"]


class NeverSent(Exception):
    """No connection was had: the request surely did not arrive."""


class NoAnswer(Exception):
    """The request may have arrived; no answer came back."""


class Address:
    """``scheme://host:port`` of a service, and what was made for calls to it: used by one exchange at a time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._free: dict[bool, list[pycurl.Curl]] = {True: [], False: []}

    def take(self, repeatable: bool) -> pycurl.Curl:
        """A handle: the one used last, whose connection is the least likely to be gone, or a new one."""
        try:
            return self._free[repeatable].pop()
        except IndexError:
            handle = pycurl.Curl()
        for option, value in _SETTINGS.items():
            handle.setopt(option, value)
        if self.url.startswith("https:"):
            handle.setopt(pycurl.CAINFO, _certificates())
        return handle

    def give_back(self, handle: pycurl.Curl, repeatable: bool) -> None:
        """The handle is free again."""
        self._free[repeatable].append(handle)


class Exchange:
    """A request and its answer. ``connect`` and ``limit``: seconds until there is a connection, and for all of it.

    A ``repeatable`` request is sent again, on a new connection, where a kept one ends without an answer: it may have
    been closed before. Any other is sent once.
    """

    def __init__(
        self,
        address: Address,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        connect: float,
        limit: float,
        repeatable: bool,
    ) -> None:
        self._address, self._repeatable = address, repeatable
        self.once = False
        """Answered over a connection that was there before: libcurl did not send it a second time."""
        self._outcome: tuple[int, bytes] | NeverSent | NoAnswer = NeverSent()
        self.handle = handle = address.take(repeatable)
        lines = _NOTHING_ADDED + [f"{name}: {value}" for name, value in headers.items()]
        handle.setopt(pycurl.URL, address.url + path)
        if body is None and method in ("GET", "DELETE"):
            handle.setopt(pycurl.HTTPGET, 1)
        else:
            self._give(body or b"")  # without one: Content-Length: 0
            if body is None:
                lines.append("Content-Type:")
        handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.setopt(pycurl.HTTPHEADER, lines)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect * 1000)))
        handle.setopt(pycurl.TIMEOUT_MS, max(1, int(limit * 1000)))
        # Where there is nothing to read twice: a connection that cannot have ended already.
        handle.setopt(pycurl.FRESH_CONNECT, int(not repeatable and not body))

    def _give(self, body: bytes) -> None:
        """The body. libcurl cannot send again what it can read only once."""
        if self._repeatable:
            self.handle.setopt(pycurl.POSTFIELDS, body)
        else:
            self.handle.setopt(pycurl.POST, 1)
            self.handle.setopt(pycurl.POSTFIELDSIZE, len(body))
            self.handle.setopt(pycurl.READFUNCTION, BytesIO(body).read)

    def perform(self) -> None:
        """Does it."""
        try:
            answer = self.handle.perform_rb()
        except pycurl.error as failure:
            self.failed(failure.args[-1])
        else:
            self.answered(answer)

    def answered(self, answer: bytes) -> None:
        """It is done."""
        self._outcome = int(self.handle.getinfo(pycurl.RESPONSE_CODE)), answer
        self.once = not self.handle.getinfo(pycurl.NUM_CONNECTS)
        self._address.give_back(self.handle, self._repeatable)

    def failed(self, why: str) -> None:
        """It came to nothing."""
        self._outcome = (NoAnswer if self.handle.getinfo(pycurl.REQUEST_SIZE) else NeverSent)(why)
        self.handle.close()

    def result(self) -> tuple[int, bytes]:
        """Status and body. Raises ``NeverSent`` or ``NoAnswer``."""
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


def perform(exchanges: Sequence[Exchange]) -> None:
    """Does all of them at the same time, in this thread."""
    if len(exchanges) == 1:
        return exchanges[0].perform()
    try:
        several = _several.pop()
    except IndexError:
        several = _Several()
    several.perform(exchanges)
    _several.append(several)


class _Several:
    """Several exchanges at once; the connections stay here."""

    def __init__(self) -> None:
        self._multi, self._poll = pycurl.CurlMulti(), poll()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)

    def perform(self, exchanges: Sequence[Exchange]) -> None:
        """Does them."""
        answers = {exchange.handle: (exchange, BytesIO()) for exchange in exchanges}
        for handle, (_, answer) in answers.items():
            handle.setopt(pycurl.WRITEFUNCTION, answer.write)
            self._multi.add_handle(handle)
        _, running = self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        while running:
            ready = self._poll.poll(self._multi.timeout())
            for fd, events in ready or [(pycurl.SOCKET_TIMEOUT, 0)]:
                _, running = self._multi.socket_action(fd, _flags(events))
        _, _, failed = self._multi.info_read(len(answers))
        reasons = {handle: why for handle, _, why in failed}
        for handle, (exchange, answer) in answers.items():
            self._multi.remove_handle(handle)
            exchange.failed(reasons[handle]) if handle in reasons else exchange.answered(answer.getvalue())

    def _watch(self, what: int, fd: int, multi: Any, data: Any) -> None:
        if what == pycurl.POLL_REMOVE:
            self._poll.unregister(fd)
        else:
            self._poll.register(fd, (what & pycurl.POLL_IN and POLLIN) | (what & pycurl.POLL_OUT and POLLOUT))


_several: list[_Several] = []


def _flags(events: int) -> int:
    readable = pycurl.CSELECT_IN if events & ~POLLOUT else 0  # an end or an error is there to be read
    return readable | (pycurl.CSELECT_OUT if events & POLLOUT else 0)


def _certificates() -> Any:
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.openssl_cafile
