import re
from pathlib import Path

import pytest

from local import commands, environment, gateway, ports, prepare, secrets
from local.secrets import SERVICES
from local.shop import Shop
from local.venv import ROOT

READ = re.compile(r"\b(?:env\.)?(?:text|integer|flag|words|database|email|secret|choice|currency)\(\s*\"([A-Z_]+)\"")
ONE_SHOT = {"DATABASE_OWNER_URL", "STAFF_EMAIL", "STAFF_PASSWORD"}
# Fault runs give it to single processes; a shop that sells never has it.
FAULT_RUNS = {"FAULTS"}


def read_by(*folders: Path) -> set[str]:
    files = [path for folder in folders for path in folder.rglob("*.py") if "tests" not in path.parts]
    return {name for path in files for name in READ.findall(path.read_text())}


def given(shop: Shop, *names: str) -> set[str]:
    variables = {name for process in names for name in shop.env(process)}
    return {name.removesuffix("_FILE") for name in variables}


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_that_a_service_reads_is_given_or_passed_on(service: str, state: Path) -> None:
    shop = Shop(state)
    own = [name for name, process in shop.table.items() if process.folder == ROOT / service]
    unknown = read_by(ROOT / service, ROOT / "chassis" / "src") - given(shop, *own)
    # Where staff sign in, nobody has to prove to itself who it is.
    provider = {"OIDC_CLIENT_SECRET"} if service == "customers" else set()
    assert unknown <= {*environment.PASSED_ON, *ONE_SHOT, *FAULT_RUNS, *provider}


def test_nothing_is_passed_on_that_nobody_reads() -> None:
    read = read_by(ROOT / "chassis" / "src", *(ROOT / service for service in SERVICES))
    assert set(environment.PASSED_ON) <= read


def test_what_is_set_is_passed_on_and_wins_over_the_default(state: Path) -> None:
    shop = Shop(state, settings={"EMAIL_URL": "smtp://mail:25", "CURRENCY": "EUR", "HOSTNAME": "terminal"})
    variables = shop.env("orders-worker")
    assert (variables["EMAIL_URL"], variables["CURRENCY"]) == ("smtp://mail:25", "EUR")
    assert "HOSTNAME" not in variables
    assert Shop(state).env("orders")["EMAIL_URL"] == f"filemail:///{state}/mail"


def test_no_secret_is_in_an_environment_but_as_the_name_of_its_file(state: Path) -> None:
    shop = Shop(state)
    variables = [item for process in shop.table for item in shop.env(process).items()]
    files = {name: value for name, value in variables if "secrets" in Path(value).parts}
    assert {"SECRET_KEY_FILE", "SERVICE_KEY_FILE", "DATABASE_URL_FILE", "PAYMENT_SECRET_FILE"} <= set(files)
    assert all(name.endswith("_FILE") and Path(value).is_relative_to(state) for name, value in files.items())


def test_each_service_knows_its_own_secret_for_the_staffs_sign_in_and_customers_those_of_all(state: Path) -> None:
    shop = Shop(state)
    own = {name: shop.env(name).get("OIDC_CLIENT_SECRET_FILE") for name in ("products-1", "stock", "cart", "orders")}
    assert own == {name: f"{state}/secrets/{name.removesuffix('-1')}/oidc_client_secret" for name in own}
    holders = {name for name in shop.table if "OIDC_CLIENTS_FILE" in shop.env(name)}
    assert holders == {"customers", "customers-worker"}


def test_a_new_secret_of_the_staffs_sign_in_is_registered_at_the_next_start(state: Path) -> None:
    shop = Shop(state)
    shop.state.create(shop.user)

    def fingerprints() -> dict[str, str]:
        secrets.generate(shop.state.secrets, "127.0.0.1:5442", shop.user)
        return {service: prepare._fingerprint(shop, service) for service in SERVICES}

    before = fingerprints()
    assert fingerprints() == before
    (shop.state.secrets / "stock" / "oidc_client_secret").unlink()
    assert {service for service, now in fingerprints().items() if now != before[service]} == {"customers"}


def test_only_orders_and_its_payment_provider_share_a_secret(state: Path) -> None:
    shop = Shop(state)
    holders = {name for name in shop.table if "PAYMENT_SECRET_FILE" in shop.env(name)}
    assert holders == {"orders", "orders-worker", "testpay"}


def test_there_is_no_test_payment_provider_in_production(state: Path) -> None:
    assert "testpay" not in Shop(state, settings={"DJANGO_ENV": "production"}).table


def test_an_extra_variable_is_for_one_process_only(state: Path) -> None:
    shop = Shop(state, extra={"products-1": {"DELAY": "1"}})
    assert [name for name in shop.table if "DELAY" in shop.env(name)] == ["products-1"]


def test_the_gateway_knows_every_address_of_this_shop(state: Path) -> None:
    shop = Shop(state, 100, {"GATEWAY_BIND": "0.0.0.0", "STOCK_PORT": "7000", "LIMIT_RATE": "5r/s"})  # noqa: S104
    variables = shop.env("nginx")
    assert set(variables) - set(environment.base(shop.state)) <= {*gateway.names(), "MEDIA_ROOT"}
    assert variables["GATEWAY_LISTEN"] == "0.0.0.0:8180"
    assert (variables["STOCK_ADDRESS"], variables["CART_ADDRESS"]) == ("127.0.0.1:7000", "127.0.0.1:5104")
    assert variables["LIMIT_RATE"] == "5r/s"
    assert (Path(variables["DOCS_ASSETS"]) / "swagger-ui-bundle.js").is_file()


def test_the_listener_for_tls_moves_with_the_shop_and_is_told(state: Path) -> None:
    shop = Shop(state, 100, {"GATEWAY_BIND": "0.0.0.0", "GATEWAY_TLS": "on"})  # noqa: S104
    assert shop.env("nginx")["GATEWAY_TLS_LISTEN"] == "0.0.0.0:8543"
    assert "https://localhost:8543/" in commands.tls_line(shop)
    own = Shop(state, 100, {"GATEWAY_TLS": "on", "GATEWAY_TLS_LISTEN": "127.0.0.2:443"})
    assert own.env("nginx")["GATEWAY_TLS_LISTEN"] == "127.0.0.2:443"
    assert "https://localhost:443/" in commands.tls_line(own)
    assert commands.tls_line(Shop(state)) == ""


def test_ports_that_tests_ask_for_are_free() -> None:
    ports.check_free(ports.resolve({}, ports.free_offset()))
