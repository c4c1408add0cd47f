"""Any bytes as a feed: never a traceback, never half an import. FUZZ_CASES says how many, if not 150."""

import os
from pathlib import Path

import pytest
from chassis.errors import DomainError
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from products.domain import imports
from products.domain.feed import Feed
from products.models import ImportRun, Product, Variant

pytestmark = pytest.mark.django_db
HEADER = b"id,title,price,quantity,availability,product_type,item_group_id,color,brand,image_link\n"
CELLS = st.one_of(
    st.sampled_from(
        ["A", "B-1", "me", "Shirt", "1.00 USD", "9.999", "1e5", "-1", "5", "١", "in_stock", "a > b", "G", "red", ""]
    ),
    st.sampled_from(['"', '""', '"a,b"', "\x00", "\x1b[2J", "=1+1", "'; DROP TABLE x; --", "http://[", "\ud800", "\r"]),
    st.text(max_size=8),
)
ROWS = st.lists(st.lists(CELLS, max_size=11), max_size=6).map(
    lambda rows: HEADER + b"\n".join(",".join(cells).encode("utf-8", "surrogatepass") for cells in rows)
)
LINES = st.lists(
    st.sampled_from(
        [
            b'{"id": "A", "title": "x", "price": "1", "quantity": 3}',
            b'{"id": ["A"], "title": {}, "price": null}',
            b"{" * 200,
            b'{"id": 1e999}',
            b"[]",
            b"\xff",
            b'{"title": "\\ud800"}',
        ]
    )
).map(b"\n".join)


@st.composite
def damaged(draw):
    """A good feed into which something strange was written."""
    good = HEADER + b"A,Shirt,1.00 USD,5,in_stock,Toys,G,red,Acme,\nB,Ball,2,3,,,G,blue,,\nC,Cap,3.50 USD,,,,,,,\n"
    at, cut = draw(st.integers(0, len(good))), draw(st.integers(0, 20))
    return good[:at] + draw(st.binary(max_size=12)) + good[at + cut :]


@settings(
    max_examples=int(os.environ.get("FUZZ_CASES", 150)),
    deadline=None,
    derandomize="FUZZ_CASES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(content=st.one_of(damaged(), ROWS, LINES.map(lambda text: b"{" + text), st.binary(max_size=300)))
@example(content=b"")
@example(content=HEADER)
@example(content=HEADER + b'A,"never closed,1\nB,Ball,2\n')
@example(content=HEADER.replace(b",", b"\t") + b"A\tShirt\t1\n")
@example(content=b"\xef\xbb\xbf" + HEADER + b"A,Shirt,1.00 USD,5,,,,,,\n")
@example(content=HEADER + b"A,Shirt," + b"9" * 5000 + b",\n")
def test_any_bytes_are_imported_whole_or_not_at_all(content, tmp_path, stock):
    path: Path = tmp_path / "feed"
    path.write_bytes(content)
    stock.received.clear()
    refused = []
    with transaction.atomic():
        try:
            result = imports.run(path=path, refused=refused.append)
        except DomainError:
            assert not Product.objects.exists()
            assert not ImportRun.objects.exists()
            assert stock.on_hand == {}
        else:
            rows = {row.sku: row for row in _usable(path)}
            variants = dict(Variant.objects.values_list("sku", "price"))
            assert variants == {sku: row.price for sku, row in rows.items()}
            assert stock.on_hand == {sku: row.quantity for sku, row in rows.items() if row.quantity}
            assert (result.rows, result.refused) == (len(rows), len(refused))
            assert all(each.line > 0 and each.reason for each in refused)
            assert ImportRun.objects.get().completed
        transaction.set_rollback(True)


def _usable(path):
    """The rows that can be used, the first of each SKU."""
    seen = set()
    with Feed(path, currency="USD") as feed:
        for row in imports._unique(feed):
            if hasattr(row, "sku") and row.sku not in seen:
                seen.add(row.sku)
                yield row
