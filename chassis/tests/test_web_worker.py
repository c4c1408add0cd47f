"""The worker whose threads wait for requests themselves: real gunicorns, raw sockets."""

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median

import psutil
import pytest
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER  # type: ignore[import-untyped]

from tests.servers import until
from tests.test_gunicorn import connected, serving


def request(path="echo", id="none"):
    return f"GET /api/v1/stock/{path} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: {id}\r\n\r\n".encode()


def impatient(path="echo"):
    """A request of somebody who waits for 0.6 s."""
    return request(path).replace(b"\r\n\r\n", b"\r\nX-Timeout-Ms: 600\r\n\r\n")


def answer(connection):
    """Status, headers and body of one answer; None where the other side has hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return int(lines[0].split()[1]), headers, body


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("worker"), THREADS="2") as running:
        yield running


def test_connections_that_say_nothing_take_no_thread(gunicorn):
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(gunicorn)) for _ in range(50)]
        assert gunicorn.get("/api/v1/stock/echo").status == 200
        for number, connection in enumerate(silent):
            connection.sendall(request(id=f"late-{number}"))
        assert [answer(each)[1]["x-request-id"] for each in silent] == [f"late-{n}" for n in range(50)]


def test_each_of_many_gets_its_own_answers(gunicorn):
    """40 connections, 2 threads: a connection is one thread's alone, and none is forgotten."""

    def talk(number):
        with connected(gunicorn) as connection:
            told = []
            for turn in range(50):
                connection.sendall(request(id=f"{number}-{turn}"))
                told.append(answer(connection)[1]["x-request-id"])
        return told == [f"{number}-{turn}" for turn in range(50)]

    with ThreadPoolExecutor(40) as people:
        assert all(people.map(talk, range(40)))


def test_a_body_that_nobody_reads_is_no_request(gunicorn):
    """On the gateway's connections everybody's requests follow each other."""
    hidden = request(id="hidden")
    head = request(id="open").replace(b"GET", b"POST").removesuffix(b"\r\n") + b"Content-Length: %d\r\n\r\n"
    with connected(gunicorn) as connection:
        for padding in (0, 200_000, 10 * 1024**2):
            body = hidden + b" " * padding
            connection.sendall(head % len(body) + body)
            assert answer(connection)[1]["x-request-id"] == "open"
            connection.sendall(request(id="next"))
            assert answer(connection)[1]["x-request-id"] == "next"


def test_requests_that_come_together_are_answered_in_turn(gunicorn):
    with connected(gunicorn) as connection:
        connection.sendall(request(id="one") + request(id="two"))
        told = b""
        while told.count(b'{"ok":true}') < 2:
            told += connection.recv(65536)
    assert told.index(b"X-Request-ID: one") < told.index(b"X-Request-ID: two")


@contextmanager
def regulars(gunicorn, waits, number=30):
    """So many who ask again as soon as they are answered; how long each answer took goes to `waits`."""
    over = threading.Event()

    def ask():
        with connected(gunicorn) as connection:
            while not over.is_set():
                begin = time.monotonic()
                connection.sendall(request("slow?seconds=0.02"))
                assert answer(connection)[0] == 200
                waits.append(time.monotonic() - begin)

    with ThreadPoolExecutor(number) as people:
        asking = [people.submit(ask) for _ in range(number)]
        time.sleep(1)
        try:
            yield
        finally:
            over.set()
        for each in asking:
            each.result()


def come(gunicorn, _=None):
    """Seconds that somebody waits who opens a connection."""
    begin = time.monotonic()
    with connected(gunicorn) as connection:
        connection.sendall(request())
        assert answer(connection)[0] == 200
    return time.monotonic() - begin


def test_newcomers_are_not_behind_those_who_always_ask_again(gunicorn):
    """30 who are busy, 30 who come: whoever looks at the door lets in all who wait there, not one."""
    with regulars(gunicorn, []), ThreadPoolExecutor(30) as people:
        waited = list(people.map(partial(come, gunicorn), range(30)))
    # A turn of the queue is 30 times 20 ms on two threads: one for all of them, not thirty.
    assert max(waited) < 3


