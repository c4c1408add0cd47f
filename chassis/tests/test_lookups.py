"""Questions that threads ask together."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import monotonic, sleep

import pytest

from chassis import deadline
from chassis.lookups import Lookups


class Neighbour:
    """Answers each key with itself; its first question waits until ``go_on``."""

    def __init__(self):
        self.asked, self.began, self.go_on = [], Event(), Event()

    def __call__(self, keys):
        self.asked.append(sorted(keys))
        if len(self.asked) == 1:
            self.began.set()
            assert self.go_on.wait(10)
        return {key: key for key in keys}


@pytest.fixture
def people():
    with ThreadPoolExecutor(16) as people:
        yield people


def waiting(lookups, keys):
    """Returns when so many keys are in the next question."""
    end = monotonic() + 10
    while lookups._next is None or len(lookups._next.keys) < keys:
        assert monotonic() < end, "they do not wait for each other"
        sleep(0.001)


def test_alone_one_is_asked_for_at_once():
    lookups = Lookups[str, str]("".join, most=5)
    assert [lookups("a"), lookups("ab"), lookups("")] == ["a", "ab", ""]


def test_who_comes_meanwhile_is_asked_for_in_the_next_question(people):
    neighbour = Neighbour()
    lookups = Lookups(neighbour, most=100, patience=10)
    first = people.submit(lookups, "a")
    assert neighbour.began.wait(10)
    others = [people.submit(lookups, keys) for keys in ("a", "bc", "cd")]
    waiting(lookups, 4)
    neighbour.go_on.set()
    assert set(first.result(10)) == {"a"}
    assert [set(other.result(10)) for other in others] == [set("abcd")] * 3
    assert neighbour.asked == [["a"], ["a", "b", "c", "d"]]


def test_what_would_be_too_much_is_asked_by_itself(people):
    neighbour = Neighbour()
    lookups = Lookups(neighbour, most=3, patience=10)
    first = people.submit(lookups, "a")
    assert neighbour.began.wait(10)
    second = people.submit(lookups, "bc")
    waiting(lookups, 2)
    assert set(lookups("de")) == {"d", "e"}  # nobody waits for the first one for that
    neighbour.go_on.set()
    assert (set(first.result(10)), set(second.result(10))) == ({"a"}, {"b", "c"})
    assert set(lookups("abcd")) == set("abcd")
    assert neighbour.asked == [["a"], ["d", "e"], ["b", "c"], ["a", "b", "c", "d"]]


@pytest.mark.parametrize("wrong", [ZeroDivisionError, SystemExit, KeyboardInterrupt])
def test_what_goes_wrong_is_told_to_who_asked_and_others_ask_themselves(people, wrong):
    """A failure, and a thread that is told to end."""
    neighbour, tried = Neighbour(), []

    def ask(keys):
        tried.append(sorted(keys))
        if len(tried) == 2:
            raise wrong
        return neighbour(keys)

    lookups = Lookups(ask, most=100, patience=10)
    people.submit(lookups, "a")
    assert neighbour.began.wait(10)
    first = people.submit(lookups, "b")
    waiting(lookups, 1)
    other = people.submit(lookups, "c")
    waiting(lookups, 2)
    neighbour.go_on.set()
    with pytest.raises(wrong):
        first.result(10)
    assert other.result(10) == {"c": "c"}
    assert tried == [["a"], ["b", "c"], ["c"]]


def test_who_is_stuck_holds_up_whoever_comes_next_and_nobody_after(people):
    neighbour = Neighbour()
    lookups = Lookups(neighbour, most=100, patience=0.5)
    stuck = people.submit(lookups, "a")
    assert neighbour.began.wait(10)
    began = monotonic()
    others = [people.submit(lookups, key) for key in "bcdef"]
    assert [key in other.result(10) for key, other in zip("bcdef", others, strict=True)] == [True] * 5
    assert monotonic() - began >= 0.4
    began = monotonic()
    assert lookups("g") == {"g": "g"}
    assert monotonic() - began < 0.4
    assert not stuck.done()
    neighbour.go_on.set()
    assert stuck.result(10) == {"a": "a"}


def test_nobody_waits_until_no_time_is_left(people):
    neighbour = Neighbour()
    lookups = Lookups(neighbour, most=100, patience=10)
    stuck = people.submit(lookups, "a")
    assert neighbour.began.wait(10)
    with deadline.within(2):
        assert lookups("b") == {"b": "b"}
        assert deadline.remaining(10) > 0
    neighbour.go_on.set()
    stuck.result(10)


def test_many_threads_get_their_own_answers_in_fewer_questions(people):
    """And none that was given before it asked."""
    asked, together = [], Barrier(16)

    def ask(keys):
        began = monotonic()
        asked.append(len(keys))
        sleep(0.002)
        return {key: began for key in keys}

    lookups = Lookups(ask, most=1000, patience=10)

    def live(number):
        together.wait(10)
        for turn in range(100):
            called, keys = monotonic(), [f"{number}-{turn}", f"every-{turn}"]
            answer = lookups(keys)
            assert all(answer[key] >= called for key in keys)

    list(people.map(live, range(16)))
    assert len(asked) < 800  # of 1,600
