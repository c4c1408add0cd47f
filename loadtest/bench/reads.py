"""Reads: by wrk (Debian package wrk), whose cost is small; by threads of our own where it is not installed."""

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from loadtest.bench.crowd import Tally, crowd, expect
from loadtest.bench.sample import Sample
from loadtest.bench.wire import Wire

CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("reads.lua")


def client() -> str:
    """Who reads."""
    return "wrk" if shutil.which("wrk") else "Python threads, which limit what is measured (install wrk)"


def read(port: int, paths: Sequence[str], seconds: float, *, distinct: bool = False, threads: int = 1) -> Sample:
    """The paths in turn, over 16 connections. ``distinct``: each path ends in a number that is new."""
    if shutil.which("wrk"):
        return _by_wrk(port, paths, seconds, distinct=distinct, threads=threads)
    return _by_threads(port, paths, seconds, distinct=distinct)


def _by_wrk(port: int, paths: Sequence[str], seconds: float, *, distinct: bool, threads: int) -> Sample:
    first = str(random.randrange(10**9)) if distinct else ""  # noqa: S311 - not a secret
    command = ["wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(SCRIPT)]
    command += [f"http://127.0.0.1:{port}", "--", first, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own addresses
    return parsed(done.stdout)


def parsed(said: str) -> Sample:
    """The figures of reads.lua, which are the last line that wrk prints."""
    told = json.loads(said.strip().splitlines()[-1])
    errors = Counter({f"wrk: {name}": number for name, number in told["errors"].items() if number})
    return Sample(told["requests"] - told["errors"]["status"], told["seconds"], told["times"], errors)


def _by_threads(port: int, paths: Sequence[str], seconds: float, *, distinct: bool) -> Sample:
    def person(wire: Wire, chance: random.Random, tally: Tally) -> None:
        path = chance.choice(paths) + (str(chance.randrange(10**9)) if distinct else "")
        with tally.timed("read"):
            expect(wire.ask("GET", path), 200)

    return Sample.of(crowd(person, port=port, people=CONNECTIONS, seconds=seconds), "read")
