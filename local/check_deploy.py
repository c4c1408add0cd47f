"""`make check-deploy`: what is left to do before this shop meets the world, as a checklist; fails while something is.

It reads what `make up` and `docker compose up` would: the environment, and a file .env beside docker-compose.yml.
docs/security.md says why of each.
"""

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from chassis import env as chassis_env
from local.state import State
from local.venv import ROOT

RENEW = timedelta(days=14)


@dataclass(frozen=True)
class Finding:
    """One line of the list: what holds, or what to do."""

    ok: bool
    what: str
    todo: str = ""


def findings(settings: Mapping[str, str], state: Path) -> Iterator[Finding]:
    """The whole list, in the order in which an operator would go through it."""
    yield from _mode(settings)
    yield from _names(settings)
    yield from _tls(settings)
    yield from _mail(settings)
    yield from _staff(settings)
    yield from _secrets(State(state).secrets)
    yield from _ports()


def _mode(settings: Mapping[str, str]) -> Iterator[Finding]:
    yield Finding(settings.get("DJANGO_ENV") == "production", "DJANGO_ENV is production", "set DJANGO_ENV=production")
    for name in ("DEBUG", "FAULTS"):
        yield Finding(settings.get(name, "") in ("", "0", "off", "false"), f"{name} is off", f"unset {name}")
    secure = settings.get("SECURE_COOKIES", "on").lower() in ("", "on", "1", "true", "yes")
    yield Finding(secure, "cookies travel over TLS only", "unset SECURE_COOKIES")
    tls = settings.get("DATABASE_TLS") == "on"
    yield Finding(
        tls or settings.get("DATABASES_ARE_HERE") == "yes",
        "connections to the databases are encrypted, or never leave this machine",
        "set DATABASE_TLS=on (Docker), or DATABASES_ARE_HERE=yes where all of them run on this machine",
    )


def _names(settings: Mapping[str, str]) -> Iterator[Finding]:
    url = urlsplit(settings.get("PUBLIC_URL", ""))
    there = url.scheme == "https" and url.hostname not in (None, "localhost", "127.0.0.1")
    yield Finding(there, "PUBLIC_URL is the shop's https address", "set PUBLIC_URL=https://your.shop")
    hosts = _words(settings.get("ALLOWED_HOSTS", ""))
    fits = bool(hosts) and not any("*" in host or host.startswith(".") for host in hosts) and url.hostname in hosts
    yield Finding(fits, "ALLOWED_HOSTS names the shop and no pattern", "set ALLOWED_HOSTS to PUBLIC_URL's host name")
    origins = _words(settings.get("CORS_ALLOWED_ORIGINS", ""))
    yield Finding(
        all(origin.startswith("https://") and "*" not in origin for origin in origins),
        "CORS_ALLOWED_ORIGINS names https origins only",
        "list your store front's https origins in CORS_ALLOWED_ORIGINS, or none",
    )


def _tls(settings: Mapping[str, str]) -> Iterator[Finding]:
    what = "people reach the gateway over TLS"
    if settings.get("GATEWAY_TLS", "off") != "on":
        proxy = settings.get("TRUSTED_PROXY", "")
        yield Finding(
            bool(proxy) and proxy not in ("255.255.255.255", "0.0.0.0/0", "::/0"),
            f"{what}, ended by the proxy at {proxy}" if proxy else what,
            "set GATEWAY_TLS=on, TLS_CERTIFICATE and TLS_CERTIFICATE_KEY, or TRUSTED_PROXY to the TLS proxy in front",
        )
        return
    paths = [Path(settings.get(name, "")) for name in ("TLS_CERTIFICATE", "TLS_CERTIFICATE_KEY")]
    if not all(path.is_file() for path in paths):
        yield Finding(False, what, "TLS_CERTIFICATE and TLS_CERTIFICATE_KEY must name PEM files")
        return
    certificate = x509.load_pem_x509_certificate(paths[0].read_bytes())
    key = serialization.load_pem_private_key(paths[1].read_bytes(), password=None)
    yield Finding(certificate.public_key() == key.public_key(), what, "the key is not the certificate's")
    ends = certificate.not_valid_after_utc
    yield Finding(ends > datetime.now(UTC) + RENEW, f"the certificate is good until {ends:%Y-%m-%d}", "renew it")
    yield _private(paths[1], "the certificate's key")


