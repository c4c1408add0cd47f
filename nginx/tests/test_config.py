"""The files themselves: accepted by nginx, clean for gixy, and saying only what variables.env knows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import render
from tests.support.processes import Gateway

TEMPLATES = sorted((render.SOURCE / "templates").glob("*.template"))
FILES = [
    *TEMPLATES,
    render.SOURCE / "nginx.conf",
    *(render.SOURCE / "snippets").glob("*"),
    *(render.SOURCE / "routes").glob("*"),
]


@pytest.mark.parametrize("tls", ["off", "on"])
def test_nginx_accepts_the_files_without_a_warning(tmp_path: Path, certificate: tuple[str, str], tls: str) -> None:
    variables = {"GATEWAY_TLS": tls, "TLS_CERTIFICATE": certificate[0], "TLS_CERTIFICATE_KEY": certificate[1]}
    done = subprocess.run(Gateway(tmp_path, {}, **variables).command("-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"\[(warn|error|alert|crit|emerg)\]", done.stderr), done.stderr


def test_names_instead_of_addresses_are_accepted_though_nobody_knows_them_yet(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, {"STOCK_ADDRESS": "stock.invalid:5002", "PRODUCTS_1_ADDRESS": "products.invalid:5001"})
    done = subprocess.run(gateway.command("-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_gixy_is_clean(tmp_path: Path) -> None:
    Gateway(tmp_path, {})
    gixy = Path(sys.executable).with_name("gixy")
    done = subprocess.run(
        [gixy, "-c", render.SOURCE / "tests" / "gixy.cfg", tmp_path / "conf" / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout


def test_templates_and_the_list_of_variables_agree() -> None:
    used = {name for template in TEMPLATES for name in render.PLACEHOLDER.findall(template.read_text())}
    assert used == set(render.defaults())


def test_the_readme_names_every_variable() -> None:
    table = (render.SOURCE / "README.md").read_text().split("## Variables")[1].split("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", line.split("|")[1] if "|" in line else "")
    }
    assert named == set(render.defaults())


def test_no_file_needs_a_variable_that_is_not_rendered() -> None:
    plain = [path for path in FILES if path.suffix != ".template"]
    assert [path.name for path in plain if render.PLACEHOLDER.search(path.read_text())] == []


def test_every_included_file_exists(tmp_path: Path) -> None:
    render.render(tmp_path, {"GATEWAY_RUN_DIR": str(tmp_path / "run")})
    included = {name for path in FILES for name in re.findall(r"^\s*include ([^;$]+);", path.read_text(), re.M)}
    assert len(included) > 20
    assert [name for name in included if not (tmp_path / name).is_file() and "$" not in name] == []


@pytest.mark.parametrize("value", ['a"b', "a'b", "$host", "a\\b", "a\nb"])
def test_a_value_that_could_end_its_directive_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match="CORS_ALLOWED_ORIGINS"):
        render.render(tmp_path, {"GATEWAY_RUN_DIR": str(tmp_path), "CORS_ALLOWED_ORIGINS": value})
    assert not (tmp_path / "conf.d").exists()


def test_rendering_again_leaves_no_old_file(tmp_path: Path) -> None:
    environ = {"GATEWAY_RUN_DIR": str(tmp_path / "run")}
    render.render(tmp_path / "conf", environ)
    (tmp_path / "conf" / "routes" / "old.conf").write_text("nonsense")
    render.render(tmp_path / "conf", environ | {"GATEWAY_WORKERS": "3"})
    assert not (tmp_path / "conf" / "routes" / "old.conf").exists()
    assert "worker_processes 3;" in (tmp_path / "conf" / "conf.d" / "process.conf").read_text()


def test_pages_are_kept_for_ten_minutes_in_case_the_products_go_down(tmp_path: Path) -> None:
    """That they are given then is in test_cache.py, which does not wait for so long."""
    Gateway(tmp_path, {})
    zone = re.search(r"keys_zone=product_pages:\S+ .*;", (tmp_path / "conf" / "conf.d" / "cache.conf").read_text())
    assert zone
    assert " inactive=10m " in zone[0]
