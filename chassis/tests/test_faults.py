"""Fault points, in processes that may die of them."""

import os
import subprocess
import sys

PASS_BY = "from chassis import faults; faults.point('here'); print('alive', flush=True)"


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | variables
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_nothing_happens_unless_asked_for(tmp_path):
    (tmp_path / "here").write_text("kill")
    assert run(PASS_BY).stdout == "alive\n"


def test_an_armed_point_kills_once(tmp_path):
    (tmp_path / "here").write_text("kill")
    assert run(PASS_BY, FAULTS=str(tmp_path)).returncode == -9
    assert run(PASS_BY, FAULTS=str(tmp_path)).stdout == "alive\n"
    assert (tmp_path / "here.hit").exists()


def test_it_may_kill_later(tmp_path):
    code = f"{PASS_BY}; import time; time.sleep(30)"
    (tmp_path / "here").write_text("kill 0.2")
    done = run(code, FAULTS=str(tmp_path))
    assert (done.stdout, done.returncode) == ("alive\n", -9)


def test_production_refuses_to_start_with_it(tmp_path):
    done = run(PASS_BY, FAULTS=str(tmp_path), DJANGO_ENV="production")
    assert done.returncode == 1
    assert done.stderr.strip() == "comptoir: FAULTS is for tests and refused in production: unset it"
