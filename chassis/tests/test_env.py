"""Configuration, and what a start without it says."""

import os
import subprocess
import sys

import pytest

from chassis import env


def test_values_are_read_by_kind(monkeypatch):
    for name, value in {"A": "x", "B": "7", "C": "on", "D": " a, ,b ,"}.items():
        monkeypatch.setenv(name, value)
    assert (env.text("A"), env.integer("B"), env.flag("C"), env.words("D")) == ("x", 7, True, ["a", "b"])
    assert (env.text("X", "d"), env.integer("X", 1), env.flag("X", False), env.words("X", ["w"])) == (
        "d",
        1,
        False,
        ["w"],
    )


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv("FILED_FILE", str(tmp_path / "secret"))
    assert env.text("FILED") == "hush"


@pytest.mark.parametrize(("read", "value"), [(env.integer, "many"), (env.integer, "")])
def test_a_value_of_another_kind_stops_the_start(monkeypatch, read, value):
    monkeypatch.setenv("N", value)
    with pytest.raises(SystemExit, match="comptoir: N is not usable"):
        read("N")


@pytest.mark.parametrize("length", [19, 20])
def test_a_short_secret_stops_the_start_in_production_only(monkeypatch, length):
    monkeypatch.setenv("S", "x" * length)
    monkeypatch.setenv("DJANGO_ENV", "test")
    assert env.secret("S")
    monkeypatch.setenv("DJANGO_ENV", "production")
    if length < 20:
        with pytest.raises(SystemExit, match="too short for production"):
            env.secret("S")
    else:
        assert env.secret("S")


def test_a_database_url_becomes_settings(monkeypatch):
    monkeypatch.setenv("DB", "postgres://me:p%40ss@db.example:5433/shop")
    found = env.database("DB")
    assert found | {"ENGINE": ""} == found | {
        "ENGINE": "",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": 5433,
        "NAME": "shop",
    }
    assert found["ENGINE"] == "chassis.database"


def start(*command, **changes):
    """A start in a process of its own; a change of None takes the variable away."""
    environment = dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    for name, value in changes.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL"])
@pytest.mark.parametrize(
    "command",
    [
        ("-c", "import django; django.setup()"),
        ("-m", "gunicorn", "--check-config", "tests.wsgi"),
        ("-m", "chassis.prepare"),
    ],
)
def test_a_missing_secret_stops_the_start_with_one_clear_line(command, missing):
    done = start(*command, **{missing: None})
    assert done.returncode != 0
    said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    expected = f"comptoir: {missing} is not set: give it in the environment, or name a file in {missing}_FILE"
    assert said == [expected]


def test_a_short_secret_in_production_is_one_clear_line_too():
    done = start("-c", "import django; django.setup()", DJANGO_ENV="production", SECRET_KEY="short")
    assert done.returncode == 1
    assert done.stderr == "comptoir: SECRET_KEY is too short for production: give at least 20 characters\n"
