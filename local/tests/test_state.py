"""The state folder: made, taken over, or refused."""

import os
from pathlib import Path

import pytest

from local.problem import Problem
from local.state import State
from local.user import User, myself

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
OWNER = User(12345, 12346)


def test_all_that_is_made_belongs_to_who_runs_the_shop(tmp_path: Path) -> None:
    state = State(tmp_path / "a" / "state")
    state.create(myself())
    assert state.folder.stat().st_uid == os.geteuid()
    with state.locked(myself()), pytest.raises(Problem, match="another `make up` works on"), state.locked(myself()):
        pass


@as_root
def test_a_folder_that_root_made_is_handed_over(tmp_path: Path) -> None:
    for _ in range(2):
        os.chown(tmp_path, 0, 0)  # as a shop of before this was noticed left it
        State(tmp_path).create(OWNER)
        assert (tmp_path.stat().st_uid, tmp_path.stat().st_gid) == (12345, 12346)


@as_root
def test_a_folder_with_something_of_somebody_else_s_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").touch()
    with pytest.raises(Problem, match=f"{tmp_path} belongs to user 0, and the shop runs as user 12345"):
        State(tmp_path).create(OWNER)
    assert (tmp_path.stat().st_uid, os.listdir(tmp_path)) == (0, ["letters"])
