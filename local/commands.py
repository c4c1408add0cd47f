"""What the commands do and print."""

import os
import signal
import sys
import time
from argparse import Namespace
from contextlib import suppress

from local import gateway, logs, ports, status
from local.environment import PASSED_ON
from local.problem import Problem
from local.processes import MONITORING
from local.shop import Shop
from local.up import ONCE


def up(options: Namespace) -> int:
    """Starts the shop and says where to go."""
    begin = time.monotonic()
    shop = Shop(options.state, options.port_offset, _settings())
    known = (shop.state.secrets / "staff_password").exists()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shop.up(say=lambda line: print(f"  {line}", flush=True))
    print(_summary(shop, _password(shop, known), time.monotonic() - begin))
    return 0


def down(options: Namespace) -> int:
    """Stops everything, whatever happened before."""
    count = Shop.found(options.state).down()
    print(f"stopped {count} processes" if count else "nothing was running")
    return 0


def restart(options: Namespace) -> int:
    """Stops the shop and starts it."""
    down(options)
    return up(options)


def reload(options: Namespace) -> int:
    """Takes new code, process by process."""
    _running(options).reload()
    print("reloaded")
    return 0


def show_status(options: Namespace) -> int:
    """Prints each process; 1 while the shop is down."""
    shop = Shop.found(options.state)
    print("\n".join(status.table(shop)))
    return 0 if shop.supervisor.alive() else 1


def show_logs(options: Namespace) -> int:
    """Follows the logs, or shows one request's way."""
    folder = Shop.found(options.state).state.log
    if not folder.is_dir():
        raise Problem("there are no logs yet: `make up` starts the shop")
    # REQUEST: an X-Request-ID.
    if not (request := os.environ.get("REQUEST")):
        with suppress(KeyboardInterrupt):
            logs.follow(folder)
        return 0
    lines = logs.way(folder, request)
    print("\n".join(lines) if lines else f"no log knows the request {request}")
    return 0 if lines else 1


def clean(options: Namespace) -> int:
    """Stops the shop and forgets all of it."""
    Shop.found(options.state).forget()
    print(f"forgotten: {options.state}")
    return 0


def _settings() -> dict[str, str]:
    names = (*ports.DEFAULTS, *PASSED_ON, *MONITORING, *gateway.names(), *ONCE)
    return {name: value for name in names if (value := os.environ.get(name))}


def _running(options: Namespace) -> Shop:
    shop = Shop.found(options.state)
    if not shop.supervisor.alive():
        raise Problem("the shop is down: `make up` starts it")
    return shop


def _password(shop: Shop, known: bool) -> str:
    """What to say about the staff password: itself only when it was made just now."""
    path = shop.state.secrets / "staff_password"
    if "STAFF_PASSWORD" in shop.settings:
        return "with the password in STAFF_PASSWORD"
    return f"with the password in {path}" if known else f"with the password {path.read_text()}"


def _summary(shop: Shop, password: str, seconds: float) -> str:
    url = f"http://localhost:{shop.ports['GATEWAY_PORT']}"
    email = (shop.state.secrets / "staff_email").read_text()
    return f"""
Comptoir is open, after {seconds:.0f} s.

  shop            {url}/{tls_line(shop)}
  API reference   {url}/docs/
  admins          {url}/admin/products/  (stock, customers, cart, orders alike)
  staff account   {email} {password}
  Prometheus      {prometheus_line(shop)}

  try             curl '{url}/api/v1/products?q=bananna&limit=3'
  stop            make down"""


def tls_line(shop: Shop) -> str:
    """The https address on a line of its own, where the gateway has one."""
    values = shop.env("nginx")
    if values.get("GATEWAY_TLS") != "on":
        return ""
    port = values["GATEWAY_TLS_LISTEN"].rpartition(":")[2]
    return f"\n  over TLS        https://localhost:{port}/, or the name that the certificate has"


def prometheus_line(shop: Shop) -> str:
    """Where Prometheus is, or how to get it."""
    if "prometheus" in shop.table:
        return f"http://localhost:{shop.ports['PROMETHEUS_PORT']}/"
    return "not here: `apt-get install prometheus` and another `make up` add metrics and alerts"


BY_NAME = {
    "up": up,
    "down": down,
    "restart": restart,
    "reload": reload,
    "status": show_status,
    "logs": show_logs,
    "clean": clean,
}
