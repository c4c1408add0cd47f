"""Which way of balancing for products? The measurement of docs/adr/002: `make -C nginx balancing`.

The gateway's own configuration with another balancing directive each time, in front of two instances that each do eight
things at a time. 24 clients with addresses of their own read pages of the catalogue, some far more often than others,
past the cache, with pauses of 10 ms on average: who never pauses steps into the gap that his own last request left, and
least_conn would send him to the same instance for ever. Once with equal instances, once with one that takes 100 ms
longer for everything.
"""

import asyncio
import contextlib
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.support.processes import Gateway, free_port, listens, wait_until

METHODS = {
    "round robin": "",
    "least_conn": "least_conn;",
    "random": "random;",
    "random two": "random two least_conn;",
    "hash $request_uri": "hash $request_uri;",
    "ip_hash": "ip_hash;",
}
CLIENTS = 24
PAUSE = 0.01
PAGES = 1000
SECONDS = float(os.environ.get("SECONDS_A_ROUND", "3"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))


@dataclass(frozen=True)
class Result:
    """One run: requests a second; seconds at three percentiles of all requests, and the median of the client whose
    median is the longest; the first instance's share.
    """

    rate: float
    p50: float
    p95: float
    p99: float
    unluckiest: float
    share: float


def main() -> None:
    """Prints a table of medians, as ADR 002 has it."""
    for title, extra in (("two equal instances", 0.0), ("products-2 takes 100 ms longer", 0.1)):
        results: dict[str, list[Result]] = {method: [] for method in METHODS}
        with instances(extra) as ports:
            for number, method in itertools.product(range(ROUNDS), METHODS):
                print(f"\r\033[K{title}: round {number + 1} of {ROUNDS}, {method}", end="", file=sys.stderr, flush=True)
                with balanced(METHODS[method], ports) as gateway:
                    results[method].append(asyncio.run(measure(gateway.port)))
        print("\r\033[K", end="", file=sys.stderr)
        print(f"\n{title}, {CLIENTS} clients, {ROUNDS} rounds of {SECONDS:g} s, medians\n")
        print("| | requests/s | p50 | p95 | p99 | p50 of the unluckiest client | share of products-1 |")
        print("|---|---|---|---|---|---|---|")
        for method, runs in results.items():
            rate, share = median(it.rate for it in runs), median(it.share for it in runs)
            columns = zip(*((it.p50, it.p95, it.p99, it.unluckiest) for it in runs), strict=True)
            times = [median(values) * 1000 for values in columns]
            print(f"| {method} | {rate:.0f} | {' | '.join(f'{it:.0f} ms' for it in times)} | {share:.0%} |")


@contextlib.contextmanager
def instances(extra: float) -> Iterator[list[int]]:
    """Two instances, the second one slower by `extra` seconds; their ports."""
    ports = [free_port(), free_port()]
    command = [sys.executable, "-m", "bench.instance"]
    arguments = [(str(ports[0]), "products-1", "0"), (str(ports[1]), "products-2", str(extra))]
    processes = [subprocess.Popen([*command, *words]) for words in arguments]
    try:
        for port in ports:
            wait_until(lambda port=port: listens(port), "an instance listens")  # type: ignore[misc]
        yield ports
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)


@contextlib.contextmanager
def balanced(directive: str, ports: list[int]) -> Iterator[Gateway]:
    """The gateway with this directive in the place of least_conn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        addresses = {f"PRODUCTS_{i}_ADDRESS": f"127.0.0.1:{port}" for i, port in enumerate(ports, 1)}
        gateway = Gateway(folder, addresses)
        upstreams = folder / "conf" / "conf.d" / "upstreams.conf"
        upstreams.write_text(upstreams.read_text().replace("    least_conn;", f"    {directive}"))
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()


async def measure(port: int) -> Result:
    """All clients for some seconds; the first half second does not count."""
    names: Counter[str] = Counter()
    start = time.monotonic() + 0.5
    of_each = await asyncio.gather(*(client(port, number, start, names) for number in range(CLIENTS)))
    seconds = sorted(itertools.chain(*of_each))
    p50, p95, p99 = (seconds[int(part * (len(seconds) - 1))] for part in (0.5, 0.95, 0.99))
    unluckiest = max(median(own) for own in of_each)
    return Result(len(seconds) / SECONDS, p50, p95, p99, unluckiest, names["products-1"] / names.total())


async def client(port: int, number: int, start: float, names: Counter[str]) -> list[float]:
    """One client with an address in a /24 of its own, which is what ip_hash looks at: one page after the other.

    Returns how long each took; counts in `names` who answered.
    """
    seconds = []
    pages = random.Random(number)  # noqa: S311 - the same pages in each run
    weights = list(itertools.accumulate(1 / rank for rank in range(1, PAGES + 1)))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.{number + 1}.1", 0))
    while time.monotonic() < start + SECONDS:
        await asyncio.sleep(pages.expovariate(1 / PAUSE))
        began = time.monotonic()
        page = pages.choices(range(PAGES), cum_weights=weights)[0]
        writer.write(
            f"GET /api/v1/products/page-{page} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        await reader.readexactly(2)
        if not head.startswith("HTTP/1.1 200"):
            sys.exit(f"an unexpected answer: {head}")
        if began >= start:
            seconds.append(time.monotonic() - began)
            names[head.split("X-Served-By: ")[1].split("\r\n")[0]] += 1
    writer.close()
    return seconds


if __name__ == "__main__":
    main()
