"""Each contradiction between what was told and what is there, made and found."""

from contextlib import contextmanager

import pytest

from loadtest.faults.buyers import Told
from loadtest.faults.verdict import compare


class Cursor:
    def __init__(self, rows):
        self.rows = rows

    def execute(self, statement): ...

    def fetchall(self):
        return self.rows


class Stage:
    def __init__(self, *rows):
        self.rows = rows

    @contextmanager
    def database(self, name):
        yield Cursor(self.rows)


def told(status, body=None, key="k"):
    return Told(key, "cart", {}, "tok_ok", status, body or {})


CONFIRMED = {"id": "1", "total": {"amount": 500}}


@pytest.mark.parametrize(
    ("rows", "checkout", "found"),
    [
        ([("1", "k", "completed", 500, "cart")], told(201, CONFIRMED), []),
        ([("1", "k", "refunded", 500, "cart")], told(201, CONFIRMED), []),
        ([("1", "k", "rejected", 500, "cart")], told(402), []),
        ([], told(201, CONFIRMED), ["order 1 was acknowledged and is not there"]),
        (
            [("1", "k", "rejected", 500, "cart")],
            told(201, CONFIRMED),
            ["order 1 was confirmed and is rejected, total 500"],
        ),
        (
            [("1", "k", "completed", 501, "cart")],
            told(201, CONFIRMED),
            ["order 1 was confirmed and is completed, total 501"],
        ),
        ([("1", "k", "completed", 500, "cart")], told(402), ["key k was refused with 402 and has the order 1"]),
        (
            [("1", "k", "completed", 500, "cart"), ("2", "k", "completed", 500, "cart")],
            told(201, CONFIRMED),
            ["key k has 2 orders"],
        ),
        ([("1", "other", "completed", 500, "cart")], told(0), ["order 1 was never asked for"]),
    ],
)
def test_what_was_told_against_what_is_there(rows, checkout, found):
    assert compare(Stage(*rows), [checkout]) == found
