"""What an instance tells of itself, read as Prometheus reads it."""

import re
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chassis import build
from chassis.metrics import Processes
from tests.servers import until
from tests.test_gunicorn import HTTP, serving


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("gunicorn"), THREADS="2", WORKERS="2") as running:
        yield running


def samples(gunicorn, name):
    families = text_string_to_metric_families(gunicorn.metrics())
    return {tuple(it.labels.values()): it.value for family in families for it in family.samples if it.name == name}


def value(gunicorn, name):
    return sum(samples(gunicorn, name).values())


@contextmanager
def saturated(gunicorn, clients=12):
    """More clients than threads, each asking again at once."""
    over = Event()

    def ask():
        while not over.is_set():
            HTTP.request("GET", f"{gunicorn.url}/api/v1/stock/slow", headers={"Host": "localhost"})

    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(ask) for _ in range(clients)]
        try:
            yield
        finally:
            over.set()
        assert [each.result() for each in asking] == [None] * clients


def test_it_says_what_runs_since_when_and_how_much_it_takes(gunicorn):
    until(lambda: value(gunicorn, "server_threads") == 4, seconds=30)  # the second worker may still be on its way
    ((chassis, code, django, python),) = samples(gunicorn, "comptoir_build_info")
    assert re.fullmatch("[0-9a-f]{12}", code)
    assert (chassis, django[:2], python[:2]) == ("1.0.0", "5.", "3.")
    assert 0 < time.time() - value(gunicorn, "process_start_time_seconds") < 600
    assert 50e6 < value(gunicorn, "process_resident_memory_bytes") < 500e6
    assert value(gunicorn, "process_cpu_seconds_total") > 0.1
    assert value(gunicorn, "server_workers") == 2


def test_another_line_of_code_is_another_build(tmp_path):
    (tmp_path / "views.py").write_text("answer = 41")
    (tmp_path / "tests").mkdir()
    before = build.code(tmp_path)
    (tmp_path / "tests" / "test_views.py").write_text("a test is not what runs")
    assert build.code(tmp_path) == before
    (tmp_path / "views.py").write_text("answer = 42")
    assert build.code(tmp_path) != before


def test_the_cpu_time_of_a_dead_worker_stays():
    worker = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    workers = [worker.pid]
    processes = Processes(lambda: workers)

    def cpu():
        return next(iter(processes.collect())).samples[0].value

    begin = cpu()
    until(lambda: cpu() > begin + 0.3)
    used = cpu()
    worker.kill()
    worker.wait()
    workers.clear()
    assert cpu() >= used


def test_queue_time_is_counted_from_when_the_request_left_its_sender(gunicorn):
    name = "http_request_queue_seconds"
    before = value(gunicorn, f"{name}_sum"), value(gunicorn, f"{name}_count")
    gunicorn.get("/api/v1/stock/echo", **{"X-Request-Start": f"t={time.time() - 0.7:.3f}"})
    gunicorn.get("/api/v1/stock/echo", **{"X-Request-Start": "t=a while ago"})
    gunicorn.get("/api/v1/stock/echo")
    gunicorn.get("/api/v1/stock/echo", **{"X-Request-Start": f"t={time.time() + 60:.3f}"})
    after = value(gunicorn, f"{name}_sum"), value(gunicorn, f"{name}_count")
    assert after[1] == before[1] + 2
    assert 0.7 <= after[0] - before[0] < 5


def test_the_exporter_answers_at_once_while_every_thread_is_at_work(gunicorn):
    """A scrape takes under 50 ms, and sees that threads are busy and requests wait."""
    with saturated(gunicorn):
        # Which worker gets a connection is the kernel's choice: all threads of one of the two are enough.
        until(lambda: value(gunicorn, "server_threads_busy") >= 2)
        until(lambda: value(gunicorn, "server_queue_requests") > 0)
        took = []
        for _ in range(21):
            begin = time.perf_counter()
            gunicorn.metrics()
            took.append(time.perf_counter() - begin)
    assert statistics.median(took) < 0.05
    until(lambda: value(gunicorn, "server_threads_busy") == 0)
    until(lambda: value(gunicorn, "server_queue_requests") == 0)


def test_promtool_finds_nothing_to_mend(gunicorn, promtool):
    gunicorn.get("/api/v1/stock/echo")
    done = subprocess.run([promtool, "check", "metrics"], input=gunicorn.metrics(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
