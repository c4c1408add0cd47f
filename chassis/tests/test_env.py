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


@pytest.mark.parametrize("value", ["prod", "Production", "staging", ""])
def test_an_unknown_mode_stops_the_start_instead_of_being_development(monkeypatch, value):
    monkeypatch.setenv("DJANGO_ENV", value)
    with pytest.raises(SystemExit, match=f"DJANGO_ENV is not usable: '{value}' is none of development, production"):
        env.production()


@pytest.mark.parametrize("value", ["usd", "US", "EURO", "€", ""])
def test_a_currency_is_three_capital_letters(monkeypatch, value):
    monkeypatch.setenv("C", "EUR")
    assert env.currency("C") == "EUR"
    monkeypatch.setenv("C", value)
    with pytest.raises(SystemExit, match=f"C is not usable: '{value}' is not three capital letters"):
        env.currency("C")


@pytest.mark.parametrize("length", [19, 20])
def test_a_short_secret_stops_the_start_in_production_only(monkeypatch, length):
    monkeypatch.setenv("S", "kX8-vQ2_mL5.rT9~wZ4!"[:length])
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


@pytest.mark.parametrize(
    "value",
    [
        "django-insecure-8f#k2!x9q&z7w1m3",
        "changeme-changeme-changeme",
        "x" * 50,
        "a secret for tests only!!",
        "abababababababababababab",
    ],
)
def test_a_default_secret_stops_the_start_in_production_only(monkeypatch, value):
    monkeypatch.setenv("S", value)
    monkeypatch.setenv("DJANGO_ENV", "development")
    assert env.secret("S") == value
    monkeypatch.setenv("DJANGO_ENV", "production")
    with pytest.raises(SystemExit, match="can be guessed"):
        env.secret("S")


@pytest.mark.parametrize("password", ["stock", "postgres", "short-1", "password1234"])
def test_a_weak_password_of_a_database_stops_the_start_in_production_only(monkeypatch, password):
    monkeypatch.setenv("DB", f"postgres://stock:{password}@db.example/stock")
    assert env.database("DB")["PASSWORD"] == password
    monkeypatch.setenv("DJANGO_ENV", "production")
    with pytest.raises(SystemExit, match="the password in DB is too weak"):
        env.database("DB")


def test_a_database_url_may_ask_for_tls(monkeypatch):
    monkeypatch.setenv("DB", "postgres://me:x@db.example/shop?sslmode=verify-full&sslrootcert=/ca.crt")
    assert env.database("DB")["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "/ca.crt"}


@pytest.mark.parametrize(
    ("url", "tls", "ssl"),
    [
        ("smtp+tls://me:p%40ss@mx:587", True, None),
        ("smtp+ssl://me:p%40ss@mx:465", None, True),
        ("smtp://mx:25", None, None),
    ],
)
def test_a_mail_url_says_whether_the_way_is_encrypted(monkeypatch, url, tls, ssl):
    monkeypatch.setenv("M", url)
    found = env.email("M", "consolemail://")
    assert found["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mx", int(url.rpartition(":")[2]))
    assert (found.get("EMAIL_USE_TLS"), found.get("EMAIL_USE_SSL")) == (tls, ssl)
    assert found["EMAIL_HOST_PASSWORD"] == ("p@ss" if "@" in url else None)


def test_a_folder_for_mails_has_four_slashes(monkeypatch):
    monkeypatch.setenv("M", "filemail:////srv/mail")
    assert env.email("M", "consolemail://")["EMAIL_FILE_PATH"] == "/srv/mail"


@pytest.mark.parametrize("url", ["smpt://mx:25", "smtp://mx:port", "mx"])
def test_a_mail_url_that_is_not_usable_stops_the_start(monkeypatch, url):
    monkeypatch.setenv("M", url)
    with pytest.raises(SystemExit, match="comptoir: M is not usable: "):
        env.email("M", "consolemail://")


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


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("DJANGO_ENV", "prod", "'prod' is none of development, production, test"),
        ("CURRENCY", "usd", "'usd' is not three capital letters, such as USD"),
        ("LOG_LEVEL", "loud", "'loud' is none of DEBUG, INFO, WARNING, ERROR"),
        ("WORKERS", "0", "0 is less than 1"),
        ("THREADS", "0", "0 is less than 1"),
        ("THREADS", "x", "invalid literal for int() with base 10: 'x'"),
    ],
)
def test_a_value_that_is_not_usable_is_one_clear_line_and_no_traceback(name, value, why):
    done = start("-m", "gunicorn", "-c", "python:chassis.gunicorn", "--check-config", "tests.wsgi", **{name: value})
    assert done.returncode != 0
    assert done.stderr + done.stdout == f"comptoir: {name} is not usable: {why}\n"


GOOD = {"DJANGO_ENV": "production", "SECRET_KEY": "kX8-vQ2_mL5.rT9~wZ4!", "OIDC_CLIENT_SECRET": "pW3+nB7=cY6,hJ1;dF0?"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": "django-insecure-8f#k2!x9q&z7w1m3"}, "SECRET_KEY can be guessed"),
        ({"OIDC_CLIENT_SECRET": "short"}, "OIDC_CLIENT_SECRET is too short"),
        ({"DATABASE_URL": "postgres://stock:stock@db/stock"}, "the password in DATABASE_URL is too weak"),
        ({"DEBUG": "1"}, "DEBUG is refused in production"),
        ({"DEBUG": "0"}, ""),
    ],
)
def test_production_starts_with_good_secrets_and_without_debug_only(changes, said):
    code = (
        "import django; django.setup(); from django.conf import settings as s; print(s.DEBUG, s.SESSION_COOKIE_SECURE)"
    )
    done = start("-c", code, **GOOD | changes)
    assert said in done.stderr
    assert done.stderr.count("\n") == (1 if said else 0), done.stderr
    assert done.stdout == ("" if said else "False True\n")
