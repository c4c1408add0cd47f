"""More instances: by one line, or by a name server's word alone."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import Start
from tests.support.client import ask
from tests.support.processes import Gateway, Upstream, free_port, wait_until

LINE = "server 127.0.0.1:{port} resolve max_fails=2 fail_timeout=1s;\n"


@pytest.fixture
def third() -> Iterator[Upstream]:
    """One more instance of products."""
    instance = Upstream("products-3")
    yield instance
    instance.end()


def asked(gateway: Gateway) -> set[str]:
    """Which instances answer a dozen uncached reads."""
    return {
        ask(gateway.port, "/api/v1/products", headers={"Cookie": "a=b"}).header("X-Served-By") or "" for _ in range(12)
    }


def test_a_third_instance_is_one_line(start: Start, third: Upstream) -> None:
    gateway = start()
    assert asked(gateway) == {"products-1", "products-2"}
    with (gateway.folder / "conf" / "conf.d" / "products-instances.conf").open("a") as file:
        file.write(LINE.format(port=third.port))
    gateway.reload()
    wait_until(lambda: asked(gateway) == {"products-1", "products-2", "products-3"}, "all three answer", 5)


def test_instances_behind_a_name_come_and_go_by_dns_without_a_reload(start: Start) -> None:
    """Two addresses of this machine, one port: as containers of one service have it."""
    port = free_port()
    one, other = (Upstream(name, port, host=f"127.0.0.{i}") for i, name in ((1, "products-1"), (2, "products-2")))
    try:
        with name_server(["127.0.0.1"]) as (resolver, addresses):
            name = f"products.test:{port}"
            gateway = start(RESOLVER=resolver, PRODUCTS_1_ADDRESS=name, PRODUCTS_2_ADDRESS=name)
            upstreams = gateway.folder / "conf" / "conf.d" / "upstreams.conf"
            upstreams.write_text(upstreams.read_text().replace("valid=5s", "valid=1s"))
            gateway.reload()
            wait_until(lambda: asked(gateway) == {"products-1"}, "the one that has a name answers", 5)
            addresses.append("127.0.0.2")
            wait_until(lambda: asked(gateway) == {"products-1", "products-2"}, "the new one is found", 8)
            addresses.remove("127.0.0.1")
            wait_until(lambda: asked(gateway) == {"products-2"}, "the old one is forgotten", 8)
    finally:
        one.end()
        other.end()


@contextmanager
def name_server(addresses: list[str]) -> Iterator[tuple[str, list[str]]]:
    """A DNS server (RFC 1035) that knows these addresses, whatever it is asked for, for one second; its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while (received := server.recvfrom(512))[0] != b"end":
                question, client = received
                answers = b"".join(
                    b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04" + socket.inet_aton(it) for it in addresses
                )
                head = question[:2] + b"\x81\x80\x00\x01" + len(addresses).to_bytes(2, "big") + b"\0\0\0\0"
                server.sendto(head + question[12:] + answers, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield "{}:{}".format(*server.getsockname()), addresses
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"end", server.getsockname())
            thread.join()
