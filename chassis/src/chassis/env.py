"""The one place where configuration is read: environment variables, or files named by ``NAME_FILE`` (for secrets).

A variable that is required and missing stops the start with one line that says which and what to do.
"""

import re
from typing import Any

import environ

_env = environ.FileAwareEnv()
_REQUIRED: Any = object()


def _read(kind: str, name: str, default: Any) -> Any:
    if default is _REQUIRED and name not in _env and f"{name}_FILE" not in _env:
        raise SystemExit(f"comptoir: {name} is not set: give it in the environment, or name a file in {name}_FILE")
    try:
        return getattr(_env, kind)(name, default=default)
    except (ValueError, environ.ImproperlyConfigured) as error:
        raise SystemExit(f"comptoir: {name} is not usable: {error}") from None


def text(name: str, default: str = _REQUIRED) -> str:
    """The variable as it stands, but for a line break at its end, which ``echo`` leaves in a secret's file."""
    return str(_read("str", name, default)).rstrip("\r\n")


def integer(name: str, default: int = _REQUIRED, least: int | None = None) -> int:
    """The variable as a whole number, not below ``least``."""
    value = int(_read("int", name, default))
    if least is not None and value < least:
        raise SystemExit(f"comptoir: {name} is not usable: {value} is less than {least}")
    return value


def choice(name: str, allowed: tuple[str, ...], default: str = _REQUIRED) -> str:
    """The variable as one of a few words, written as they are here."""
    value = text(name, default)
    if value not in allowed:
        raise SystemExit(f"comptoir: {name} is not usable: {value!r} is none of {', '.join(allowed)}")
    return value


def currency(name: str, default: str = _REQUIRED) -> str:
    """The variable as a currency's code of ISO 4217: three capital letters."""
    value = text(name, default)
    if not re.fullmatch("[A-Z]{3}", value):
        raise SystemExit(f"comptoir: {name} is not usable: {value!r} is not three capital letters, such as USD")
    return value


def log_level() -> str:
    """LOG_LEVEL: which lines are written to the log."""
    return choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")


def flag(name: str, default: bool = _REQUIRED) -> bool:
    """The variable as yes or no: ``1``, ``true``, ``yes`` and ``on`` mean yes."""
    return bool(_read("bool", name, default))


def words(name: str, default: list[str] = _REQUIRED) -> list[str]:
    """The variable as a comma-separated list; blanks around the entries and empty entries are dropped."""
    return [word.strip() for word in _read("list", name, default) if word.strip()]


def database(name: str, default: str = _REQUIRED) -> dict[str, Any]:
    """A ``postgres://role:password@host:port/name`` URL as Django's database settings."""
    found = dict(environ.Env.db_url_config(text(name, default), engine="chassis.database"))
    password = found.get("PASSWORD")
    if production() and password and (len(password) < 12 or guessable(password)):
        raise SystemExit(f"comptoir: the password in {name} is too weak for production: give a random one")
    return found


def email(name: str, default: str) -> dict[str, Any]:
    """A mail URL as Django's ``EMAIL_*`` settings.

    ``smtp+tls://`` begins TLS by STARTTLS, as on port 587, ``smtp+ssl://`` with the first byte, as on 465; ``smtp://``
    is in the clear. Besides ``filemail:////folder`` (four slashes: an absolute path) and ``consolemail://``.
    """
    try:
        return dict(environ.Env.email_url_config(text(name, default)))
    except (ValueError, environ.ImproperlyConfigured) as error:
        raise SystemExit(f"comptoir: {name} is not usable: {error}") from None


# What tutorials, generators and tired people put where a secret belongs.
_GUESSABLE = (
    "django-insecure",
    "changeme",
    "change-me",
    "change_me",
    "password",
    "secret",
    "default",
    "for tests only",
)


def secret(name: str, min_length: int = 20) -> str:
    """A required secret. In production one that is shorter than ``min_length`` or guessable stops the start."""
    value = text(name)
    if production():
        if len(value) < min_length:
            raise SystemExit(f"comptoir: {name} is too short for production: give at least {min_length} characters")
        if guessable(value):
            raise SystemExit(f"comptoir: {name} can be guessed: give a random one of 32 characters or more")
    return value


def guessable(value: str) -> bool:
    """Whether a secret is one of the usual placeholders, or made of very few different characters."""
    return len(set(value)) < 8 or any(word in value.lower() for word in _GUESSABLE)


def refuse_in_production(name: str, why: str) -> None:
    """Stops the start in production where a switch is on that is for developers only."""
    if production() and flag(name, False):
        raise SystemExit(f"comptoir: {name} is refused in production: {why}. Unset it")


def production() -> bool:
    """Whether this is production: ``DJANGO_ENV`` is ``development`` (default), ``production``, or ``test`` in tests.

    Any other word stops the start: ``prod`` would be a shop that sells as if it were being developed.
    """
    return choice("DJANGO_ENV", ("development", "production", "test"), "development") == "production"
