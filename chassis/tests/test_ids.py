"""Ids of version 7: RFC 9562."""

import time
from uuid import RFC_4122

from chassis.ids import uuid7


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
