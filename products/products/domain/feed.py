"""Reading a product feed: CSV, TSV or JSON lines with the columns of Google's product feed.

https://support.google.com/merchants/answer/7052112. A file is read row by row, whatever its size. What cannot be
used comes out as ``Refused`` with its line and the reason, and reading goes on.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from chassis import json, money
from chassis.errors import DomainError
from chassis.fields import MAX_INT, is_sku

from products.models import NAME_LENGTH

REQUIRED = ("id", "title", "price")
OPTIONS = ("color", "size", "material", "pattern")
"""The columns in which the variants of one ``item_group_id`` differ."""
ATTRIBUTES = ("gtin", "mpn", "condition", "gender", "age_group", "google_product_category", "link")
AVAILABILITIES = {"": True, "in_stock": True, "preorder": True, "backorder": True, "out_of_stock": False}
MAX_QUANTITY = 1_000_000_000
_PRICE = re.compile(r"(?:([A-Z]{3})\s*)?(\d{1,12}(?:\.\d{1,4})?)(?:\s*([A-Z]{3}))?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unreadable(DomainError):
    """The file as a whole is no feed: nothing was done."""

    code, title = "feed_unreadable", "The file is not a product feed"


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be used: the line it begins at, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be used. ``price`` in minor units, ``quantity`` in units, 0 where none is to be received."""

    line: int
    sku: str
    name: str
    price: int
    currency: str
    quantity: int
    brand: str
    category: tuple[str, ...]
    description: str
    image: str
    group: str
    options: dict[str, str]
    attributes: dict[str, str]


class Feed:
    """A feed file, open. Iterating gives ``Row`` and ``Refused`` in the file's order; ``position`` counts bytes read.

    Raises ``Unreadable`` at once where the file has no header, or one without id, title and price.
    """

    def __init__(self, path: Path, *, currency: str) -> None:
        self._currency = currency
        self.position = 0
        self._line = 0
        self._file: IO[bytes] = path.open("rb")
        start = self._file.read(64 * 1024).removeprefix(b"\xef\xbb\xbf")
        self._file.seek(0)
        try:
            tabs = b"\t" in start.split(b"\n", 1)[0]
            self._records = self._objects() if start.lstrip()[:1] == b"{" else self._table(tabs)
        except Unreadable:
            self._file.close()
            raise

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Row | Refused]:
        for line, record in self._records:
            if isinstance(record, str):
                yield Refused(line, record)
                continue
            try:
                yield row_of(line, record, currency=self._currency)
            except ValueError as error:
                yield Refused(line, str(error))

    def _lines(self) -> Iterator[str]:
        for raw in self._file:
            if self.position == 0:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            self.position += len(raw)
            self._line += 1
            # What is no UTF-8 becomes lone surrogates, which the row is refused for.
            yield raw.decode("utf-8", "surrogateescape")

    def _table(self, tabs: bool) -> Iterator[tuple[int, dict[str, Any] | str]]:
        reader = csv.reader(self._lines(), delimiter="\t" if tabs else ",")
        try:
            header = [_column(name) for name in next(reader, [])]
        except csv.Error as error:
            raise Unreadable(f"The first line cannot be read: {error}.") from None
        missing = [name for name in REQUIRED if name not in header]
        if missing or len(set(header)) < len(header):
            said = f"has no column {', '.join(missing)}" if missing else "names a column twice"
            raise Unreadable(f"The first line {said}. A feed begins with its columns: id, title, price, …")
        return self._cells(reader, header)

    def _cells(self, reader: Any, header: list[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
        while True:
            line = self._line + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, f"cannot be read: {error} (up to line {self._line}; is a quote not closed?)"
                continue
            if len(cells) > len(header):
                yield line, f"has {len(cells)} cells, the header {len(header)}"
            elif any(cells):
                yield line, dict(zip(header, cells, strict=False))

    def _objects(self) -> Iterator[tuple[int, dict[str, Any] | str]]:
        for text in self._lines():
            if not text.strip():
                continue
            try:
                value = json.loads(text.encode("utf-8", "surrogateescape"))
            except ValueError as error:
                yield self._line, str(error)
                continue
            if isinstance(value, dict):
                yield self._line, {_column(name): inner for name, inner in value.items()}
            else:
                yield self._line, "is not a JSON object"


def row_of(line: int, record: dict[str, Any], *, currency: str) -> Row:
    """The row of a record. Raises ``ValueError`` with a reason that names the column."""
    cells = {name: _text(name, value) for name, value in record.items()}
    get = cells.get
    sku, name = get("id", ""), " ".join(get("title", "").split())
    if not is_sku(sku):
        raise ValueError(
            f"id {sku!r} is no SKU: 1 to 64 letters, digits, dots, dashes or underscores, no reserved word"
        )
    if not name:
        raise ValueError("title is empty")
    price, money_of = _price(get("price", ""), currency)
    available = get("availability", "").lower().replace(" ", "_")
    if available not in AVAILABILITIES:
        raise ValueError(f"availability {available!r} is none of {', '.join(filter(None, AVAILABILITIES))}")
    quantity = _quantity(get("quantity", ""))
    return Row(
        line=line,
        sku=sku,
        name=_short("title", name, NAME_LENGTH),
        price=price,
        currency=money_of,
        quantity=quantity if AVAILABILITIES[available] else 0,
        brand=_short("brand", get("brand", ""), 100),
        category=_category(get("product_type", "")),
        description=_short("description", get("description", ""), 20_000),
        image=_link(get("image_link", "")),
        group=_short("item_group_id", get("item_group_id", ""), 100),
        options={name: _short(name, cells[name], 100) for name in OPTIONS if get(name)},
        attributes={name: _short(name, cells[name], 2000) for name in ATTRIBUTES if get(name)},
    )


def _column(name: str) -> str:
    """``g:item group id`` and ``item_group_id`` are the same column."""
    return name.strip().lower().removeprefix("g:").replace(" ", "_").replace("-", "_")


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{name} is neither text nor a number")
    text = str(value).strip()
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} is not UTF-8") from None
    if _CONTROL.search(text):
        raise ValueError(f"{name} holds control characters")
    return text


def _short(name: str, text: str, most: int) -> str:
    if len(text) > most:
        raise ValueError(f"{name} is longer than {most} characters")
    return text


def _price(text: str, currency: str) -> tuple[int, str]:
    match = _PRICE.fullmatch(text)
    if match is None or (match[1] and match[3]):
        raise ValueError(f"price {text!r} is not like '1.01 {currency}'")
    code = match[1] or match[3] or currency
    try:
        amount = money.parsed(match[2], code)
    except ValueError as error:
        raise ValueError(f"price: {error}") from None
    if amount > MAX_INT:
        raise ValueError(f"price {text!r} is too high")
    return amount, code


def _quantity(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text[:12]) <= MAX_QUANTITY and len(text) <= 10):
        raise ValueError(f"quantity {text!r} is not a whole number from 0 to {MAX_QUANTITY}")
    return int(text or 0)


def _category(text: str) -> tuple[str, ...]:
    path = tuple(" ".join(part.split()) for part in text.split(">") if part.strip())
    if len(path) > 10 or any(len(part) > 100 for part in path):
        raise ValueError("product_type is deeper than 10 levels, or one of them longer than 100 characters")
    return path


def _link(text: str) -> str:
    if text:
        try:
            parts = urlsplit(text)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.netloc or len(text) > 2000 or " " in text:
            raise ValueError(f"image_link {text[:80]!r} is not an http address")
    return text
