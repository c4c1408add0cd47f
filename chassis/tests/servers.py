"""Real HTTP servers on loopback, whose answers a test writes down beforehand."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import orjson


@dataclass
class Server:
    """What it was asked, and what it answers: each of ``script`` once, then the last one again and again.

    An answer is a status, a status and a body, or a function that gets the handler (and may hang, or hang up).
    """

    url: str = ""
    script: list[Any] = field(default_factory=lambda: [200])
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def next(self) -> Any:
        """What is to be answered now."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class ManyAtOnce(ThreadingHTTPServer):
    """Takes more than five connections at a time, and keeps no test waiting at its end."""

    request_queue_size = 128
    daemon_threads = True


@contextmanager
def running(*script: Any, port: int = 0) -> Iterator[Server]:
    """A server that answers so."""
    state = Server(script=list(script) or [200])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # the body does not wait 40 ms until the headers are acknowledged

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append((self.command, self.path, dict(self.headers), body))
            answer = state.next()
            if callable(answer):
                answer(self)
            else:
                reply(self, *(answer if isinstance(answer, tuple) else (answer, {"ok": True})))

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *args: Any) -> None:
            pass

        def setup(self) -> None:
            connections.append(self.request)
            super().setup()

    connections: list[socket.socket] = []
    server = ManyAtOnce(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in connections:  # those that were kept alive would go on being answered
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def reply(handler: BaseHTTPRequestHandler, status: int, body: Any) -> None:
    """Answers; ``body`` is JSON, or bytes to be sent as they are."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Closes the connection without a word, the request being read."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def late(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answers 200, but that much later."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        reply(handler, 200, {"ok": True})

    return answer


def nowhere() -> str:
    """A URL at which nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def free_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Polls until the condition holds and returns what it gave; fails when it does not hold in time."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, "did not come to be in time"
        time.sleep(0.02)
    return found
