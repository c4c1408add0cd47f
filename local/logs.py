"""Reading the logs of all processes together."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

_HEADING = re.compile(r"==> (.*) <==")
_TOLD_ANYWAY = {"time", "timestamp", "service", "instance", "request_id", "level", "event"}
_SELDOM_ASKED = {"client", "protocol", "user_agent", "upstream_connect_time", "traceparent"}


def follow(folder: Path) -> None:
    """Prints the end of every log and goes on with what is added, each line with its process's name; until Ctrl-C."""
    files = sorted(map(str, folder.glob("*.log")))
    with subprocess.Popen(["tail", "-v", "-n", "5", "-F", *files], stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        name = ""
        for line in tail.stdout:
            if heading := _HEADING.fullmatch(line.strip()):
                name = Path(heading[1]).stem
            elif line.strip():
                print(f"{name:>16} | {line}", end="", flush=True)


def way(folder: Path, request_id: str) -> list[str]:
    """One request's way through the shop, a line for each thing logged of it, in the order in which they began."""
    return [text for _, text in sorted(_lines(folder, request_id))]


def _lines(folder: Path, request_id: str) -> Iterator[tuple[datetime, str]]:
    for path in folder.glob("*.log*"):
        process = path.name.split(".log")[0]
        for line in path.read_text(errors="replace").splitlines():
            entry = _parsed(line) if request_id in line else None
            if entry and entry.get("request_id") == request_id:
                begin = _begin(entry)
                yield begin, f"{begin:%H:%M:%S.%f}"[:-3] + f"  {process:<16} {_told(entry)}"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _begin(entry: dict[str, Any]) -> datetime:
    """Lines are written when a request ends; they say how long it took."""
    end = datetime.fromisoformat(entry.get("timestamp") or entry["time"]).astimezone()
    return end - timedelta(seconds=entry.get("duration", 0), milliseconds=entry.get("ms", 0))


def _told(entry: dict[str, Any]) -> str:
    left_out = _TOLD_ANYWAY | _SELDOM_ASKED
    details = (f"{key}={value}" for key, value in entry.items() if key not in left_out and value not in (None, ""))
    return " ".join([str(entry.get("event", "request")), *details])
