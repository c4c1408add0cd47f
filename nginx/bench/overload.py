"""What happens at five times the load that the shop can carry: `make -C nginx overload`.

Two real gunicorns (one worker, eight threads, 20 ms a request: 800 requests a second together) behind the gateway
with its default limits. Clients arrive at a fixed rate, whether or not earlier ones have been answered.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import Gateway, free_port, listens, wait_until

CAPACITY = 800
SECONDS = float(os.environ.get("SECONDS_A_ROUND", "8"))
GUNICORN = ("-k", "gthread", "--threads", "8", "--keep-alive", "75", "--no-control-socket", "--log-level", "critical")
HEAD = "GET /api/v1/products/page-{} HTTP/1.1\r\nHost: localhost\r\n\r\n"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Outcome:
    """Answers by status, and how long those of each status took in seconds."""

    seconds: dict[int, list[float]] = field(default_factory=dict)

    def add(self, status: int, seconds: float) -> None:
        """Counts one answer."""
        self.seconds.setdefault(status, []).append(seconds)

    def percentile(self, status: int, share: float) -> float:
        """Milliseconds."""
        values = sorted(self.seconds.get(status, [0.0]))
        return values[int(share * (len(values) - 1))] * 1000


def main() -> None:
    """Measures at 0.9, 1, 2 and 5 times the capacity and prints a table."""
    print(
        "| load | offered/s | 200/s | p50, p99 of 200 | shed/s | p99 of 429 | others |\n|---|---|---|---|---|---|---|"
    )
    peak = 0.0
    with shop() as gateway:
        for factor in (0.9, 1, 2, 5):
            outcome = asyncio.run(offer(gateway.port, CAPACITY * factor))
            counts = Counter({status: len(values) for status, values in outcome.seconds.items()})
            good, shed = counts.pop(200, 0) / SECONDS, counts.pop(429, 0) / SECONDS
            peak = max(peak, good)
            times = f"{outcome.percentile(200, 0.5):.0f}, {outcome.percentile(200, 0.99):.0f} ms"
            late = f"{outcome.percentile(429, 0.99):.0f} ms"
            print(
                f"| {factor} | {CAPACITY * factor:.0f} | {good:.0f} | {times} | {shed:.0f} | {late} | {dict(counts)} |",
                flush=True,
            )
    print(f"\ngoodput at five times the load: {good / peak:.0%} of its peak (goal 90 %)")


@contextlib.contextmanager
def shop() -> Iterator[Gateway]:
    """The gateway before two gunicorns."""
    ports = [free_port(), free_port()]
    root = Path(__file__).resolve().parent.parent
    services = [
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *GUNICORN, "-b", f"127.0.0.1:{port}", "bench.busy"], cwd=root
        )
        for port in ports
    ]
    try:
        for port in ports:
            wait_until(lambda port=port: listens(port), "gunicorn listens")  # type: ignore[misc]
        with tempfile.TemporaryDirectory() as name:
            Path(name).chmod(0o755)
            addresses = {f"PRODUCTS_{i}_ADDRESS": f"127.0.0.1:{port}" for i, port in enumerate(ports, 1)}
            gateway = Gateway(Path(name), addresses).start()
            try:
                yield gateway
            finally:
                gateway.stop()
    finally:
        for service in services:
            service.terminate()
            service.wait(20)


async def offer(port: int, rate: float) -> Outcome:
    """So many requests a second for some seconds, and their answers; the first second does not count."""
    outcome = Outcome()
    idle: list[Connection] = []
    tasks: set[asyncio.Task[None]] = set()
    begin = time.monotonic()
    for number in range(int(rate * (SECONDS + 1))):
        due = begin + number / rate
        while (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(
            one(port, f"{number}-{time.time_ns()}", idle, outcome if due > begin + 1 else Outcome())
        )
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if number % 20 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    for _, writer in idle:
        writer.close()
    return outcome


async def one(port: int, page: str, idle: list[Connection], outcome: Outcome) -> None:
    """One request, on a connection that is free or a new one."""
    began = time.monotonic()
    reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.format(page).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    await reader.readexactly(int(head.lower().split("content-length: ")[1].split("\r\n")[0]))
    outcome.add(int(head.split(" ")[1]), time.monotonic() - began)
    idle.append((reader, writer))


if __name__ == "__main__":
    main()
