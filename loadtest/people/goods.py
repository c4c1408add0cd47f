"""What a shop sells, asked over its API, and what people bought of it: the real baskets of data/baskets.csv.gz."""

import csv
import gzip
import json
import random
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

BASKETS = Path(__file__).parents[2] / "data" / "baskets.csv.gz"
Basket = dict[str, int]


@dataclass(frozen=True)
class Product:
    """What the list says of a product."""

    sku: str
    slug: str
    name: str
    category: str


@dataclass
class Goods:
    """The shop's goods, and baskets of them; those in many baskets are looked at more often."""

    products: list[Product]
    baskets: list[Basket]
    returning: float
    """The share of baskets whose household had bought before: as many buyers are customers, all others guests."""
    _popular: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        times = Counter(sku for basket in self.baskets for sku in basket)
        total = 0
        for product in self.products:
            total += 1 + times[product.sku]
            self._popular.append(total)

    def product(self) -> Product:
        """Some product, likely one that many people buy."""
        return random.choices(self.products, cum_weights=self._popular)[0]

    def basket(self) -> Basket:
        """A real basket, quantities by SKU."""
        return random.choice(self.baskets)

    def words(self) -> str:
        """What somebody types: a word of a product's name, at times only its beginning, at times misspelled."""
        words = [word for word in self.product().name.split() if len(word) > 3 and word.isalpha()] or ["milk"]
        word, chance = random.choice(words).lower(), random.random()
        if chance < 0.2:
            return word[:4]
        return word[:2] + word[3:] if chance < 0.3 else word


def of_shop(url: str) -> Goods:
    """Reads the shop's list. Raises ``OSError`` where it does not answer, ``ValueError`` where it is empty."""
    products: list[Product] = []
    address = f"{url.rstrip('/')}/api/v1/products?limit=100"
    while address and len(products) < 5_000:
        with urllib.request.urlopen(address, timeout=30) as answer:
            page = json.load(answer)
        products += [_product(each) for each in page["results"] if each["variants"]]
        address = f"{url.rstrip('/')}/api/v1/products?{page['next'].split('?', 1)[1]}" if page["next"] else ""
    if not products:
        raise ValueError(f"{url} sells nothing: there is nothing to test with")
    baskets, returning = real_baskets()
    return Goods(products, _of_these(products, baskets), returning)


@cache
def real_baskets() -> tuple[list[Basket], float]:
    """Every basket in the order of time, and the share of them whose household is in an earlier one."""
    with gzip.open(BASKETS, "rt", encoding="utf-8", newline="") as file:
        found, households = [], set()
        for _, lines in groupby(csv.DictReader(file), key=lambda row: row["basket"]):
            rows = list(lines)
            households.add(rows[0]["household"])
            found.append({row["id"]: min(999, max(1, int(row["quantity"]))) for row in rows})
    return found, 1 - len(households) / len(found)


def _of_these(products: list[Product], baskets: list[Basket]) -> list[Basket]:
    """The baskets as far as the shop has their goods; in a shop of other goods, baskets of the same shape."""
    there = {product.sku for product in products}
    known = [{sku: quantity for sku, quantity in basket.items() if sku in there} for basket in baskets]
    if any(known):
        return [basket for basket in known if basket]
    skus = sorted(there)
    return [
        dict(zip(random.sample(skus, min(len(skus), len(basket))), basket.values(), strict=False)) for basket in baskets
    ]


def _product(listed: dict[str, Any]) -> Product:
    category = (listed["category"] or {}).get("slug", "")
    return Product(listed["variants"][0]["sku"], listed["slug"], listed["name"], category)
