"""Orders that are written are the same in every database, and plans that read a whole table are seen."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from loadtest.scale.__main__ import ratios
from loadtest.scale.history import Chapter
from loadtest.scale.operations import Timed
from loadtest.scale.plans import found

LOG = """2026-11-22 22:00:00.000 UTC [1] stock@stock LOG:  duration: 0.020 ms  plan:
\tQuery Text: SELECT 1 FROM stock_level
\tSeq Scan on stock_level  (cost=0.00..1.01 rows=1 width=4)
2026-11-22 22:00:00.100 UTC [2] products@products LOG:  duration: 900.1 ms  plan:
\tQuery Text:\u0020
\t    WITH hits AS (SELECT brand FROM products_product)
\t    SELECT count(*) FROM hits
\tAggregate  (cost=1..2 rows=1 width=8)
\t  ->  Seq Scan on products_product  (cost=0.00..1.01 rows=1 width=4)
\t  ->  Seq Scan on products_category c  (cost=0.00..1.01 rows=1 width=4)
\t  ->  Seq Scan on products_variant  (cost=0.00..1.01 rows=1 width=4) (never executed)
\t  ->  Index Scan using products_variant_pkey on products_variant  (cost=0.00..1.01 rows=1 width=4)
"""


def test_scans_of_big_tables_only() -> None:
    big = {"products": {"products_product", "products_variant"}, "stock": set[str]()}
    assert found(LOG, big) == ["products.products_product: WITH hits AS (SELECT brand FROM products_product)"]
    assert found(LOG * 2, {"stock": {"stock_level"}}) == ["stock.stock_level: SELECT 1 FROM stock_level"]


def test_a_chapter_of_orders() -> None:
    skus = [f"more-{number}" for number in range(50)]
    chapter = Chapter(100, 150, skus, recent=20)
    placed = [chapter.order(number) for number in range(100, 150)]
    assert Counter(sku for order in placed for sku in order.skus) == dict.fromkeys(skus, 2)
    assert len({order.id for order in placed} | {order.cart for order in placed}) == 100
    assert (chapter.order(120).id, chapter.order(120).cart) == (placed[20].id, placed[20].cart)
    day = datetime.now(UTC) - timedelta(days=1)
    assert sum(order.at > day for order in placed) == 20


def test_ratios_are_of_the_largest_to_the_smallest() -> None:
    times = {5_000: {"list": Timed(2.0, 1.0)}, 1_000_000: {"list": Timed(3.0, 1.0)}, 70_000: {"list": Timed(9.0, 1.0)}}
    assert ratios(times) == {"list": 1.5}


def test_a_machine_that_was_slower_meanwhile_is_no_dearer_operation() -> None:
    assert ratios({5: {"list": Timed(2.0, 0.5)}, 9: {"list": Timed(5.0, 1.0)}}) == {"list": 1.25}