def test_a_newcomer_stands_in_the_queue_once(gunicorn):
    """As long as those who are in already, not twice as long: for the listener's turn, and then for its own."""
    waits = list[float]()
    with regulars(gunicorn, waits):
        newcomers = [come(gunicorn) for _ in range(11)]
    assert median(newcomers) < 1.5 * median(waits)


def test_a_standstill_is_no_queue(tmp_path):
    """Ten come while the process is stopped, for longer than they wait in a queue, and it takes 0.1 s for each.

    The first are answered when it wakes up; the last have stood in a queue for too long from then on.
    """
    with serving(tmp_path, THREADS="1") as gunicorn, ExitStack() as stack:
        people = [stack.enter_context(connected(gunicorn)) for _ in range(10)]
        (worker,) = psutil.Process(gunicorn.process.pid).children()
        worker.suspend()
        try:
            for connection in people:
                connection.sendall(impatient("slow?seconds=0.1"))
            time.sleep(0.7)
        finally:
            worker.resume()
        answers = sorted(answer(connection)[0] for connection in people)
    assert 1 <= answers.count(200) <= 9
    assert answers.count(429) == 10 - answers.count(200)


def test_a_start_is_no_queue(tmp_path):
    """Who comes while a worker loads its code, for longer than they wait in a queue, is answered when it is there."""
    with serving(tmp_path, THREADS="1") as gunicorn:
        master = psutil.Process(gunicorn.process.pid)
        (worker,) = master.children()
        worker.kill()
        (starting,) = until(lambda: [each for each in master.children() if each.pid != worker.pid])
        starting.suspend()  # it needs longer than that to come to its first request
        with connected(gunicorn) as connection:
            try:
                connection.sendall(impatient())
                time.sleep(0.7)
            finally:
                starting.resume()
            assert answer(connection)[0] == 200


def test_who_hangs_up_takes_no_thread_along(gunicorn):
    for _ in range(6):
        with connected(gunicorn) as connection:
            connection.sendall(request("slow"))
        with connected(gunicorn) as connection:
            connection.sendall(b"GET /api/v1/sto")
    assert all(gunicorn.get("/api/v1/stock/echo").status == 200 for _ in range(10))


def test_an_idle_connection_is_hung_up_and_a_used_one_is_not(tmp_path):
    with (
        serving(tmp_path, "--keep-alive", "1", THREADS="2") as gunicorn,
        connected(gunicorn) as idle,
        connected(gunicorn) as used,
    ):
        for _ in range(6):
            used.sendall(request())
            assert answer(used)[0] == 200
            time.sleep(0.5)
        idle.settimeout(2)
        assert idle.recv(1) == b""
        used.sendall(request())
        assert answer(used)[0] == 200


def test_beyond_its_number_of_connections_it_takes_the_next_when_one_has_gone(tmp_path):
    with serving(tmp_path, "--worker-connections", "4", THREADS="2") as gunicorn, ExitStack() as stack:
        held = [stack.enter_context(connected(gunicorn)) for _ in range(4)]
        last = stack.enter_context(connected(gunicorn))
        last.sendall(request())
        last.settimeout(1.5)
        with pytest.raises(TimeoutError):
            last.recv(1)
        for connection in held:
            connection.close()
        last.settimeout(10)
        assert answer(last)[0] == 200


