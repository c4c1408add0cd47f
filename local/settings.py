"""Settings that are looked at before anything is made or started. The services say the same of theirs (chassis.env).

Runs under the system's Python, before .venv is there.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from local.problem import Problem
from local.venv import ROOT

CATALOGUE = ROOT / "data" / "catalogue.csv"
_USABLE = {
    "DJANGO_ENV": ("development|production", "`development` or `production`"),
    "CURRENCY": ("[A-Z]{3}", "three capital letters, such as USD"),
    "LOG_LEVEL": ("DEBUG|INFO|WARNING|ERROR", "DEBUG, INFO, WARNING or ERROR"),
    "WORKERS": ("0*[1-9][0-9]*", "a whole number from 1"),
    "THREADS": ("0*[1-9][0-9]*", "a whole number from 1"),
}
"""What a setting may be, and how that is said."""


def check(settings: Mapping[str, str]) -> None:
    """Raises ``Problem`` for the first setting with which the shop would not start, or not be what was asked for."""
    for name, (pattern, said) in _USABLE.items():
        value = settings.get(name)
        if value and not re.fullmatch(pattern, value):
            raise Problem(f"{name} is {value!r}: give {said}")
    feed(settings)


def feed(settings: Mapping[str, str]) -> Path | None:
    """The product feed that SEED names, the shop's own catalogue without it; None for `none`."""
    seed = settings.get("SEED") or str(CATALOGUE)
    if seed == "none":
        return None
    path = Path(seed).expanduser().absolute()
    if not os.path.isfile(path):  # also where it may not be entered, for which Path raises
        raise Problem(f"SEED is {seed!r}: give the path of a product feed, or `none` for an empty shop")
    return path


def check_place(folder: Path) -> None:
    """Raises ``Problem`` where the folder of all state cannot be made, or not be used."""
    there = next(each for each in (folder, *folder.parents) if os.path.exists(each))
    needed = os.W_OK | os.X_OK | (os.R_OK if there == folder else 0)
    if there.is_dir() and os.access(there, needed):
        return
    if not there.is_dir():
        raise Problem(f"the state folder cannot be {folder}: {there} is a file. Name another one in COMPTOIR_STATE")
    if there == folder and (owner := there.stat().st_uid) != os.geteuid():
        raise Problem(f"{folder} belongs to user {owner}, who ran this shop before: be that user, or root")
    raise Problem(
        f"the state folder cannot be {folder}: you may not enter {there} and write there. "
        "Name another one in COMPTOIR_STATE"
    )
