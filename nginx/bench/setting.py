"""A gateway to measure: in front of an upstream that costs next to nothing (nginx, one body from memory)."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.plain import COUNT, PROBE, UPSTREAM, plain
from tests.support.processes import Gateway, all_workers, free_port

# As large as a list of 20 products.
BODY = b'{"results": [' + b"x" * 4080 + b"]}"

CORES = os.cpu_count() or 1

# What runs njs for each request.
HOOK = "access_log /dev/null json if=$observe_unless_refused;"

# The yardstick: a static file as nginx serves it without anything else on.
STATIC = """
server {{
    listen 127.0.0.1:{port} backlog=4096;
    access_log off;
    root "{root}";
}}
"""


@dataclass(frozen=True)
class Side:
    """An address that is measured, and the process ids of the workers who answer there."""

    url: str
    workers: frozenset[int]


@dataclass(frozen=True)
class Setting:
    """What is measured: `unmetered` has no metrics, `probe` is as little as can be; and the two gateways of it."""

    cached: Side
    unmetered: Side
    static: Side
    probe: Side
    upstream: str
    gateway: Gateway
    bare: Gateway


@contextlib.contextmanager
def setting() -> Iterator[Setting]:
    """Starts upstream, gateways and probe; ends them afterwards."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        upstream = stack.enter_context(_upstream(folder / "upstream"))
        probe = stack.enter_context(_probe(folder / "probe", upstream))
        addresses = {f"PRODUCTS_{i}_ADDRESS": f"127.0.0.1:{upstream}" for i in (1, 2)}
        gateway = Gateway(folder / "gateway", addresses, GATEWAY_WORKERS="auto")
        static = _add_static(gateway)
        bare = Gateway(folder / "unmetered", addresses, GATEWAY_WORKERS="auto")
        log = bare.folder / "conf" / "conf.d" / "log.conf"
        assert HOOK in log.read_text()
        log.write_text(log.read_text().replace(HOOK, ""))
        for one in (gateway, bare):
            stack.callback(one.stop)
            one.start()
        yield Setting(
            _side(gateway.port, all_workers(gateway.pid, CORES)),
            _side(bare.port, all_workers(bare.pid, CORES)),
            _side(static, all_workers(gateway.pid, CORES), "/body.json"),
            probe,
            f"http://127.0.0.1:{upstream}/api/v1/products",
            gateway,
            bare,
        )


def _side(port: int, workers: set[int], path: str = "/api/v1/products") -> Side:
    return Side(f"http://127.0.0.1:{port}{path}", frozenset(workers))


def _add_static(gateway: Gateway) -> int:
    """Has the gateway serve the file too; returns the port."""
    port, root = free_port(), gateway.folder / "media"
    (root / "body.json").write_bytes(BODY)
    internal = gateway.folder / "conf" / "conf.d" / "internal.conf"
    internal.write_text(internal.read_text() + STATIC.format(port=port, root=root))
    return port


@contextlib.contextmanager
def _upstream(folder: Path) -> Iterator[int]:
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "body.json").write_bytes(BODY)
    with plain(folder, *UPSTREAM, workers=1) as (port, _):
        yield port


@contextlib.contextmanager
def _probe(folder: Path, upstream: int) -> Iterator[Side]:
    folder.mkdir()
    (folder / "count.js").write_text(COUNT)
    location, http = PROBE
    with plain(folder, location.replace("UPSTREAM", str(upstream)), http, workers=CORES) as (port, workers):
        yield _side(port, workers)