def test_without_a_file_to_open_it_tries_again_each_second_and_not_all_the_time(tmp_path):
    with serving(tmp_path, THREADS="2") as gunicorn, connected(gunicorn) as first:
        first.sendall(request())
        assert answer(first)[0] == 200
        (worker,) = psutil.Process(gunicorn.process.pid).children()
        none_left = max(int(name) for name in os.listdir(f"/proc/{worker.pid}/fd")) + 1
        _, most = worker.rlimit(psutil.RLIMIT_NOFILE)
        worker.rlimit(psutil.RLIMIT_NOFILE, (none_left, most))
        with connected(gunicorn) as second:
            second.sendall(request())
            before = worker.cpu_times()
            time.sleep(2)
            used = worker.cpu_times()
            worker.rlimit(psutil.RLIMIT_NOFILE, (most, most))
            assert answer(second)[0] == 200
    assert used.user + used.system - before.user - before.system < 1


def test_at_its_end_what_is_under_way_is_answered_and_what_comes_on_an_open_connection(tmp_path):
    with serving(tmp_path, THREADS="2") as gunicorn:
        with connected(gunicorn) as working, connected(gunicorn) as kept, connected(gunicorn) as silent:
            kept.sendall(request())
            assert answer(kept)[0] == 200
            working.sendall(request("slow"))
            time.sleep(0.2)
            gunicorn.process.terminate()
            time.sleep(0.3)
            kept.sendall(request())
            assert answer(working)[0] == 200
            status, headers, _ = answer(kept)
            assert (status, headers["connection"]) == (200, "close")
            assert [connection.recv(1) for connection in (working, kept, silent)] == [b""] * 3
        assert gunicorn.process.wait(timeout=10) == 0


def test_who_comes_next_on_a_connection_waits_for_no_rest(tmp_path):
    with serving(tmp_path, THREADS="2", GATE=str(tmp_path / "gate")) as gunicorn, connected(gunicorn) as kept:
        for path in ("first", "echo", "echo"):
            kept.sendall(request(path))
            assert answer(kept)[0] == 200
        assert not rest_done(gunicorn)
        (tmp_path / "gate").touch()
        until(lambda: rest_done(gunicorn))


def test_at_its_end_the_rest_is_done_though_nobody_is_connected(tmp_path):
    with serving(tmp_path, THREADS="2", GATE=str(tmp_path / "gate")) as gunicorn:
        with connected(gunicorn) as leaving:
            leaving.sendall(request("first").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert answer(leaving)[0] == 200
            assert leaving.recv(1) == b""
        gunicorn.process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):  # by then idle connections are closed, too
            gunicorn.process.wait(timeout=STOP_KEEPALIVE_LINGER + 1)
        (tmp_path / "gate").touch()
        assert gunicorn.process.wait(timeout=10) == 0
        assert rest_done(gunicorn)


def rest_done(gunicorn):
    return any(line["event"] == "rest_done" for line in gunicorn.lines())


def test_a_quick_end_waits_for_nobody(tmp_path):
    with serving(tmp_path, THREADS="2") as gunicorn, connected(gunicorn) as kept:
        kept.sendall(request())
        assert answer(kept)[0] == 200
        begin = time.monotonic()
        gunicorn.process.send_signal(signal.SIGQUIT)
        assert gunicorn.process.wait(timeout=10) == 0
        assert time.monotonic() - begin < 2


@pytest.mark.parametrize(("kind", "least"), [("chassis.web_worker.Worker", 200), ("tests.hesitant.Worker", 10)])
def test_no_request_fails_while_workers_come_and_go(tmp_path, kind, least):
    failed, done, over = list[int](), list[int](), threading.Event()

    def read(gunicorn):
        while not over.is_set():
            with connected(gunicorn) as connection:
                connection.sendall(request())
                (done if (answer(connection) or (0,))[0] == 200 else failed).append(1)

    with serving(tmp_path, "--worker-class", kind) as gunicorn, ThreadPoolExecutor(4) as people:
        readers = [people.submit(read, gunicorn) for _ in range(4)]
        for _ in range(3):
            gunicorn.process.send_signal(signal.SIGHUP)
            time.sleep(2.5)
        until(lambda: failed or len(done) > least, seconds=60)
        over.set()
        for reader in readers:
            reader.result()
    assert not failed
