"""One product that everybody wants: goods with so many units, and buyers who all order at the same moment."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from local.shop import Shop

from loadtest.bench import journeys
from loadtest.bench.crowd import expect
from loadtest.bench.sample import Sample
from loadtest.bench.wire import Wire

LATE = 30
"""Orders of somebody who comes when the rush is over."""


@dataclass
class Rush:
    """What buyers were told: (status, begin, end) of each order; times in seconds of ``time.perf_counter``.

    ``late``: the same of the one who came when the rush was over.
    """

    told: list[tuple[str, float, float]] = field(default_factory=list)
    late: list[tuple[str, float, float]] = field(default_factory=list)

    def times(self, status: str) -> list[float]:
        """Seconds of each answer of this kind, sorted."""
        return sorted(end - begin for kind, begin, end in self.told if kind == status)

    def sample(self, units: int) -> Sample:
        """Orders a second until the goods were sold out, and how long answers took; another number sold is an error."""
        sold = [end for kind, _, end in self.told + self.late if kind == "201"]
        begin = min(begin for _, begin, _ in self.told)
        late = [end - asked for kind, asked, end in self.told if kind.startswith("409") and asked > max(sold)]
        times = {
            "order p50": _middle(self.times("201")),
            "refusal p50": _middle(self.times("409 insufficient_stock")),
            "refusal once sold out p50": _middle(sorted(late)),
            "refusal alone p50": _middle(sorted(end - begin for _, begin, end in self.late)),
            "all answered": (max(end for _, _, end in self.told) - begin) * 1000,
        }
        errors = Counter(kind for kind, _, _ in self.told + self.late if kind not in ("201", "409 insufficient_stock"))
        if len(sold) != units:
            errors[f"{len(sold)} of {units} units sold"] += 1
        return Sample(len(sold), max(sold) - begin, times, errors)


def goods(shop: Shop, units: int) -> str:
    """The SKU of new goods with so many units, made by staff."""
    wire, sku = Wire(shop.ports["GATEWAY_PORT"]), f"flash-{uuid4().hex[:12]}"
    secrets = {name: (shop.state.secrets / f"staff_{name}").read_text() for name in ("email", "password")}
    token = expect(wire.ask("POST", "/api/v1/customers/token", secrets), 200).json()["access"]
    variant = {"sku": sku, "price": {"amount": 990, "currency": "USD"}}
    product = {"name": f"Flash sale {sku}", "variants": [variant]}
    receipt = {"sku": sku, "kind": "receipt", "quantity": units, "reason": "flash sale"}
    for path, body in (("/api/v1/products", product), ("/api/v1/stock/movements", receipt)):
        expect(wire.ask("POST", path, body, Authorization=f"Bearer {token}"), 201)
    wire.close()
    return sku


def rush(shop: Shop, *, units: int, buyers: int, carts: int) -> Sample:
    """``carts`` orders of one unit each, by ``buyers`` at once, one after the other each; then ``LATE`` by one alone.

    Carts are filled before. With ``buyers`` who never pause an answer takes as long as that many answers: what one
    refusal takes is seen by who comes late.
    """
    port, sku = shop.ports["GATEWAY_PORT"], goods(shop, units)
    wires, filled, found = [Wire(port) for _ in range(buyers)], list[str](), Rush()

    def fill(number: int) -> None:
        for _ in range(number, carts + LATE, 16):
            cart = journeys.open_cart(wires[number])
            expect(journeys.put(wires[number], cart, sku), 200)
            filled.append(cart)

    def buy(number: int) -> None:
        ready.wait()
        for cart in filled[number:carts:buyers]:
            found.told.append(order(wires[number], cart))

    def order(wire: Wire, cart: str) -> tuple[str, float, float]:
        begin = time.perf_counter()
        return journeys.order(wire, cart).kind, begin, time.perf_counter()

    _together(fill, 16)
    ready = threading.Barrier(buyers)
    _together(buy, buyers)
    found.late = [order(wires[0], cart) for cart in filled[carts:]]
    for wire in wires:
        wire.close()
    return found.sample(units)


def _together(work: Callable[[int], None], people: int) -> None:
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _middle(values: list[float]) -> float:
    return values[len(values) // 2] * 1000 if values else 0.0
