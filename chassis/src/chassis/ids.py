"""Ids for rows that other databases know too.

Version 7 of UUIDs begins with the time (RFC 9562 section 5.7): rows of one day lie side by side in an index, so that
writing and reading them costs the same however many there were before. Random ones lie all over it. The time is no
secret, and 74 random bits are beyond guessing; what is a key to something is checked beside the id.
"""

import secrets
import time
from datetime import datetime
from uuid import UUID


def uuid7(*, milliseconds: int | None = None) -> UUID:
    """A new id of this moment, or of ``milliseconds`` since 1970."""
    at = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    return UUID(int=at << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62))


def numbered(number: int, *, created: datetime) -> UUID:
    """The id by which others know a row that has a number below 2^62 here: the same one each time (version 8, 5.8)."""
    return UUID(int=int(created.timestamp() * 1000) << 80 | 0x8 << 76 | 0b10 << 62 | number)
