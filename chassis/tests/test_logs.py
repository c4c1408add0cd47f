"""What reaches standard output, and when."""

import io
import select
import threading
from datetime import datetime, timedelta
from types import SimpleNamespace

import orjson
import pytest
import structlog
from structlog.contextvars import bound_contextvars

from chassis import env, logs


class Pipe(io.StringIO):
    """Standard output that remembers each write that was flushed."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def flush(self):
        if text := self.getvalue():
            self.writes.append(text)
        self.seek(0)
        self.truncate()


@pytest.fixture
def pipe(monkeypatch):
    written_to = Pipe()
    monkeypatch.setattr(logs, "sys", SimpleNamespace(stdout=written_to))
    yield written_to
    logs.output.flush()


@pytest.fixture
def together(monkeypatch):
    monkeypatch.setattr(logs.output, "together", True)


def log(file, text):
    file.write(text)
    file.flush()


def test_each_line_is_written_at_once(pipe):
    log(logs.Patient(), "a request\n")
    log(logs.output, "a warning\n")
    assert pipe.writes == ["a request\n", "a warning\n"]


def test_together_requests_wait_for_another_line_and_keep_their_order(pipe, together):
    log(logs.Patient(), "first\n")
    log(logs.Patient(), "second\n")
    assert pipe.writes == []
    log(logs.output, "a warning\n")
    assert pipe.writes == ["first\nsecond\na warning\n"]


def test_what_waits_fits_into_a_pipe_in_one_piece(pipe, together):
    lines = [f"{number} {'é' * 200}\n" for number in range(100)]
    for line in lines:
        log(logs.Patient(), line)
    assert len(pipe.writes) > 5
    assert all(len(text.encode()) <= select.PIPE_BUF and text.endswith("\n") for text in pipe.writes)
    logs.output.flush()
    assert "".join(pipe.writes) == "".join(lines)


def test_a_line_longer_than_that_is_written_all_the_same(pipe, together):
    log(logs.Patient(), "x" * 10_000 + "\n")
    logs.output.flush()
    assert "".join(pipe.writes) == "x" * 10_000 + "\n"


def test_lines_of_many_threads_stay_whole(pipe, together):
    def write(name):
        for number in range(500):
            log(logs.Patient() if number % 10 else logs.output, f"{name} {number} {name}\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs.output.flush()
    lines = "".join(pipe.writes).splitlines()
    for name in "abcd":
        assert [line for line in lines if line.startswith(name)] == [f"{name} {n} {name}" for n in range(500)]


@pytest.fixture
def telling():
    """``telling(level)``: lines of that level and above are told, until the test is over."""
    yield lambda level: logs.configure(**logs._origin, level=level)
    logs.configure(**logs._origin, level=env.log_level())


def test_a_request_s_line_looks_like_any_other(pipe, telling):
    telling("INFO")
    with bound_contextvars(request_id="r", traceparent="t"):
        logs.request(method="GET", status=200)
        structlog.get_logger().info("request", method="GET", status=200)
    quick, usual = (orjson.loads(line) for line in pipe.writes)
    for line in (quick, usual):
        assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() == timedelta(0)
    assert quick == usual
    assert quick["request_id"] == "r"


@pytest.mark.parametrize(("level", "told"), [("DEBUG", 1), ("INFO", 1), ("WARNING", 0)])
def test_requests_are_told_where_lines_of_their_level_are(pipe, telling, level, told):
    telling(level)
    logs.request(method="GET")
    assert len(pipe.writes) == told
