"""A client as somebody else would write it: it knows the contract and looks at every answer with suspicion."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

API = "/api/v1"
PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}
_NOTHING = object()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The JSON document."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's word for itself."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        return str(self.data["code"])

    def ok(self, status: int = 200) -> Any:
        """The document of a success; anything else fails the test with what came."""
        assert self.status == status, self
        return self.data if self.body else None

    def refused(self, status: int, code: str, *fields: str) -> Any:
        """The problem document, which must be this one and name these fields and no others."""
        assert (self.status, self.code) == (status, code), self
        assert {error["field"] for error in self.data.get("errors", [])} == set(fields), self
        return self.data


class Client:
    """Talks to the gateway. ``token`` gives the access token of who is signed in, None is a guest.

    ``address`` is one of this machine's that it comes from.
    """

    def __init__(self, url: str, token: Callable[[], str] | None = None, *, address: str = "") -> None:
        self.url = url
        self._token = token
        come_from: dict[str, Any] = {"source_address": (address, 0)} if address else {}
        limit = urllib3.Timeout(connect=10, read=60)
        self._pool = urllib3.PoolManager(maxsize=100, retries=False, timeout=limit, **come_from)

    def get(self, path: str, **options: Any) -> Answer:
        """Reads below /api/v1."""
        return self.send("GET", API + path, **options)

    def post(self, path: str, data: Any = _NOTHING, **options: Any) -> Answer:
        """Posts a JSON document, or nothing."""
        return self.send("POST", API + path, data, **options)

    def put(self, path: str, data: Any = _NOTHING, **options: Any) -> Answer:
        """Puts a JSON document."""
        return self.send("PUT", API + path, data, **options)

    def patch(self, path: str, data: Any = _NOTHING, **options: Any) -> Answer:
        """Patches with a JSON document."""
        return self.send("PATCH", API + path, data, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """Deletes."""
        return self.send("DELETE", API + path, **options)

    def send(
        self,
        method: str,
        path: str,
        data: Any = _NOTHING,
        *,
        body: bytes | None = None,
        fields: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Any request; ``path`` may be an absolute URL that the shop gave. ``fields`` are those of a multipart form."""
        sent = {"Authorization": f"Bearer {self._token()}"} if self._token else {}
        if data is not _NOTHING:
            body = json.dumps(data).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        url = path if path.startswith("http") else self.url + path
        options: dict[str, Any] = {"fields": fields} if fields else {"body": body}
        came = self._pool.request(method, url, headers=sent, redirect=False, **options)
        answer = Answer(came.status, came.headers, came.data)
        _suspect(answer, method, url.removeprefix(self.url), sent)
        return answer


def _suspect(answer: Answer, method: str, path: str, sent: Mapping[str, str]) -> None:
    """What holds for every answer of this shop."""
    what = f"{method} {path} -> {answer}"
    assert answer.status < 500 or answer.status == 503, what
    assert answer.headers.get("X-Request-ID"), what
    assert sent.get("X-Request-ID", answer.headers["X-Request-ID"]) == answer.headers["X-Request-ID"], what
    if not path.startswith("/api/"):
        return
    if answer.status in (204, 304) or method == "HEAD":
        assert answer.body == b"", what
    elif path.endswith("/me/export") and answer.status == 200:
        assert answer.headers["Content-Type"] == "application/zip", what
    elif answer.status < 400:
        assert answer.headers["Content-Type"] in ("application/json", "application/vnd.oai.openapi+json"), what
    else:
        _suspect_problem(answer, what)


def _suspect_problem(answer: Answer, what: str) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json", what
    problem = answer.data
    assert set(problem) >= PROBLEM, what
    assert problem["status"] == answer.status, what
    # A replay is the first answer byte for byte, the first request's id included.
    if "Idempotent-Replayed" not in answer.headers:
        assert problem["request_id"] == answer.headers["X-Request-ID"], what
    assert all(isinstance(problem[name], str) and problem[name] for name in PROBLEM - {"status"}), what
    assert all(set(error) == {"field", "detail", "code"} for error in problem.get("errors", [])), what
    if answer.status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), what
    if answer.status in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0, what