def _mail(settings: Mapping[str, str]) -> Iterator[Finding]:
    url = urlsplit(settings.get("EMAIL_URL", ""))
    sent = url.scheme in ("smtp", "smtps", "smtp+tls", "smtp+ssl") and bool(url.hostname)
    yield Finding(sent, "mails are sent", "set EMAIL_URL=smtp+tls://user:password@host:587")
    plain = url.scheme == "smtp" and "email_use_" not in url.query.lower()
    yield Finding(
        not (plain and url.password) or url.hostname in ("localhost", "127.0.0.1", "::1"),
        "the mail server's password travels over TLS only",
        "set EMAIL_URL=smtp+tls://… (port 587) or smtp+ssl://… (port 465)",
    )
    sender = settings.get("EMAIL_FROM", "")
    yield Finding(
        "@" in sender and "localhost" not in sender, "mails have a sender", "set EMAIL_FROM='Shop <shop@your.shop>'"
    )


def _staff(settings: Mapping[str, str]) -> Iterator[Finding]:
    email, password = settings.get("STAFF_EMAIL", ""), settings.get("STAFF_PASSWORD", "")
    own = "@" in email and not email.endswith("@example.com")
    yield Finding(own, "the first staff account is somebody's own", "set STAFF_EMAIL to an address that you read")
    strong = not password or (len(password) >= 12 and not chassis_env.guessable(password))
    yield Finding(
        strong, "STAFF_PASSWORD is strong, or made by the first `up`", "give at least 12 random characters, or none"
    )
    dotenv = ROOT / ".env"
    if dotenv.exists():
        yield _private(dotenv, ".env")


def _secrets(folder: Path) -> Iterator[Finding]:
    """Those of local mode; in Docker each is in a volume that only its own containers mount."""
    if not folder.is_dir():
        return
    files = [path for path in folder.rglob("*") if path.is_file()]
    open_ = [path for path in [folder, *files] if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    yield Finding(not open_, "only its owner reads the secrets", f"chmod go= {' '.join(map(str, open_[:3]))}")
    kinds = ("password", "secret", "secret_key")
    weak = [
        path
        for path in files
        if path.name.endswith(kinds) and (len(text := path.read_text()) < 12 or chassis_env.guessable(text))
    ]
    yield Finding(
        not weak, "secrets are long and random", f"remove {' '.join(map(str, weak[:3]))}; `up` makes new ones"
    )


def _ports() -> Iterator[Finding]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    beyond = [
        name
        for name, service in services.items()
        for port in service.get("ports", ())
        if name != "gateway" and not str(port).startswith("127.0.0.1:")
    ]
    yield Finding(not beyond, "only the gateway listens beyond this machine", f"publish {beyond} on 127.0.0.1 only")


def _private(path: Path, what: str) -> Finding:
    closed = not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return Finding(closed, f"only its owner reads {what}", f"chmod 600 {path}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def taken(environ: Mapping[str, str], dotenv: Path) -> dict[str, str]:
    """The settings: a file .env, and above it the environment."""
    lines = dotenv.read_text(encoding="utf-8").splitlines() if dotenv.exists() else []
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#")]
    return {name.strip(): value.strip().strip("'\"") for name, value in pairs} | dict(environ)


def main() -> int:
    """Prints the list; the number of things to do, as the exit status."""
    state = Path(os.environ.get("COMPTOIR_STATE") or ROOT / ".local")
    found = list(findings(taken(os.environ, ROOT / ".env"), state))
    for each in found:
        print(f"  ok    {each.what}" if each.ok else f"  TODO  {each.what}: {each.todo}")
    left = sum(not each.ok for each in found)
    print(f"\n{left} of {len(found)} left to do; docs/security.md says why" if left else f"\nall {len(found)} hold")
    return min(left, 100)


if __name__ == "__main__":
    sys.exit(main())
