"""What the documents name exists: files, make targets, tests, settings and their defaults."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports, security
from local.environment import PASSED_ON
from local.processes import MONITORING
from local.up import ONCE
from local.venv import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TOP = {path.name for path in ROOT.iterdir()}
TARGET = re.compile(r"^([a-z%-]+):", re.M)
SETTING = re.compile(r"^\| `([A-Z_0-9]+)` \| (?:`([^`]*)`)?", re.M)
HERE = {"PORT_OFFSET", "COMPTOIR_STATE", "PYTHON", "GRAFANA_PORT", "GATEWAY_BIND", "CORS_ALLOWED_ORIGINS"}
"""Settings that other lists than those of local mode name: cli.py, the Makefile, docker-compose.yml, the gateway."""


def named_paths(text: str) -> Iterator[str]:
    """Links to files, and words in backticks that begin with a folder of this repository."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            yield target
    for word in re.findall(r"`([^`\s]+)`", text):
        first, slash, _ = word.partition("/")
        if slash and first in TOP and not re.search(r"[<>{}*…$]", word):
            yield word


def targets(makefile: Path) -> set[str]:
    return set(TARGET.findall(makefile.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_test_that_is_named_exists(document: Path) -> None:
    missing = []
    for name in named_paths(document.read_text()):
        path, _, test = name.partition("::")
        found = next((base / path for base in (document.parent, ROOT) if (base / path).exists()), None)
        if found is None or (test and f"def {test}(" not in found.read_text()):
            missing.append(name)
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    """A command on a line of its own is typed at the root; one in a sentence may be a folder's."""
    text, call = document.read_text(), r"(?:[A-Z_]+=\S+ )*make ([a-z][a-z-]*)"
    makefiles = {path.parent.name: targets(path) for path in ROOT.glob("*/Makefile")}
    at_the_root = targets(ROOT / "Makefile") | {
        f"{verb}-{part}" for verb in ("test", "lint", "fmt") for part in makefiles
    }
    assert set(re.findall(rf"^ {{4}}{call}", text, re.M)) <= at_the_root
    assert set(re.findall(rf"`{call}", text)) <= at_the_root.union(*makefiles.values())


@pytest.mark.parametrize("makefile", sorted(ROOT.glob("*/Makefile")), ids=lambda path: path.parent.name)
def test_make_alone_lists_a_folder_s_targets_and_runs_nothing(makefile: Path) -> None:
    first = TARGET.search(makefile.read_text())
    assert first is not None
    assert first[1] == "help"


def test_the_readme_names_every_setting_of_local_mode_and_nothing_else() -> None:
    named = {name for name, _ in SETTING.findall((ROOT / "README.md").read_text())}
    assert named == {*PASSED_ON, *MONITORING, *ONCE, *ports.DEFAULTS, *HERE}


def test_the_readme_s_ports_are_the_defaults() -> None:
    told = {
        name: default for name, default in SETTING.findall((ROOT / "README.md").read_text()) if name.endswith("_PORT")
    }
    assert told == {name: str(port) for name, port in ports.DEFAULTS.items()} | {"GRAFANA_PORT": "3000"}


def test_the_table_of_who_may_call_what_is_as_the_services_have_it() -> None:
    assert security.rendered() == security.DOCUMENT.read_text(), "make security"
