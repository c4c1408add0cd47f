"""One HTTP exchange with another service, over connections that are kept: libcurl, by way of pycurl.

A fifth of the CPU of urllib3 (a quarter of what a checkout cost orders went into that; docs/performance.md).
https://curl.se/libcurl/c/curl_easy_setopt.html
"""

import ssl
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pycurl

_IDLE_SECONDS = 60
"""Shorter than a server keeps an idle connection (chassis.gunicorn): the side that sends must be the one that closes."""
_SETTINGS = {
    pycurl.NOSIGNAL: 1,  # a time-out by signal would be for the main thread
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    pycurl.PROXY: "",  # whatever http_proxy says
    pycurl.USERAGENT: "comptoir",
    pycurl.MAXAGE_CONN: _IDLE_SECONDS,
    pycurl.DNS_CACHE_TIMEOUT: 1,  # a container that is started anew has another address
}
# What libcurl would add to a body by itself.
_NOTHING_ADDED = ["Expect:", "Content-Type:"]


class NeverSent(Exception):
    """No connection was had: the request surely did not arrive."""


class NoAnswer(Exception):
    """The request may have arrived; no answer came back."""


class Address:
    """``scheme://host:port`` of a service, and the connections to it: each is used by one call at a time."""

    def __init__(self, url: str) -> None:
        self._url, self._free = url, {True: list[pycurl.Curl](), False: list[pycurl.Curl]()}

    def exchange(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        connect: float,
        limit: float,
        repeatable: bool,
    ) -> tuple[int, bytes]:
        """Status and body of the answer. Raises ``NeverSent`` or ``NoAnswer``.

        ``connect`` and ``limit``: seconds until there is a connection, and for all of it. A ``repeatable`` request is
        sent again, on a new connection, where a kept one ends without an answer: it may have been closed before.
        """
        try:
            handle = self._free[repeatable].pop()  # the one used last, whose connection is the least likely to be gone
        except IndexError:
            handle = self._new()
        lines = [f"{name}: {value}" for name, value in headers.items()]
        handle.setopt(pycurl.URL, self._url + path)
        if body is None and method in ("GET", "DELETE"):
            handle.setopt(pycurl.HTTPGET, 1)
        else:
            _give(handle, body or b"", repeatable)  # without one: Content-Length: 0
            lines += _NOTHING_ADDED if body is None else _NOTHING_ADDED[:1]
        handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.setopt(pycurl.HTTPHEADER, lines)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect * 1000)))
        handle.setopt(pycurl.TIMEOUT_MS, max(1, int(limit * 1000)))
        # Nothing to read twice: then a connection that cannot have ended already.
        handle.setopt(pycurl.FRESH_CONNECT, int(not repeatable and not body))
        try:
            answer = handle.perform_rb()
            status = int(handle.getinfo(pycurl.RESPONSE_CODE))
        except pycurl.error as failure:
            begun = handle.getinfo(pycurl.REQUEST_SIZE) > 0
            handle.close()
            raise (NoAnswer if begun else NeverSent)(failure.args[-1]) from None
        self._free[repeatable].append(handle)
        return status, answer

    def _new(self) -> pycurl.Curl:
        handle = pycurl.Curl()
        for option, value in _SETTINGS.items():
            handle.setopt(option, value)
        if self._url.startswith("https:"):
            handle.setopt(pycurl.CAINFO, _certificates())
        return handle


def _give(handle: pycurl.Curl, body: bytes, repeatable: bool) -> None:
    """The body of the next request. libcurl cannot send again what it can read only once."""
    if repeatable:
        handle.setopt(pycurl.POSTFIELDS, body)
    else:
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.POSTFIELDSIZE, len(body))
        handle.setopt(pycurl.READFUNCTION, BytesIO(body).read)


def _certificates() -> Any:
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.openssl_cafile
