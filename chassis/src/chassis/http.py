"""Calls between services: pooled connections, time-outs, the caller's deadline, one layer of retries, a breaker.

Retries have full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter) and a
budget of a tenth of the calls, so that they cannot multiply the load on something that is down already.
"""

import random
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import orjson
from prometheus_client import Counter, Gauge

from chassis import deadline, queueing, request_id, tokens, traces, wire
from chassis.breaker import Breaker, RetryBudget
from chassis.errors import Unavailable
from chassis.wire import Address, Exchange, NeverSent, NoAnswer

CALLS = Counter("service_calls_total", "Calls to other services by outcome.", ["target", "outcome"])
RETRIES = Counter("service_call_retries_total", "Attempts after the first one of a call.", ["target"])
BREAKER = Gauge(
    "service_breaker_open",
    "1 while calls to this address are kept back.",
    ["target", "address"],
    multiprocess_mode="livemax",
)
_PASSING = frozenset({500, 502, 503, 504})
_SAFE_TO_REPEAT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class DependencyUnavailable(Unavailable):
    """Another service did not answer. ``reached`` is False where the request surely never arrived."""

    code, title = "dependency_unavailable", "A part of the shop is unavailable"

    def __init__(self, target: str, *, reached: bool) -> None:
        super().__init__(f"The {target} service does not answer. Please try again.")
        self.reached = reached


@dataclass(frozen=True)
class Answer:
    """What another service said: its status and JSON body. Anything but a passing fault comes back as an answer."""

    status: int
    body: Any
    once: bool = False
    """The request was surely sent once, and this is its answer: nothing of it is under way any more."""

    @property
    def ok(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The code of a problem document, empty where there is none."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class ServiceClient:
    """A client of one service, at one or more addresses; a call goes to another address when one fails.

    It goes where the fewest calls of ours are under way, as nginx's least_conn has it, and of several such addresses
    always to the same one, for its caches are warm.
    """

    def __init__(
        self,
        target: str,
        urls: Sequence[str],
        *,
        attempts: int = 3,
        connect: float = 0.5,
        read: float = 5.0,
        token: Callable[[str], str] = tokens.service_token,
    ) -> None:
        self.target, self._token = target, token
        self._attempts, self._connect, self._read = attempts, connect, read
        self._budget = RetryBudget()
        # Shuffled: not every process likes the same one best.
        self._hosts = [_Host(target, url) for url in random.sample(urls, len(urls))]
        self._retries = RETRIES.labels(target)
        self._calls = {outcome: CALLS.labels(target, outcome) for outcome in ("ok", "refused", "failed", "open")}

    def call(self, method: str, path: str, *, body: Any = None, repeatable: bool | None = None) -> Answer:
        """Makes the call. Raises ``DependencyUnavailable`` when no attempt within the deadline brought an answer.

        ``repeatable`` says that sending the request twice does no harm; GET, PUT and DELETE are unless told otherwise.
        """
        return together(self.asking(method, path, body=body, repeatable=repeatable))[0]

    def asking(self, method: str, path: str, *, body: Any = None, repeatable: bool | None = None) -> "Asking":
        """The same call, for ``together``."""
        again = method in _SAFE_TO_REPEAT if repeatable is None else repeatable
        self._budget.earn()
        failed, reached, outcome = list[_Host](), False, "failed"
        for attempt in range(self._attempts):
            if (left := deadline.remaining(self._read)) <= 0:
                break
            host = self._host(failed)
            if host is None:
                outcome = "open"
                break
            host.calls.append(path)
            try:
                answer = yield from self._send(host, method, path, body, left, again)
            except (NeverSent, NoAnswer) as failure:
                host.breaker.failed()
                failed.append(host)
                reached = reached or isinstance(failure, NoAnswer)
                if reached and not again:
                    break
            else:
                host.breaker.succeeded()
                self._calls["ok" if answer.ok else "refused"].inc()
                return replace(answer, once=False) if failed else answer
            finally:
                host.calls.pop()
            if attempt + 1 == self._attempts or not self._pause(attempt):
                break
        self._calls[outcome].inc()
        raise DependencyUnavailable(self.target, reached=reached)

    def _host(self, failed: Sequence["_Host"]) -> "_Host | None":
        """The best address whose breaker lets calls through, None where none does; those that failed come last.

        One that is to be tried again comes first, or nobody would notice that it is well while the others are.
        """
        best = sorted(self._hosts, key=lambda host: (failed.count(host), not host.breaker.is_to_be_tried, host.load))
        return next((host for host in best if host.breaker.allows()), None)

    def _pause(self, attempt: int) -> bool:
        """Waits before the next attempt; False where the deadline or the budget leaves no room for one."""
        wait = random.uniform(0, 0.05 * 2**attempt)  # noqa: S311
        if deadline.remaining(self._read) <= wait or not self._budget.spend():
            return False
        self._retries.inc()
        time.sleep(wait)
        return True

    def _send(self, host: "_Host", method: str, path: str, body: Any, left: float, again: bool) -> "Asking":
        headers = self._headers(left, has_body=body is not None)
        span = traces.begin(method, host.address.url, headers)
        exchange = Exchange(
            host.address,
            method,
            host.base + path,
            headers=headers,
            body=None if body is None else orjson.dumps(body),
            connect=min(self._connect, left),
            limit=left,
            repeatable=again,
        )
        yield exchange
        if span:
            span.end()
        status, answer = exchange.result()
        if status in _PASSING:
            raise NoAnswer(f"{status}")
        try:
            return Answer(status, orjson.loads(answer) if answer else None, once=exchange.once)
        except orjson.JSONDecodeError:
            raise NoAnswer("not JSON") from None

    def _headers(self, left: float, *, has_body: bool) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._token(self.target)}",
            deadline.HEADER: str(int(left * 1000)),
            **request_id.carried(),
            queueing.HEADER: f"t={time.time():.3f}",
        }
        return headers | {"Content-Type": "application/json"} if has_body else headers


Asking = Generator[Exchange, None, Answer]
"""A call on its way: it yields each exchange that is to be done, and returns the answer."""


def together(*calls: Asking) -> list[Answer]:
    """Makes calls at the same time, in this thread. Raises the first ``DependencyUnavailable``."""
    answers: dict[Asking, Answer] = {}
    while True:
        exchanges = []
        for call in calls:
            if call not in answers:
                try:
                    exchanges.append(next(call))
                except StopIteration as done:
                    answers[call] = done.value
        if not exchanges:
            return [answers[call] for call in calls]
        wire.perform(exchanges)


class _Host:
    """One address and its breaker."""

    def __init__(self, target: str, url: str) -> None:
        parts = urlsplit(url)
        self.base, self.address = parts.path.rstrip("/"), Address(f"{parts.scheme}://{parts.netloc}")
        gauge = BREAKER.labels(target, parts.netloc)
        gauge.set(0)
        self.breaker = Breaker(tell=lambda opened: gauge.set(int(opened)))
        self.calls = list[str]()
        """As long as calls are under way. Threads append and pop without a lock: each is one step."""

    @property
    def load(self) -> int:
        """Calls under way; what failed just now counts as if it still were, so that others are asked first."""
        return len(self.calls) + self.breaker.failures
