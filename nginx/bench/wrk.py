"""wrk, the load generator (Debian package wrk): one run, parsed."""

import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# As a batch job (sched(7)): a client on a machine of its own would not drive the server from its processors with each
# answer that it gets. As an ordinary process wrk does, and then the cost of changing between the two is measured too.
WRK = ("chrt", "--batch", "0", "wrk")
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Run:
    """What a run measured: requests a second, and the median and 99th percentile in seconds."""

    rate: float
    p50: float
    p99: float


def require() -> None:
    """Ends the program with one line where wrk is not installed."""
    if shutil.which("wrk") is None:
        sys.exit("This measurement needs wrk: `apt-get install wrk`")


def wrk(url: str, *, connections: int, seconds: int, threads: int = 1, script: str = "") -> Run:
    """Runs wrk and parses what it says; ends the program when a request failed, for then the figures mean nothing."""
    lua = ["-s", str(Path(__file__).with_name(script))] if script else []
    command = [*WRK, f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", *lua, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if wrong := re.search(r"Non-2xx.*|Socket errors.*", text):
        sys.exit(f"{url}: {wrong[0]}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert rate is not None, text
    return Run(float(rate[1]), *(_latency(text, share) for share in ("50%", "99%")))


def computed(pid: int) -> float:
    """Seconds of processor time that a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def computed_by_children() -> float:
    """Seconds of processor time of the programs that were run from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _latency(text: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", text)
    assert found is not None, text
    return float(found[1]) * SECONDS[found[2]]
