import os
import stat
import subprocess
from pathlib import Path

import pytest

from local import user
from local.problem import Problem
from local.venv import PYTHON, ROOT

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.strip()


def test_files_are_private_and_replaced_in_one_step(tmp_path: Path) -> None:
    me = user.myself()
    me.write(tmp_path / "file", "one")
    me.write(tmp_path / "file", "two")
    assert (tmp_path / "file").read_text() == "two"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["file"]


@as_root
def test_root_s_shop_runs_as_somebody_else_without_groups(tmp_path: Path) -> None:
    runner = user.runner(ROOT, PYTHON, tmp_path / "state")
    assert runner.uid != 0
    assert said(runner.command("sh", "-c", "id -u; id -G")).split() == [str(runner.uid), str(runner.gid)]


@as_root
def test_the_owner_of_the_state_or_of_the_clone_runs_root_s_shop(tmp_path: Path) -> None:
    state = tmp_path / "state"
    os.chown(tmp_path, 12345, 12346)
    assert user._unprivileged(state, tmp_path) == (12345, 12346)
    state.mkdir()
    os.chown(state, 12347, 12348)
    assert user._unprivileged(state, tmp_path) == (12347, 12348)


@as_root
def test_a_clone_in_a_folder_of_root_s_own_is_read_and_not_written(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    (hidden / "clone" / "local").mkdir(parents=True)
    (hidden / "clone" / "local" / "__init__.py").touch()
    (hidden / "clone" / "local" / "problem.py").touch(0o600)
    hidden.chmod(0o700)
    runner = user.runner(hidden / "clone", PYTHON, hidden / "clone" / ".local")
    look = 'test -r "$0" && cat "$0" && ! (echo x >> "$0") 2>/dev/null && id -u'
    assert said(runner.command("sh", "-c", look, hidden / "clone" / "local" / "problem.py")) == str(runner.uid)


@as_root
def test_what_may_not_be_read_by_any_means_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=f"may not read {tmp_path}: move the clone"):
        user.runner(tmp_path, PYTHON, tmp_path / "state")
