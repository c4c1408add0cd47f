"""Gauges read from the database."""

from itertools import count

import pytest
from django.db import DatabaseError

from chassis.measures import Measure, Measures, query

pytestmark = pytest.mark.django_db


def shown(measures):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in measures.collect()
        for sample in family.samples
    }


def test_a_query_gives_a_value_for_each_label_and_zero_for_none():
    by_state = query("VALUES ('held', 3), ('expired', NULL)")
    assert by_state() == {("held",): 3.0, ("expired",): 0.0}
    measures = Measures([Measure("reservations", "By state.", by_state, labels=["state"])])
    assert shown(measures) == {}
    measures.read_due()
    assert shown(measures) == {("reservations", "held"): 3.0, ("reservations", "expired"): 0.0}


def test_a_measure_is_read_when_it_is_due_and_not_at_a_scrape():
    reads = count(1)
    measures = Measures([Measure("m", "M.", lambda: {(): float(next(reads))}, every=3600)])
    measures.read_due()
    measures.read_due()
    assert [shown(measures), shown(measures), next(reads)] == [{("m",): 1.0}, {("m",): 1.0}, 2]


def test_what_cannot_be_read_any_more_is_gone_and_the_others_stay():
    answers = iter([{(): 7.0}])

    def broken():
        try:
            return next(answers)
        except StopIteration:
            raise DatabaseError("away") from None

    measures = Measures([Measure("a", "A.", broken, every=0), Measure("b", "B.", lambda: {(): 1.0}, every=0)])
    measures.read_due()
    assert shown(measures) == {("a",): 7.0, ("b",): 1.0}
    measures.read_due()
    assert shown(measures) == {("b",): 1.0}
