"""`make load`: python -m loadtest.load [--shape steady] [--target URL] [--ui]

Starts a shop of its own (or takes the one at TARGET), sends people to it, audits it, and leaves an HTML report and a
summary in loadtest/results. Ends with 1 where a request failed, the auditor found something, or too much was sold.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from local.problem import Problem

from loadtest.load import target as targets
from loadtest.load.summary import Run
from loadtest.load.target import Target
from loadtest.people import SHAPES

HERE = Path(__file__).parents[1]
RESULTS = HERE / "results"
UI_PORT = 8089


def main() -> int:
    """Runs the load; the exit status."""
    options = _options()
    folder = RESULTS / time.strftime(f"load-{options.shape or 'ui'}-%Y%m%d-%H%M%S")
    chosen = nullcontext(targets.at(options.target)) if options.target else targets.own(options.shape)
    try:
        with chosen as target:
            run = load(target, options.shape, folder, ui=options.ui)
    except Problem as problem:
        print(f"load: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if run is None:
        return 2
    (folder / "summary.md").write_text("\n".join(run.lines()) + "\n")
    print(f"\n{(folder / 'summary.md').read_text()}\nkept in {folder}")
    return 1 if run.failures else 0


def load(target: Target, shape: str, folder: Path, *, ui: bool = False) -> Run | None:
    """One run of Locust on this shop, and what the databases say afterwards; None where it did not begin."""
    folder.mkdir(parents=True)
    told = folder / "run.json"
    code = _locust(target, shape, folder / "report.html", told, ui=ui)
    if not told.exists() or code == 2:
        return None
    found = json.loads(told.read_text())
    run = Run(shape or "by hand", target.url, found["stats"], found["outcomes"], code, errors=found["errors"])
    if target.databases is not None:
        target.rest()
        run.offenders, run.oversold = target.audit(), target.oversold()
    return run


def _locust(target: Target, shape: str, report: Path, told: Path, *, ui: bool) -> int:
    words = ["-f", str(HERE / "locustfile.py"), "--host", target.url, "--stop-timeout", "30", "--loglevel", "WARNING"]
    if ui:
        words += ["--web-host", "127.0.0.1", "--web-port", str(UI_PORT)]
        print(f"\nLocust is at http://localhost:{UI_PORT}/; Ctrl-C ends it and audits the shop", flush=True)
    else:
        words += ["--headless", "--only-summary", "--json-file", str(report.with_name("locust")), "--html", str(report)]
    env = os.environ | {"SHAPE": shape, "OUTCOMES": str(told), "FLASH_SKU": target.flash_sku}
    # In a group of its own, so that Ctrl-C comes to us alone and once: Locust then writes its report as at any end.
    command = [sys.executable, "-m", "locust", *words]
    with subprocess.Popen(command, env=env, start_new_session=True) as locust:  # noqa: S603 - our own locustfile
        try:
            return locust.wait()
        except KeyboardInterrupt:
            locust.send_signal(signal.SIGINT)
            return locust.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--shape", default="", choices=["", *SHAPES], help="default steady; with --ui by hand")
    parser.add_argument("--target", default="", help="the address of a shop that runs; default: one of its own")
    parser.add_argument("--ui", action="store_true", help=f"Locust's web page on port {UI_PORT} instead")
    options = parser.parse_args()
    options.shape = options.shape or ("" if options.ui else "steady")
    return options


if __name__ == "__main__":
    sys.exit(main())
