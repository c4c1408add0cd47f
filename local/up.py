"""`make up`, step by step. Each step may be repeated; a second `up` finds what the first one made."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local import environment, gateway, ports, postgres, prepare, processes, prometheus, secrets, settings

if TYPE_CHECKING:
    from local.shop import Shop

ONCE = ("SEED", "STAFF_EMAIL", "STAFF_PASSWORD")
"""Settings that `up` itself acts on; they make no difference to the processes."""
Say = Callable[[str], None]


def up(shop: "Shop", say: Say) -> None:
    """Brings the shop up; see ``Shop.up``."""
    files = shop.configuration()
    running = _runs_with(shop, files)
    try:
        if not running:
            _begin(shop, files, say)
        _start_databases(shop, say)
        with _step(say, "migrations and staff account"):
            prepare.prepare(shop)
        with _step(say, "services"):
            _start_services(shop)
        _load_goods(shop, say)
        with _step(say, "gateway"):
            _start_edge(shop)
    except BaseException:
        if not running and shop.down():
            say("stopped what was started")
        raise


def databases(shop: "Shop", say: Say) -> None:
    """The first half of ``up``; see ``Shop.up_databases``."""
    _begin(shop, shop.configuration(), say)
    _start_databases(shop, say)


def _runs_with(shop: "Shop", files: dict[Path, str]) -> bool:
    """Whether the shop runs, with this same configuration."""
    return shop.supervisor.alive() and all(path.exists() and path.read_text() == text for path, text in files.items())


def _begin(shop: "Shop", files: dict[Path, str], say: Say) -> None:
    """Makes what the processes need, and starts supervisord; all of a shop that ran with other settings is stopped."""
    if shop.down():
        say("what was running is stopped")
    ports.check_free(shop.ports, shop.settings)
    shop.state.create(shop.user)
    with _step(say, "secrets, configuration, data folder"):
        secrets.generate(shop.state.secrets, f"127.0.0.1:{shop.ports['POSTGRES_PORT']}", shop.user)
        shop.write(files)
        gateway.render(shop.state, shop.user, shop.env("nginx"))
        if "prometheus" in shop.table:
            prometheus.render(shop.state, shop.user, shop.ports)
        postgres.create(shop.state, shop.user)
        shop.supervisor.start(shop.user)


def _start_databases(shop: "Shop", say: Say) -> None:
    with _step(say, "databases"):
        shop.start("postgres")
        postgres.provision(shop.state, shop.ports["POSTGRES_PORT"])


def _start_services(shop: "Shop") -> None:
    for name in processes.WEB:
        shop.user.folder(environment.metrics_folder(name, shop.state))
    names = [name for name in (*processes.WEB, processes.PAYMENT, *processes.WORKERS) if name in shop.table]
    shop.supervisor.run(names)
    for name in names:
        shop.wait_ready(name)


def _load_goods(shop: "Shop", say: Say) -> None:
    """SEED: `none`, or the path of a product feed; the shop's own catalogue where it is not set."""
    if (feed := settings.feed(shop.settings)) is None:
        return
    with _step(say, f"goods from {feed.name}"):
        shop.manage("products", "import_products", str(feed), "--once")
        postgres.analyze(shop.state, shop.ports["POSTGRES_PORT"], "products", "stock")


def _start_edge(shop: "Shop") -> None:
    names = [name for name in ("nginx", processes.EXPORTER, "prometheus") if name in shop.table]
    shop.supervisor.run(names)
    for name in names:
        shop.wait_ready(name)


@contextmanager
def _step(say: Say, what: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    say(f"{what} ({time.monotonic() - begin:.1f} s)")
