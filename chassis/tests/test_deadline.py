import contextvars
from threading import Thread

import pytest

from chassis import deadline


def test_without_a_deadline_the_default_is_what_remains():
    assert deadline.remaining(5.0) == 5.0


def test_what_remains_is_never_more_than_the_default_nor_less_than_nothing():
    with deadline.within(60):
        assert deadline.remaining(5.0) == 5.0
        assert 59 < deadline.remaining(100.0) <= 60
    with deadline.within(-1):
        assert deadline.remaining(5.0) == 0.0


def test_an_inner_deadline_can_only_be_earlier():
    with deadline.within(10):
        with deadline.within(60):
            assert deadline.remaining(100.0) <= 10
        with deadline.within(1):
            assert deadline.remaining(100.0) <= 1
        assert 9 < deadline.remaining(100.0) <= 10
    assert deadline.remaining(5.0) == 5.0


def test_a_thread_has_it_only_with_the_context():
    seen = []
    with deadline.within(2):
        threads = [Thread(target=lambda: seen.append(deadline.remaining(9.0)))]
        context = contextvars.copy_context()
        threads.append(Thread(target=lambda: seen.append(context.run(deadline.remaining, 9.0))))
        for thread in threads:
            thread.start()
            thread.join()
    assert seen[0] == 9.0
    assert seen[1] <= 2


@pytest.mark.parametrize(
    ("header", "seconds"), [("1500", 1.5), ("0", 0.0), (None, None), ("", None), ("-5", None), ("1.5", None)]
)
def test_the_header_is_milliseconds(header, seconds):
    assert deadline.parse(header) == seconds


@pytest.mark.parametrize("header", ["soon", "²", "99999999", "1e3", " 5"])
def test_a_header_that_makes_no_sense_is_none(header):
    assert deadline.parse(header) is None
