"""No secret is in git, every package is pinned with its hash, the SBOM names all of them."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from local import supply
from local.venv import ROOT

SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{100}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of a forge": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20}|xox[abpr]-[\w-]{20})",
    "a key of a payment provider": r"\b[sr]k_live_[A-Za-z0-9]{20}",
    "a signed token": r"\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{80,}",
    "a URL with a password": r"\b(?:postgres(?:ql)?|smtp|https?)://[\w.-]+:(?!\$|\{|<|password@|p%40ss@)[^@\s/\"'`{}…]{16,}@",
}
FILES = [
    path
    for line in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if (path := ROOT / line).is_file() and path.suffix not in {".gz", ".png", ".ico", ".lock"}
]


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    """All that is in git."""
    assert len(FILES) > 300, "not a clone with git"
    return {path: path.read_text(errors="replace") for path in FILES}


def test_no_secret_is_in_git(texts: dict[Path, str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {what}"
        for path, text in texts.items()
        for what, pattern in SECRETS.items()
        if re.search(pattern, text)
    ]
    assert not found


def test_no_secret_of_the_running_shop_is_in_git(texts: dict[Path, str]) -> None:
    """Of the shop in .local, where there is one."""
    folder = ROOT / ".local" / "secrets"
    own = {path.read_text().strip() for path in folder.rglob("*") if path.is_file() and path.name != "staff_email"}
    everything = "\n".join(texts.values())
    assert not [word[:4] for word in own if len(word) > 12 and word in everything]


@pytest.mark.parametrize(
    "leak",
    [
        "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 4,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "postgres://stock:" + "kX8vQ2mL5rT9wZ4pW3nB7cY6@db/stock",
        "gh" + "p_" + "a1B2" * 9,
    ],
)
def test_a_leak_would_be_seen(leak: str) -> None:
    assert any(re.search(pattern, leak) for pattern in SECRETS.values())


def test_settings_and_secrets_of_a_machine_are_ignored() -> None:
    for name in (".env", ".local/secrets/staff_password", "backups/x", "sbom/stock.cdx.json"):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0, name


@pytest.mark.parametrize("file", supply.locked(), ids=supply.name)
def test_every_package_is_pinned_with_its_hash_and_comes_from_no_named_place(file: Path) -> None:
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", file.read_text(), flags=re.M).strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[\w.\[\],-]+==[\w.+!]+", block), block[:80]
        assert "--hash=sha256:" in block, block[:80]
        assert "://" not in block, block[:80]


@pytest.mark.parametrize("file", [ROOT / "stock" / "requirements.txt"], ids=supply.name)
def test_the_sbom_names_every_pinned_package(file: Path, tmp_path: Path) -> None:
    (made,) = supply.sbom(tmp_path / "sbom", [file])
    document = json.loads(made.read_text())
    assert document["bomFormat"] == "CycloneDX"
    named = {(each["name"], each["version"]) for each in document["components"]}
    pinned = {tuple(pair) for pair in re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([\w.+!]+)", file.read_text(), re.M)}
    assert named == pinned
    assert all(each["externalReferences"][0]["hashes"] for each in document["components"])


def test_an_advisory_service_that_does_not_answer_is_said_and_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    file = tmp_path / "requirements.txt"
    file.write_text(f"orjson==3.13.0 --hash=sha256:{'0' * 64}\n")
    assert supply.advisories([file]) == 0
    assert "not checked, since the advisory service does not answer" in capsys.readouterr().out
