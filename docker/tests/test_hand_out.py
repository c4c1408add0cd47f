"""Who gets which secret, and when the staff account is set. Needs no engine."""

from pathlib import Path

import pytest
import yaml

import hand_out
import welcome

COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The volumes, of a first `up` that came to its end."""
    hand_out.hand_out(tmp_path, {})
    welcome.welcome(tmp_path / "staff", {})
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_second_time_changes_nothing_but_the_staff_account(folder: Path) -> None:
    before = texts(folder)
    hand_out.hand_out(folder, {})
    after = texts(folder)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed == {"staff/email", "staff/password", "staff/notice"}


def test_a_service_gets_no_other_service_s_secret(folder: Path) -> None:
    shared = {"service_jwks.json", "public_url", "database_tls.crt"}
    for service in ("products", "stock", "customers", "cart", "orders"):
        own = {path.read_text() for path in (folder / service).iterdir() if path.name not in shared}
        others = [
            texts(folder / other) for other in ("products", "stock", "customers", "cart", "orders") if other != service
        ]
        assert not own & {text for other in others for name, text in other.items() if name not in shared}
        assert "owner" not in (folder / service / "url").read_text()
        assert f"@{service}-db:5432/{service}" in (folder / service / "url").read_text()


def test_every_folder_is_a_volume_of_the_container_that_makes_them(folder: Path) -> None:
    compose = yaml.safe_load(COMPOSE.read_text())
    mounted = {volume.partition(":")[2] for volume in compose["services"]["secrets"]["volumes"]}
    assert mounted == {f"/secrets/{path.name}" for path in folder.iterdir()}


def test_the_staff_account_is_set_once(folder: Path) -> None:
    hand_out.hand_out(folder, {})
    assert ((folder / "staff/email").read_text(), (folder / "staff/password").read_text()) == ("", "")
    assert "with the password that was set before" in welcome.welcome(folder / "staff", {})


def test_an_interrupted_up_sets_the_staff_account_the_next_time(tmp_path: Path) -> None:
    for _ in range(2):
        hand_out.hand_out(tmp_path, {})
        assert (tmp_path / "staff/email").read_text() == "staff@example.com"
        assert (tmp_path / "staff/password").read_text() == (tmp_path / "all/staff_password").read_text() != ""
    assert (tmp_path / "all/staff_password").read_text() in welcome.welcome(tmp_path / "staff", {})


def test_a_given_password_is_set_anew_and_never_printed(folder: Path) -> None:
    hand_out.hand_out(folder, {"STAFF_PASSWORD": "a better one", "STAFF_EMAIL": "me@example.org"})
    assert (folder / "staff/email").read_text() == "me@example.org"
    assert (folder / "staff/password").read_text() == "a better one"
    said = welcome.welcome(folder / "staff", {})
    assert "me@example.org with the password in STAFF_PASSWORD" in said
    assert "a better one" not in said
    hand_out.hand_out(folder, {})
    assert "me@example.org with the password that was set before" in welcome.welcome(folder / "staff", {})


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://localhost:8080"),
        ({"GATEWAY_PORT": "9000"}, "http://localhost:9000"),
        ({"GATEWAY_PORT": "9000", "PUBLIC_URL": "https://shop.example.org"}, "https://shop.example.org"),
    ],
)
def test_the_address_follows_the_gateway_s_port(tmp_path: Path, environ: dict[str, str], url: str) -> None:
    hand_out.hand_out(tmp_path, environ)
    assert (tmp_path / "customers/public_url").read_text() == url
    assert f"{url}/docs/" in welcome.welcome(tmp_path / "staff", environ)
