"""A worker's process for the tests: a job that fails at first, and one that is slow."""

import os
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from chassis import deadline, request_id  # noqa: E402
from chassis.worker import Job, work  # noqa: E402

NOTES = Path(os.environ["NOTES"])
_runs = 0


def note(text: str) -> None:
    with NOTES.open("a") as out:
        out.write(f"{text}\n")


def moody() -> int:
    global _runs
    _runs += 1
    note(f"moody {_runs} {request_id.current()}")
    if _runs <= 2:
        raise RuntimeError("not today")
    return 0


def slow() -> int:
    note(f"slow begins {deadline.remaining(99):.0f}")
    time.sleep(0.5)
    note("slow ends")
    return 0


if __name__ == "__main__":
    work([Job("moody", every=0.05, run=moody), Job("slow", every=0.1, run=slow, limit=7)])
