"""Waiting for something to become true, with an end to it."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from local.problem import Problem


def until(condition: Callable[[], bool], *, seconds: float, what: str, log: Path | None = None) -> None:
    """Returns when the condition holds. Raises ``Problem`` after ``seconds``, with the end of the log."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Problem(f"waited {seconds:.0f} s for {what}, in vain{end_of(log)}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a GET of the URL is answered with 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def end_of(log: Path | None, lines: int = 12) -> str:
    if log is None or not log.exists():
        return ""
    last = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"; the end of {log}:", *last])
