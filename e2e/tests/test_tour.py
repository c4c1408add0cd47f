"""The tour in README.md works when it is pasted."""

import re
import subprocess

from local.venv import ROOT

ADDRESS = "http://localhost:8080"


def test_the_readme_s_tour(target_url: str) -> None:
    [tour] = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    assert ADDRESS in tour
    script = tour.replace(ADDRESS, target_url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"status": "confirmed"' in done.stdout
    before, after, again = map(int, re.findall(r'"available":(\d+)\}$', done.stdout, re.M))
    assert (after, again) == (before - 2, before)
    assert done.stdout.splitlines()[-2] == "refunded"
