import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.venv import ROOT

OLD_PYTHON = (
    "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); runpy.run_module('local', run_name='__main__')"
)


def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )


def test_an_old_python_is_told_so_in_one_line() -> None:
    done = run("-c", OLD_PYTHON)
    assert done.returncode == 1
    assert done.stderr.startswith("comptoir: Python 3.9 is too old, 3.11 or later is needed: name another one, as in")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_an_old_python_reads_has_no_new_syntax(name: str) -> None:
    ast.parse((ROOT / "local" / name).read_text(), feature_version=(3, 4))


def test_a_taken_port_is_one_line_and_nothing_is_made(taken_port: int, state: Path, offset: int) -> None:
    done = run("-m", "local", "up", "--state", str(state), "--port-offset", str(offset), PAYMENT_PORT=str(taken_port))
    assert done.returncode == 1
    assert f"port {taken_port} (PAYMENT_PORT) is taken" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (state / "secrets").exists()


def test_what_is_not_there_can_be_stopped_and_forgotten(state: Path) -> None:
    for command, said in (("down", "nothing was running\n"), ("clean", f"forgotten: {state}\n")):
        done = run("-m", "local", command, "--state", str(state))
        assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_status_of_a_shop_that_is_down_says_so_and_fails(state: Path) -> None:
    done = run("-m", "local", "status", "--state", str(state))
    assert (done.returncode, done.stdout) == (1, "down\n")
