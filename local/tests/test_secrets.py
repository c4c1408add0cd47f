import json
import stat
import subprocess
import sys
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from local import secrets
from local.user import myself
from local.venv import ROOT


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_only_the_shop_s_user_can_read_them(state: Path) -> None:
    secrets.generate(state, "127.0.0.1:5442", myself())
    paths = [state, *state.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert all(
        (text and text == text.strip("\n")) or name.endswith((".pem", ".crt", ".key"))
        for name, text in contents(state).items()
    )


def test_a_second_call_keeps_them(state: Path) -> None:
    secrets.generate(state, "127.0.0.1:5442", myself())
    first = contents(state)
    secrets.generate(state, "127.0.0.1:5442", myself())
    assert contents(state) == first


def test_only_the_addresses_of_the_databases_follow_a_move(state: Path) -> None:
    secrets.generate(state, "127.0.0.1:5442", myself())
    first = contents(state)
    secrets.generate(state, "{name}-db:5432", myself())
    changed = {name for name, text in contents(state).items() if text != first[name]}
    assert changed == {f"{name}/{role}url" for name in secrets.DATABASES for role in ("", "owner_")}
    password = (state / "stock" / "password").read_text()
    assert (state / "stock" / "url").read_text() == f"postgres://stock:{password}@stock-db:5432/stock"


def test_the_public_keys_are_those_of_the_private_keys_and_nothing_more(state: Path) -> None:
    secrets.generate(state, "127.0.0.1:5442", myself())
    document = json.loads((state / "service_jwks.json").read_text())
    assert [key["kid"] for key in document["keys"]] == list(secrets.SERVICES)
    assert all(set(key) == {"kty", "kid", "use", "alg", "n", "e"} for key in document["keys"])
    own = RSAKey.import_key((state / "orders" / "service_key.pem").read_text())
    token = jwt.encode({"alg": "RS256", "kid": "orders"}, {"sub": "orders"}, own)
    assert jwt.decode(token, KeySet.import_key_set(document)).claims == {"sub": "orders"}


def test_the_command_of_docker_s_one_shot_container(state: Path) -> None:
    subprocess.run([sys.executable, "-m", "local.secrets", str(state)], cwd=ROOT, check=True)
    assert (state / "cart" / "owner_url").read_text().endswith("@cart-db:5432/cart")
