"""What the engine was told of each container, and what is true inside."""

import json
import re
import threading
import urllib.error
import urllib.request

import pytest
import yaml

from tests.engine import PROJECT, WEB, Containers, run

pytestmark = pytest.mark.engine
ONE_SHOTS = {
    *(f"{service}-prepare" for service in ("products", "stock", "customers", "cart", "orders")),
    "secrets",
    "products-import",
    "welcome",
}
# Tries every address given as an argument and prints those that answer.
REACH = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def answers(address):
    try:
        return socket.create_connection((address, 5432), 2).close() or True
    except OSError:
        return False
print(*(a for a, ok in zip(sys.argv[1:], ThreadPoolExecutor(20).map(answers, sys.argv[1:])) if ok))
"""


def test_every_container_is_confined(shop: Containers) -> None:
    for name, container in shop.all().items():
        host = container["HostConfig"]
        assert re.fullmatch(r"[1-9][0-9]*:[0-9]+", container["Config"]["User"]), name
        assert host["ReadonlyRootfs"] is True, name
        assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert min(host["Memory"], host["NanoCpus"], host["PidsLimit"]) > 0, name
        assert host["RestartPolicy"]["Name"] == ("no" if name in ONE_SHOTS else "unless-stopped"), name
        assert not [mount for mount in container["Mounts"] if "docker.sock" in mount["Source"]], name


def test_the_processes_inside_have_no_rights_and_cannot_write_to_the_root(shop: Containers) -> None:
    for name in shop.running():
        lines = shop.execute(name, "cat", "/proc/1/status").splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert "0" not in status["Uid"].split(), name
        assert (int(status["CapEff"], 16), int(status["CapBnd"], 16), status["NoNewPrivs"]) == (0, 0, "1"), name
        written = shop.execute(name, "sh", "-c", "touch /tried 2>&1 || echo refused")
        assert "Read-only" in written, f"{name}: {written}"


def test_every_running_container_is_healthy(shop: Containers) -> None:
    unwell = {name: each["State"]["Health"]["Status"] for name, each in shop.running().items()}
    assert set(unwell.values()) <= {"healthy", "starting"}, unwell
    assert all(unwell[name] == "healthy" for name in (*WEB, "gateway")), unwell


def test_one_shots_ended_well(shop: Containers) -> None:
    ended = {name: each["State"]["ExitCode"] for name, each in shop.all().items() if not each["State"]["Running"]}
    assert ended == dict.fromkeys(ONE_SHOTS, 0)


def test_only_the_gateway_is_published_beyond_loopback(shop: Containers) -> None:
    published = {
        name: {
            (binding["HostIp"], int(binding["HostPort"])) for bindings in ports.values() for binding in bindings or ()
        }
        for name, each in shop.running().items()
        if any((ports := each["NetworkSettings"]["Ports"]).values())
    }
    for name, variable in (("prometheus", "PROMETHEUS_PORT"), ("gateway", "GATEWAY_PORT"), ("cart", "CART_PORT")):
        assert published[name] == {("127.0.0.1", shop.ports[variable])}
    assert set(published) - {"grafana"} == {*WEB, "gateway", "prometheus"}
    assert {address for found in published.values() for address, _ in found} == {"127.0.0.1"}
    # That is what this test asked for; by default the gateway, and nothing else, is reached from other machines.
    default = yaml.safe_load(shop.compose("config", without="GATEWAY_BIND"))["services"]
    beyond = {name for name, each in default.items() if any("127.0.0.1" not in str(p) for p in each.get("ports", ()))}
    assert beyond == {"gateway"}


def test_a_service_reaches_its_own_database_and_no_other(shop: Containers) -> None:
    running = shop.running()
    servers = {
        name: next(iter(each["NetworkSettings"]["Networks"].values()))["IPAddress"]
        for name, each in running.items()
        if name.endswith("-db")
    }
    assert len(servers) == 5
    for name in (*WEB, "stock-worker", "customers-worker", "orders-worker", "testpay"):
        own = f"{name.split('-')[0].replace('testpay', 'orders')}-db"
        # By name and by address.
        reached = shop.execute(name, "python", "-c", REACH, *servers, *servers.values()).split()
        assert reached == [own, servers[own]], name
    assert all(list(running[name]["NetworkSettings"]["Networks"]) == [f"{PROJECT}_{name}"] for name in servers)


def test_the_payment_provider_is_reached_by_orders_alone(shop: Containers) -> None:
    script = REACH.replace("5432", "8000")
    address = next(iter(shop.inspect("testpay")["NetworkSettings"]["Networks"].values()))["IPAddress"]
    reached = {
        name: bool(shop.execute(name, "python", "-c", script, address).split()) for name in (*WEB, "orders-worker")
    }
    assert {name for name, ok in reached.items() if ok} == {"orders", "orders-worker"}


def test_no_secret_is_in_what_the_engine_tells_or_in_an_image(shop: Containers) -> None:
    secrets = {path: text for path, text in shop.secrets().items() if path != "service_jwks.json"}
    assert len(secrets) > 30
    images = sorted({each["Config"]["Image"] for each in shop.all().values()})
    told = json.dumps(shop.all()) + run("docker", "inspect", *images)
    told += "".join(run("docker", "history", "--no-trunc", image) for image in images)
    assert [path for path, text in secrets.items() if json.dumps(text)[1:-1] in told] == []


def test_each_container_holds_the_secrets_that_it_needs(shop: Containers) -> None:
    service = {"secret_key", "service_key.pem", "service_jwks.json", "url", "public_url", "database_tls.crt"}
    server = {"superuser_password", "auditor_password", "monitor_password", "owner_url"}
    server |= {"database_tls.crt", "database_tls.key"}
    expected = {
        **dict.fromkeys(
            ("products-1", "products-2", "stock", "stock-worker", "cart"), service | {"oidc_client_secret"}
        ),
        **dict.fromkeys(("customers", "customers-worker"), service | {"oidc_clients.json"}),
        **dict.fromkeys(("orders", "orders-worker"), service | {"oidc_client_secret", "payment_secret"}),
        "testpay": {"url", "payment_secret", "database_tls.crt"},
        "cart-db": server | {"cart"},
        "orders-db": server | {"orders", "testpay"},
        "exporter": {"monitor_password"},
    }
    for name, files in expected.items():
        assert set(shop.execute(name, "ls", "/secrets").split()) == files, name
        assert "Read-only" in shop.execute(name, "sh", "-c", "touch /secrets/tried 2>&1 || true"), name
    holders = {
        name for name, each in shop.all().items() if any(m["Destination"] == "/secrets/all" for m in each["Mounts"])
    }
    assert holders == {"secrets"}


def test_a_process_that_ends_is_started_again(shop: Containers) -> None:
    before = shop.inspect("stock-worker")["RestartCount"]
    shop.execute("stock-worker", "sh", "-c", "kill 1")
    done = threading.Event()
    for _ in range(120):
        state = shop.inspect("stock-worker")
        if state["RestartCount"] > before and state["State"]["Running"]:
            return
        done.wait(0.5)
    pytest.fail("stock-worker did not come back")


def test_what_is_not_published_is_not_reached_through_the_gateway(shop: Containers) -> None:
    for path in ("/metrics", "/internal/variants", "/readyz", "/livez"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(shop.url + path, timeout=10)
        assert refused.value.code == 404, path
