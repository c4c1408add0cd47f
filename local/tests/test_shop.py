"""A whole shop, as a newcomer gets it: started by the command, used, hurt, reloaded and stopped."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from local import census, commands, logs, ports, processes, wait
from local.secrets import SERVICES
from local.shop import Shop
from local.tests.test_postgres import connected
from local.venv import ROOT

LEDGERS = {"stock": {"stock_movement"}, "orders": {"orders_orderevent"}}
PASSWORD = "a password of the shopkeeper's own"  # noqa: S105


def command(shop: Shop, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A command of the Makefile, on this shop."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_PORT")}
    options = ("--state", str(shop.state.folder), "--port-offset", str(shop.offset))
    return subprocess.run(
        [sys.executable, "-m", "local", *words, *options],
        cwd=ROOT,
        env=kept | {"SEED": "none"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def ask(shop: Shop, path: str, body: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """A document of the API, and the request's id."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(shop.url + path, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.loads(answer.read()), answer.headers["X-Request-ID"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop") / "state", ports.free_offset())
    done = command(shop, "up", STAFF_EMAIL="keeper@example.com", STAFF_PASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr
    assert f"http://localhost:{shop.ports['GATEWAY_PORT']}/docs/" in done.stdout
    assert "keeper@example.com" in done.stdout
    assert PASSWORD not in done.stdout
    yield shop
    shop.forget()


def test_every_process_runs_as_somebody_who_is_not_root(shop: Shop) -> None:
    known = shop.supervisor.processes()
    assert set(known) == set(shop.table)
    users = {psutil.Process(each["pid"]).uids().effective for each in known.values()}
    assert users == {shop.user.uid}
    assert 0 not in users


def test_the_staff_account_signs_in_with_the_given_password(shop: Shop) -> None:
    body = {"email": "keeper@example.com", "password": PASSWORD}
    assert ask(shop, "/api/v1/customers/token", body)[0]["access"]


def test_a_second_up_leaves_what_runs_alone_and_sets_a_new_password(shop: Shop) -> None:
    before = {name: known["pid"] for name, known in shop.supervisor.processes().items()}
    done = command(shop, "up", STAFF_EMAIL="keeper@example.com", STAFF_PASSWORD=PASSWORD + "!")
    assert done.returncode == 0, done.stderr
    assert {name: known["pid"] for name, known in shop.supervisor.processes().items()} == before
    body = {"email": "keeper@example.com", "password": PASSWORD + "!"}
    assert ask(shop, "/api/v1/customers/token", body)[0]["access"]


@pytest.mark.parametrize("name", ["products-1", "orders-worker", "postgres", "testpay"])
def test_what_dies_is_started_again(shop: Shop, name: str) -> None:
    before = shop.pid(name)
    shop.signal(name, signal.SIGKILL)
    wait.until(lambda: shop.pid(name) not in (0, before), seconds=20, what=f"another {name}")
    shop.wait_ready(name)
    wait.until(lambda: wait.answers(shop.url + "/api/v1/products"), seconds=20, what="products through the gateway")


def test_a_killed_nginx_leaves_no_workers_with_old_configuration(shop: Shop) -> None:
    before = set(census.nginx(shop.state))
    assert len(before) >= 2
    shop.signal("nginx", signal.SIGKILL)
    wait.until(lambda: before.isdisjoint(census.nginx(shop.state)), seconds=20, what="the old nginx to be gone")
    shop.wait_ready("nginx")
    assert psutil.Process(shop.pid("nginx")) in census.nginx(shop.state)


def test_an_extra_variable_reaches_one_process_and_goes_again(shop: Shop) -> None:
    shop.restart("stock", {"LOG_LEVEL": "DEBUG"})
    assert psutil.Process(shop.pid("stock")).environ()["LOG_LEVEL"] == "DEBUG"
    shop.restart("stock", {})
    assert "LOG_LEVEL" not in psutil.Process(shop.pid("stock")).environ()


def test_a_reload_replaces_every_worker_and_keeps_every_master(shop: Shop) -> None:
    masters = {name: shop.pid(name) for name in processes.WEB}
    workers = {child.pid for pid in masters.values() for child in psutil.Process(pid).children()}
    assert command(shop, "reload").returncode == 0
    assert {name: shop.pid(name) for name in processes.WEB} == masters
    assert workers.isdisjoint(child.pid for pid in masters.values() for child in psutil.Process(pid).children())


def test_one_request_is_found_in_every_log_it_left_a_line_in(shop: Shop) -> None:
    _, request_id = ask(shop, "/api/v1/stock?sku=unknown")

    def known() -> list[str]:
        return [line.split()[1] for line in logs.way(shop.state.log, request_id)]

    wait.until(lambda: known() == ["nginx", "stock"], seconds=5, what="both lines")


def test_the_whole_shop_at_rest_fits_in_900_mib(shop: Shop) -> None:
    told = command(shop, "status").stdout
    assert all(re.search(rf"^{name} +running", told, re.MULTILINE) for name in shop.table)
    sizes = {name: float(size) for name, size in re.findall(r"^(\S+) .*?([0-9.]+) MiB$", told, re.MULTILINE)}
    assert 100 < sizes["total"] - sizes.get("prometheus", 0) - sizes.get("exporter", 0) < 900


def test_down_ends_everything_also_after_supervisor_died_and_up_finds_the_data(shop: Shop) -> None:
    os.kill(shop.supervisor.own_pid(), signal.SIGKILL)
    wait.until(lambda: not shop.supervisor.alive(), seconds=5, what="supervisord to die")
    assert "processes are left" in command(shop, "status").stdout
    assert command(shop, "down").stdout.startswith("stopped ")
    assert census.members(shop.state) == []
    ports.check_free(shop.ports)
    begin = time.monotonic()
    assert command(shop, "up").returncode == 0
    assert time.monotonic() - begin < 60
    body = {"email": "keeper@example.com", "password": PASSWORD + "!"}
    assert ask(shop, "/api/v1/customers/token", body)[0]["access"]


def test_a_shop_says_where_prometheus_is_and_does_without_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = Shop(tmp_path / "state", settings={"MONITORING": "off"})
    assert {"prometheus", "exporter"}.isdisjoint(lone.table)
    assert "apt-get install prometheus" in commands.prometheus_line(lone)
    (tmp_path / "prometheus").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    watched = Shop(tmp_path / "state", offset=100)
    assert {"prometheus", "exporter"} <= set(watched.table)
    assert commands.prometheus_line(watched) == "http://localhost:9190/"
    (tmp_path / "prometheus").unlink()
    assert {"prometheus", "exporter"}.isdisjoint(Shop(tmp_path / "state").table)


@pytest.mark.parametrize("service", SERVICES)
def test_the_application_only_adds_to_ledgers_and_owns_nothing(shop: Shop, service: str) -> None:
    with connected(shop, service, service) as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%\\_append\\_only'")
        ledgers = {row[0] for row in cursor.fetchall()}
        assert LEDGERS.get(service, set()) <= ledgers
        for ledger in ledgers:
            for refused in ("DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET id = id"):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(refused.format(ledger))
        for statement in ("CREATE TABLE mine (id int)", "DROP TABLE django_migrations", "ALTER ROLE auditor SUPERUSER"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)


@pytest.mark.parametrize("service", SERVICES)
def test_whoever_comes_as_the_application_holds_nobody_up(shop: Shop, service: str) -> None:
    limits = {"statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s"}
    with connected(shop, service, service) as cursor:
        for name, value in limits.items():
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == (value,), name


def test_no_secret_is_in_a_process_list_an_environment_or_a_log(shop: Shop) -> None:
    kept = [path for path in shop.state.secrets.rglob("*") if path.is_file() and path.suffix not in (".json", ".crt")]
    words = {path.read_text().strip() for path in kept if path.name != "staff_email"} | {PASSWORD}
    told = [*(" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"]))]
    mine = [each["pid"] for each in shop.supervisor.processes().values() if each["pid"]]
    told += [f"{psutil.Process(pid).environ()}" for pid in mine]
    told += [path.read_text(errors="replace") for path in shop.state.log.rglob("*") if path.is_file()]
    assert len(words) > 20
    assert len(mine) > 8
    assert not [word[:4] for word in words for text in told if word in text]


def test_clean_leaves_nothing(tmp_path: Path, shop: Shop) -> None:
    assert command(shop, "clean").returncode == 0
    assert not shop.state.folder.exists()
    assert census.members(shop.state) == []
