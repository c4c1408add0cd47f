"""Taking new code while the shop sells: gunicorn and nginx by HUP, which loses no request; workers by a restart."""

import signal
from typing import TYPE_CHECKING

import psutil

from local import gateway, prometheus, wait
from local.processes import EXPORTER, PAYMENT, WEB, WORKERS

if TYPE_CHECKING:
    from local.shop import Shop


def reload(shop: "Shop") -> None:
    """One process after the other; the next one begins when the one before is ready."""
    gateway.render(shop.state, shop.user, shop.env("nginx"))
    shop.signal("nginx", signal.SIGHUP)
    for name in WEB:
        before = _children(shop, name)
        shop.signal(name, signal.SIGHUP)
        _wait_for_others(shop, name, before)
    if "prometheus" in shop.table:
        prometheus.render(shop.state, shop.user, shop.ports)
        shop.signal("prometheus", signal.SIGHUP)
    for name in (*WORKERS, PAYMENT, EXPORTER):
        if name in shop.table:
            shop.restart(name)


def _wait_for_others(shop: "Shop", name: str, before: set[int]) -> None:
    def replaced() -> bool:
        after = _children(shop, name)
        return bool(after) and after.isdisjoint(before)

    wait.until(replaced, seconds=60, what=f"{name} to take new code", log=shop.log(name))
    shop.wait_ready(name)


def _children(shop: "Shop", name: str) -> set[int]:
    return {child.pid for child in psutil.Process(shop.pid(name)).children()}
