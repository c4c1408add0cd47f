"""Work that threads do together."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from chassis import request_id
from chassis.rounds import Crowd, Rounds


def test_alone_an_item_is_done_at_once():
    done: list[Any] = []
    rounds = Rounds[str](done.append, every=10.0, most=5)
    began = monotonic()
    rounds.add("a")
    assert (done, monotonic() - began < 5) == ([["a"]], True)


def test_who_comes_meanwhile_is_taken_along_in_the_next_round():
    done, began, go_on = [], Event(), Event()

    def work(items):
        began.set()
        assert go_on.wait(10)
        done.append(list(items))

    rounds = Rounds(work, every=0.0, most=3)
    first = Thread(target=rounds.add, args=(0,))
    first.start()
    assert began.wait(10)
    for item in range(1, 6):
        rounds.add(item)  # returns at once, though nothing is done yet
    assert done == []
    go_on.set()
    first.join(10)
    assert done == [[0], [1, 2, 3], [4, 5]]


def test_of_many_threads_everything_is_done_once():
    done: list[Any] = []
    rounds = Rounds(done.extend, every=0.001, most=7)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(rounds.add, range(2000)))
    assert sorted(done) == list(range(2000))


def test_rounds_that_follow_each_other_keep_their_distance():
    begun, began = [], monotonic()
    rounds = Rounds[int](lambda items: begun.append(monotonic() - began), every=0.1, most=1)
    for item in range(3):
        rounds.add(item)
    assert begun[2] >= 0.2


def test_a_round_that_fails_takes_no_other_one_with_it():
    done: list[Any] = []

    def work(items):
        if items == ["bad"]:
            raise RuntimeError("no")
        done.extend(items)

    rounds = Rounds(work, every=0.0, most=1)
    for item in ("good", "bad", "fine"):
        rounds.add(item)
    assert done == ["good", "fine"]


def test_whoever_is_told_to_end_hands_over() -> None:
    done: list[str] = []

    def work(items: Sequence[str]) -> None:
        if "end" in items:
            raise SystemExit
        done.extend(items)

    rounds = Rounds(work, every=0.0, most=5)
    with pytest.raises(SystemExit):
        rounds.add("end")
    rounds.add("next")
    assert done == ["next"]


def test_a_round_has_the_request_id_of_its_first_item():
    ids, began, go_on = [], Event(), Event()

    def work(items):
        began.set()
        assert go_on.wait(10)
        ids.append((list(items), request_id.current()))

    def add(item):
        with bound_contextvars(request_id=f"of-{item}"):
            rounds.add(item)

    rounds = Rounds(work, every=0.0, most=2)
    first = Thread(target=add, args=(0,))
    first.start()
    assert began.wait(10)
    add(1), add(2)
    go_on.set()
    first.join(10)
    assert ids == [([0], "of-0"), ([1, 2], "of-1")]


def test_a_crowd_is_as_many_as_are_inside():
    crowd = Crowd()
    with crowd:
        with pytest.raises(KeyError), crowd:
            assert crowd.size == 2
            raise KeyError
        assert crowd.size == 1
    assert crowd.size == 0
