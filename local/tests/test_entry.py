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

# What root may do everywhere, it may not do here: capabilities(7).
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DJANGO_ENV", "prod", "DJANGO_ENV is 'prod': give `development` or `production`"),
        ("CURRENCY", "eur", "CURRENCY is 'eur': give three capital letters, such as USD"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud': give DEBUG, INFO, WARNING or ERROR"),
        ("WORKERS", "x", "WORKERS is 'x': give a whole number from 1"),
        ("THREADS", "0", "THREADS is '0': give a whole number from 1"),
        (
            "SEED",
            "/nowhere.csv",
            "SEED is '/nowhere.csv': give the path of a product feed, or `none` for an empty shop",
        ),
    ],
)
@pytest.mark.parametrize("command", ["up", "restart"])
def test_a_setting_that_is_not_usable_is_one_line_and_nothing_is_made_or_stopped(
    command: str, name: str, value: str, said: str, state: Path
) -> None:
    done = run("-m", "local", command, "--state", str(state), **{name: value})
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"comptoir: {said}\n")
    assert not state.exists()


@pytest.mark.parametrize("command", ["up", "status", "clean"])
def test_a_state_folder_below_a_file_is_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "a" / "state"):
        done = run("-m", "local", command, COMPTOIR_STATE=str(folder))
        said = f"comptoir: the state folder cannot be {folder}: {tmp_path}/file is a file."
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{said} Name another one in COMPTOIR_STATE\n")


@pytest.mark.parametrize("mode", [0o000, 0o500, 0o600])
def test_a_state_folder_where_one_may_not_enter_or_write_is_one_line(mode: int, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(mode)
    for folder in (tmp_path / "closed", tmp_path / "closed" / "a" / "state"):
        command = [*POWERLESS, sys.executable, "-m", "local", "up", "--state", str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        said = f"comptoir: the state folder cannot be {folder}: you may not enter {tmp_path}/closed and write there."
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{said} Name another one in COMPTOIR_STATE\n")
