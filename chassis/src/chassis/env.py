"""The one place where configuration is read: environment variables, or files named by ``NAME_FILE`` (for secrets).

A variable that is required and missing stops the start with one line that says which and what to do.
"""

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


def integer(name: str, default: int = _REQUIRED) -> int:
    """The variable as a whole number."""
    return int(_read("int", name, default))


def flag(name: str, default: bool = _REQUIRED) -> bool:
    """The variable as yes or no: ``1``, ``true``, ``yes`` and ``on`` mean yes."""
    return bool(_read("bool", name, default))


def words(name: str, default: list[str] = _REQUIRED) -> list[str]:
    """The variable as a comma-separated list; blanks around the entries and empty entries are dropped."""
    return [word.strip() for word in _read("list", name, default) if word.strip()]


def database(name: str, default: str = _REQUIRED) -> dict[str, Any]:
    """A ``postgres://role:password@host:port/name`` URL as Django's database settings."""
    value = text(name, default)
    return dict(environ.Env.db_url_config(value, engine="chassis.database"))


def email(name: str, default: str) -> dict[str, Any]:
    """A mail URL (``smtp://``, ``filemail:////folder``, ``consolemail://``) as Django's ``EMAIL_*`` settings."""
    return dict(environ.Env.email_url_config(text(name, default)))


def secret(name: str, min_length: int = 20) -> str:
    """A required secret. In production one that is shorter than ``min_length`` characters stops the start."""
    value = text(name)
    if production() and len(value) < min_length:
        raise SystemExit(f"comptoir: {name} is too short for production: give at least {min_length} characters")
    return value


def production() -> bool:
    """Whether this is production: ``DJANGO_ENV`` is ``development`` (default), ``test`` or ``production``."""
    return text("DJANGO_ENV", "development") == "production"
