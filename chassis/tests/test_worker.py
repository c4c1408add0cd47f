"""The worker's loop as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import urllib3

from chassis import deadline
from chassis.worker import RUNS, Job, run_once
from tests.servers import free_port, until

pytestmark = pytest.mark.django_db


@dataclass
class Running:
    """A worker's process and what it leaves behind."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    port: int

    def notes(self):
        return (self.folder / "notes").read_text().splitlines()

    def log(self):
        return [orjson.loads(line) for line in (self.folder / "log").read_bytes().splitlines()]

    def metrics(self):
        return urllib3.request("GET", f"http://127.0.0.1:{self.port}/metrics").data.decode()


@pytest.fixture
def worker(tmp_path):
    port = free_port()
    settings = {
        "NOTES": str(tmp_path / "notes"),
        "METRICS_BIND": f"127.0.0.1:{port}",
        "LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    (tmp_path / "notes").touch()
    with (tmp_path / "log").open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "tests.worker"], env={**os.environ, **settings}, stdout=out)
    yield Running(process, tmp_path, port)
    process.kill()
    process.wait()


def test_a_job_that_fails_is_logged_and_tried_again(worker):
    until(lambda: [note for note in worker.notes() if note.startswith("moody 4")], seconds=30)
    ids = [note.split()[2] for note in worker.notes() if note.startswith("moody")]
    assert len(set(ids)) == len(ids), "each run has a request id of its own"
    failures = [line for line in worker.log() if line["event"] == "job_failed"]
    assert [(line["job"], line["request_id"]) for line in failures] == [("moody", ids[0]), ("moody", ids[1])]
    assert all("not today" in line["exception"] for line in failures)
    assert 'worker_runs_total{outcome="failed",task="moody"} 2.0' in worker.metrics()


def test_each_job_says_when_it_ended_well_for_the_last_time(worker):
    until(lambda: [note for note in worker.notes() if note.startswith("moody 4")], seconds=30)
    (line,) = [
        line
        for line in worker.metrics().splitlines()
        if line.startswith('worker_last_run_timestamp_seconds{task="moody')
    ]
    assert 0 <= time.time() - float(line.split()[1]) < 60
    assert "comptoir_build_info{" in worker.metrics()
    assert "_created" not in worker.metrics()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to_and_finishes_the_run_at_hand(worker, number):
    until(lambda: "slow begins 7" in worker.notes(), seconds=30)
    worker.process.send_signal(number)
    assert worker.process.wait(timeout=10) == 0
    assert worker.notes()[-1] == "slow ends"
    assert worker.log()[-1]["event"] == "worker_stopped"


def test_a_run_says_how_much_it_did_and_has_its_time_limit():
    seen = []
    before = RUNS.labels("j", "ok")._value.get()

    def run():
        seen.append(deadline.remaining(99))
        return 5

    assert run_once(Job("j", every=1, run=run, limit=3)) == 5
    assert 2 < seen[0] <= 3
    assert RUNS.labels("j", "ok")._value.get() == before + 1


def test_a_failed_run_did_nothing():
    def run():
        raise ValueError

    before = RUNS.labels("j", "failed")._value.get()
    assert run_once(Job("j", every=1, run=run)) == 0
    assert RUNS.labels("j", "failed")._value.get() == before + 1
