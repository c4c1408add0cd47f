"""gunicorn as the services run it, for real: answers, health, metrics, one JSON log line a request, reload, end."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
import urllib3

from tests.servers import free_port, until

HTTP = urllib3.PoolManager(retries=False, timeout=5)


@dataclass
class Running:
    """A gunicorn with the chassis' settings and the tests' URLs."""

    process: subprocess.Popen[bytes]
    url: str
    metrics_url: str
    log: Path
    metrics_folder: Path

    def get(self, path, **headers):
        return HTTP.request("GET", self.url + path, headers={"Host": "localhost", **headers})

    def post(self, path, body, **headers):
        sent = {"Host": "localhost", "Content-Type": "application/json", **headers}
        return HTTP.request("POST", self.url + path, body=body, headers=sent)

    def metrics(self):
        return HTTP.request("GET", f"{self.metrics_url}/metrics").data.decode()

    def lines(self):
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines()]

    def line_of(self, request_id):
        return until(lambda: [line for line in self.lines() if line.get("request_id") == request_id])


@contextmanager
def serving(folder, *words, **changes):
    port, metrics_port = free_port(), free_port()
    metrics_folder = folder / "metrics"
    metrics_folder.mkdir()
    (metrics_folder / "counter_1.db").write_bytes(b"left behind by an earlier run, and broken")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "BIND": f"127.0.0.1:{port}",
        "METRICS_BIND": f"127.0.0.1:{metrics_port}",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder),
        "LOG_LEVEL": "INFO",
        "INSTANCE": "stock-7",
        **changes,
    }
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "python:chassis.gunicorn", *words, "tests.wsgi"],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    running = Running(process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}", log, metrics_folder)
    try:
        until(lambda: _answers(running), seconds=30)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)


def connected(running):
    address = urlsplit(running.url)
    return socket.create_connection((address.hostname, address.port), 10)


def _answers(running):
    assert running.process.poll() is None, running.log.read_text()
    try:
        return running.get("/livez").status == 200
    except urllib3.exceptions.HTTPError:
        return False


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("gunicorn")) as running:
        yield running


def test_it_answers_and_is_healthy(gunicorn):
    assert gunicorn.get("/livez").data == b'{"status":"ok"}'
    ready = gunicorn.get("/readyz")
    assert (ready.status, ready.data) == (200, b'{"status":"ready"}')
    assert gunicorn.get("/api/v1/stock/echo").json() == {"ok": True}


def test_each_answer_has_the_date_of_its_second(gunicorn):
    for _ in range(2):
        dated = parsedate_to_datetime(gunicorn.get("/livez").headers["Date"])
        assert abs(datetime.now(UTC) - dated) < timedelta(seconds=2)
        time.sleep(2.5)


def test_without_its_database_it_lives_but_is_not_ready(tmp_path):
    nowhere = f"postgres://nobody@127.0.0.1:{free_port()}/none"
    with serving(tmp_path, DATABASE_URL=nowhere) as lonely:
        assert lonely.get("/livez").status == 200
        for _ in range(2):
            answer = lonely.get("/readyz")
            assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
            assert answer.json()["code"] == "database_unavailable"


def requests_of(metrics, view):
    lines = [
        line for line in metrics.splitlines() if line.startswith("django_http_responses_total_by_status_view_method")
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines if f'view="{view}"' in line)


def test_the_exporter_counts_requests_and_problems(gunicorn):
    view = "tests.urls.Echo"
    before = requests_of(gunicorn.metrics(), view)
    for _ in range(5):
        gunicorn.get("/api/v1/stock/echo")
    HTTP.request("PUT", f"{gunicorn.url}/api/v1/stock/echo", headers={"Host": "localhost"})
    after = gunicorn.metrics()
    assert requests_of(after, view) == before + 6
    assert 'problems_total{code="full"} 1.0' in after
    assert gunicorn.get("/metrics").status == 404, "only on its own port"


def test_what_an_earlier_run_left_behind_is_gone(gunicorn):
    assert not (gunicorn.metrics_folder / "counter_1.db").exists()


def test_a_request_is_one_json_line_with_its_id_and_without_its_query(gunicorn):
    answer = gunicorn.get("/api/v1/stock/echo?access_token=hush", **{"X-Request-ID": "from-a-client"})
    assert (answer.headers["X-Request-ID"], answer.headers["X-Served-By"]) == ("from-a-client", "stock-7")
    (line,) = gunicorn.line_of("from-a-client")
    assert line.pop("ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "service": "stock",
        "instance": "stock-7",
        "event": "request",
        "level": "info",
        "request_id": "from-a-client",
        "method": "GET",
        "route": "api/v1/stock/echo",
        "status": 200,
        "caller": None,
    }
    assert b"hush" not in gunicorn.log.read_bytes()


def test_a_trace_is_in_the_line_and_one_that_makes_no_sense_is_not(gunicorn):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for request_id, sent in (("traced", trace), ("not-traced", "00-x-y-01")):
        gunicorn.get("/api/v1/stock/echo", **{"X-Request-ID": request_id, "traceparent": sent})
    assert [line["traceparent"] for line in gunicorn.line_of("traced")] == [trace]
    assert "traceparent" not in gunicorn.line_of("not-traced")[0]


@pytest.mark.parametrize("forged", ["a b", "x" * 65, "ä", '{"a":1}'])
def test_an_id_that_is_not_sane_is_replaced(gunicorn, forged):
    given = gunicorn.get("/api/v1/stock/echo", **{"X-Request-ID": forged.encode("utf-8").decode("latin-1")})
    found = given.headers["X-Request-ID"]
    assert len(found) == 32
    assert gunicorn.line_of(found)


def test_a_fault_is_one_line_with_its_stack_and_the_request_id(gunicorn):
    HTTP.request(
        "DELETE", f"{gunicorn.url}/api/v1/stock/echo", headers={"Host": "localhost", "X-Request-ID": "fault-1"}
    )
    lines = gunicorn.line_of("fault-1")
    assert [line["event"] for line in lines if line.get("event") == "request"] == ["request"]
    traces = [line for line in lines if "RuntimeError" in line.get("exception", "")]
    assert len(traces) == 1
    assert traces[0]["level"] == "error"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_leaves_in_one_piece(gunicorn, method):
    """An instance that is killed between headers and body would have promised an answer that never comes."""
    address = urllib3.util.parse_url(gunicorn.url)
    with socket.create_connection((address.host, address.port), 5) as connection:
        for _ in range(50):
            connection.sendall(f"{method} /api/v1/stock/echo HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head, body = connection.recv(65536).split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert body == (b'{"ok":true}' if method == "GET" else b"")


def test_a_read_that_nobody_will_wait_for_is_not_worked_on(tmp_path):
    """One thread and reads of 0.1 s: those that stood in the queue for most of their limit are refused, no others."""
    impatient, patient = {"X-Timeout-Ms": "300"}, {"X-Timeout-Ms": "5000"}
    with serving(tmp_path, THREADS="1") as gunicorn, ThreadPoolExecutor(10) as people:
        reads = [people.submit(gunicorn.get, "/api/v1/stock/slow?seconds=0.1", **impatient) for _ in range(8)]
        waits = people.submit(gunicorn.get, "/api/v1/stock/slow?seconds=0.1", **patient)
        time.sleep(0.05)
        write = people.submit(gunicorn.post, "/api/v1/stock/echo", b'{"text": "a", "number": 1}', **impatient)
        answers = [read.result() for read in reads]
        assert 1 <= [answer.status for answer in answers].count(200) <= 4
        refused = [answer for answer in answers if answer.status != 200]
        assert {(answer.status, answer.headers["Retry-After"]) for answer in refused} == {(429, "1")}
        assert orjson.loads(refused[0].data)["code"] == "rate_limited"
        assert orjson.loads(refused[0].data)["request_id"] == refused[0].headers["X-Request-ID"]
        assert (waits.result().status, write.result().status) == (200, 200)


def test_health_is_not_logged(gunicorn):
    gunicorn.get("/livez", **{"X-Request-ID": "a-probe"})
    gunicorn.get("/api/v1/stock/echo", **{"X-Request-ID": "after-the-probe"})
    gunicorn.line_of("after-the-probe")
    assert not [line for line in gunicorn.lines() if line.get("request_id") == "a-probe"]


def workers_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return set(children.split())


def test_a_reload_takes_a_new_worker_and_keeps_the_counters(gunicorn):
    view = "tests.urls.Echo"
    gunicorn.get("/api/v1/stock/echo")
    counted, old = requests_of(gunicorn.metrics(), view), workers_of(gunicorn.process)
    assert len(old) == 1
    gunicorn.process.send_signal(signal.SIGHUP)
    until(lambda: len(now := workers_of(gunicorn.process)) == 1 and now != old, seconds=30)
    assert gunicorn.get("/api/v1/stock/echo").status == 200
    assert requests_of(gunicorn.metrics(), view) == counted + 1


def test_every_line_of_a_whole_life_is_json_and_term_ends_it(tmp_path):
    with serving(tmp_path) as short:
        short.get("/api/v1/stock/nowhere", **{"X-Request-ID": "the-last"})
        short.process.terminate()
        assert short.process.wait(timeout=30) == 0
        assert {line["service"] for line in short.lines()} == {"stock"}
        assert [line["status"] for line in short.lines() if line.get("request_id") == "the-last"] == [404]


def test_a_line_waits_a_second_at_most(gunicorn):
    gunicorn.get("/api/v1/stock/echo", **{"X-Request-ID": "a-quiet-one"})
    until(lambda: [line for line in gunicorn.lines() if line.get("request_id") == "a-quiet-one"], seconds=3)


def test_lines_are_written_while_a_worker_waits_for_its_last_request(tmp_path):
    with serving(tmp_path) as ending, ThreadPoolExecutor() as people:
        slow = people.submit(ending.get, "/api/v1/stock/slow?seconds=4", **{"X-Request-ID": "slow"})
        ending.get("/api/v1/stock/echo", **{"X-Request-ID": "before-the-end"})
        ending.process.terminate()
        until(lambda: [line for line in ending.lines() if line.get("request_id") == "before-the-end"], seconds=2.5)
        assert not slow.done()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /api/v1/stock/echo?access_token=SECRET&q=\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"),
        (
            b"GET /api/v1/stock/echo HTTP/1.1\r\nHost: a\r\nAuthorization Bearer SECRET\r\n\r\n",
            400,
            "malformed_request",
        ),
        (b"GET /?SECRET=" + b"a" * 8200 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nSECRET: " + b"a" * 8200 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: SECRET\r\n\r\n", 501, "not_implemented"),
        (b"GET / HTTP/1.1\r\nExpect: SECRET\r\n\r\n", 417, "expectation_failed"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_problem_and_repeated_nowhere(gunicorn, sent, status, code):
    assert gunicorn.get("/api/v1/stock/echo", **{"X-Request-ID": "of-another"}).status == 200
    with connected(gunicorn) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == str(status).encode()
    assert b"Content-Type: application/problem+json" in head
    problem = orjson.loads(body)
    assert (problem["status"], problem["code"]) == (status, code)
    [line] = gunicorn.line_of(problem["request_id"])
    assert line["event"].startswith("refused a request: ")
    assert b"SECRET" not in gunicorn.log.read_bytes() + answer


def test_a_hundred_long_skus_fit_into_a_query(gunicorn):
    query = "&".join("sku=" + "x" * 64 for _ in range(100))
    assert gunicorn.get(f"/api/v1/stock/echo?{query}").status == 200
