"""Ids of versions 7 and 8: RFC 9562."""

import time
from datetime import UTC, datetime
from uuid import RFC_4122

from chassis.ids import numbered, uuid7


def test_the_layout_of_the_rfc():
    # Appendix A.6: 2022-02-22T14:22:22-05:00.
    made = uuid7(milliseconds=0x017F22E279B0)
    assert str(made).startswith("017f22e2-79b0-7")
    assert (made.version, made.variant) == (7, RFC_4122)


def test_ids_are_of_now_and_different():
    begin = time.time_ns() // 1_000_000
    made = {uuid7() for _ in range(10_000)}
    assert len(made) == 10_000
    assert begin <= min(made).int >> 80 <= max(made).int >> 80 <= time.time_ns() // 1_000_000


def test_a_row_with_a_number_has_one_id():
    at = datetime(2022, 2, 22, 19, 22, 22, 1000, tzinfo=UTC)
    made = numbered(42, created=at)
    assert str(made) == "017f22e2-79b1-8000-8000-00000000002a"
    assert (made.version, made.variant) == (8, RFC_4122)
    assert numbered(42, created=at) == made
    assert len({numbered(number, created=at) for number in (0, 1, 2**62 - 1)}) == 3
