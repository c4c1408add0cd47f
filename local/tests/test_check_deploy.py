"""`make check-deploy`: a shop that is ready passes, and each single thing that is missing is said."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local import certificate, secrets
from local.check_deploy import findings, taken
from local.user import myself
from local.venv import PYTHON, ROOT


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets of a first `up`."""
    folder = tmp_path_factory.mktemp("made") / "secrets"
    secrets.generate(folder, "127.0.0.1:5442", myself())
    return folder


@pytest.fixture
def ready(tmp_path: Path, made: Path) -> dict[str, str]:
    """Settings with which nothing is left to do."""
    shutil.copytree(made, tmp_path / "state" / "secrets")
    for name, text in zip(("shop.crt", "shop.key"), certificate.self_signed(["shop.example.org"]), strict=True):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return {
        "DJANGO_ENV": "production",
        "PUBLIC_URL": "https://shop.example.org",
        "ALLOWED_HOSTS": "shop.example.org",
        "CORS_ALLOWED_ORIGINS": "https://www.example.org",
        "GATEWAY_TLS": "on",
        "TLS_CERTIFICATE": str(tmp_path / "shop.crt"),
        "TLS_CERTIFICATE_KEY": str(tmp_path / "shop.key"),
        "DATABASE_TLS": "on",
        "EMAIL_URL": "smtp+tls://shop:x@mail.example.org:587",
        "EMAIL_FROM": "Shop <shop@example.org>",
        "STAFF_EMAIL": "ada@example.org",
        "COMPTOIR_STATE": str(tmp_path / "state"),
    }


def left(settings: dict[str, str]) -> list[str]:
    return [each.what for each in findings(settings, Path(settings["COMPTOIR_STATE"])) if not each.ok]


def test_a_shop_that_is_ready_has_nothing_left_to_do(ready: dict[str, str]) -> None:
    assert left(ready) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DJANGO_ENV": "development"}, "DJANGO_ENV"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"FAULTS": "/tmp/x"}, "FAULTS"),  # noqa: S108
        ({"SECURE_COOKIES": "off"}, "cookies"),
        ({"DATABASE_TLS": "off"}, "databases"),
        ({"PUBLIC_URL": "http://shop.example.org"}, "PUBLIC_URL"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "another.example.org"}, "ALLOWED_HOSTS"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS"),
        ({"CORS_ALLOWED_ORIGINS": "http://www.example.org"}, "CORS"),
        ({"GATEWAY_TLS": "off"}, "over TLS"),
        ({"GATEWAY_TLS": "off", "TRUSTED_PROXY": "0.0.0.0/0"}, "over TLS"),
        ({"TLS_CERTIFICATE": "/nowhere"}, "over TLS"),
        ({"EMAIL_URL": "consolemail://"}, "mails are sent"),
        ({"EMAIL_URL": "smtp://shop:x@mail.example.org:587"}, "mail server's password"),
        ({"EMAIL_FROM": "shop@localhost"}, "sender"),
        ({"STAFF_EMAIL": "staff@example.com"}, "staff account"),
        ({"STAFF_PASSWORD": "admin"}, "STAFF_PASSWORD"),
    ],
)
def test_each_thing_that_is_missing_is_said(ready: dict[str, str], change: dict[str, str], said: str) -> None:
    (what,) = left(ready | change)
    assert said in what


@pytest.mark.parametrize(
    "url", ["smtp://shop:x@localhost:25", "smtp://relay:25", "smtp+ssl://shop:x@mail.example.org:465"]
)
def test_plain_smtp_will_do_without_a_password_or_on_this_machine(ready: dict[str, str], url: str) -> None:
    assert left(ready | {"EMAIL_URL": url}) == []


def test_a_proxy_in_front_may_end_tls(ready: dict[str, str]) -> None:
    assert left(ready | {"GATEWAY_TLS": "off", "TRUSTED_PROXY": "10.0.0.5"}) == []


def test_files_that_others_can_read_and_weak_secrets_are_said(ready: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "shop.key").chmod(0o644)
    (tmp_path / "state" / "secrets" / "payment_secret").chmod(0o640)
    (tmp_path / "state" / "secrets" / "stock" / "password").write_text("stock")
    assert left(ready) == [
        "only its owner reads the certificate's key",
        "only its owner reads the secrets",
        "secrets are long and random",
    ]


def test_a_key_of_another_certificate_is_said(ready: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "shop.key").write_text(certificate.self_signed(["x"])[1])
    assert left(ready) == ["people reach the gateway over TLS"]


def test_the_command_prints_a_list_and_fails_while_something_is_left(ready: dict[str, str]) -> None:
    kept = {"PATH": os.environ["PATH"]}
    command = [str(PYTHON), "-m", "local.check_deploy"]
    done = subprocess.run(command, cwd=ROOT, env=kept | ready, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "all 19 hold"), done.stdout
    bare = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert bare.returncode > 0
    assert "  TODO  PUBLIC_URL is the shop's https address: set PUBLIC_URL=https://your.shop" in bare.stdout


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# mine\nDJANGO_ENV='production'\nPUBLIC_URL=https://a\n")
    assert taken({"PUBLIC_URL": "https://b"}, tmp_path / ".env") == {
        "DJANGO_ENV": "production",
        "PUBLIC_URL": "https://b",
    }
