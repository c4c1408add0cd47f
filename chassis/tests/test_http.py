"""The client of other services against real servers, good and bad."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import orjson
import pytest
from joserfc import jwt
from structlog.contextvars import bound_contextvars

from chassis import deadline
from chassis.breaker import Breaker, RetryBudget
from chassis.http import BREAKER, CALLS, RETRIES, DependencyUnavailable, ServiceClient
from tests.servers import hang_up, late, nowhere, reply, running, until


def counted(outcome):
    return CALLS.labels("cart", outcome)._value.get()


def test_an_answer_comes_back_whatever_its_status():
    with running((200, {"a": 1}), (404, {"code": "gone"}), (204, b"")) as server:
        client = ServiceClient("cart", [server.url + "/"])
        found, refused, empty = (client.call("POST", "/x", body={"b": [2]}) for _ in range(3))
    assert (found.status, found.body, found.ok, found.code) == (200, {"a": 1}, True, "")
    assert (refused.ok, refused.code) == (False, "gone")
    assert (empty.status, empty.body) == (204, None)
    assert [(method, path, body) for method, path, _, body in server.requests] == [("POST", "/x", b'{"b":[2]}')] * 3


def test_a_call_says_who_calls_for_which_request_and_how_long_it_may_take(service_private_keys):
    with running() as server, bound_contextvars(request_id="abc"), deadline.within(2):
        ServiceClient("cart", [server.url]).call("GET", "/x")
    headers = server.requests[0][2]
    token = headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, service_private_keys["stock"], algorithms=["RS256"]).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("stock", "stock", "cart")
    assert 0 < claims["exp"] - time.time() <= 60
    assert (headers["X-Request-ID"], "traceparent" in headers) == ("abc", False)
    assert 0 <= time.time() - float(headers["X-Request-Start"].removeprefix("t=")) < 10
    assert 1000 < int(headers["X-Timeout-Ms"]) <= 2000


def test_a_call_takes_the_trace_along():
    with running() as server, bound_contextvars(request_id="abc", traceparent="00-1-2-01"):
        ServiceClient("cart", [server.url]).call("GET", "/x")
    assert server.requests[0][2]["traceparent"] == "00-1-2-01"


def test_without_a_deadline_the_read_time_out_is_passed_on():
    with running() as server:
        ServiceClient("cart", [server.url], read=3.0).call("GET", "/x")
    assert server.requests[0][2]["X-Timeout-Ms"] == "3000"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("fault", [500, 502, 503, 504, (200, b"<html>"), hang_up])
def test_passing_faults_are_tried_again(method, fault):
    before = RETRIES.labels("cart")._value.get()
    with running(fault, fault, 200) as server:
        answer = ServiceClient("cart", [server.url]).call(method, "/x", body={"n": 1})
    assert answer.ok
    assert [request[0] for request in server.requests] == [method] * 3
    assert RETRIES.labels("cart")._value.get() == before + 2


@pytest.mark.parametrize("fault", [503, hang_up])
def test_a_post_that_may_have_arrived_is_not_sent_again(fault):
    with running(fault, 200) as server, running() as other:
        client = ServiceClient("cart", [server.url, other.url])
        client._hosts.sort(key=lambda host: host.address.url != server.url)
        with pytest.raises(DependencyUnavailable) as failure:
            client.call("POST", "/x")
    assert failure.value.reached
    assert (len(server.requests), len(other.requests)) == (1, 0)


@pytest.mark.parametrize("body", [{"n": 1}, None])
def test_nor_is_one_on_a_connection_that_was_kept(body):
    """On which it would have been the client's right: RFC 9110 section 9.2.2 speaks of idempotent methods only."""
    with running(200, hang_up, 200) as server:
        client = ServiceClient("cart", [server.url])
        assert client.call("POST", "/x", body=body).ok
        with pytest.raises(DependencyUnavailable) as failure:
            client.call("POST", "/x", body=body)
        assert failure.value.reached
        assert len(server.requests) == 2
        assert client.call("POST", "/x", body=body).ok


def test_a_get_is_sent_again_where_a_kept_connection_has_ended():
    with running(200, hang_up, 200) as server:
        client = ServiceClient("cart", [server.url], attempts=1)
        assert [client.call("GET", "/x").ok for _ in range(2)] == [True, True]
    assert len(server.requests) == 3


def test_an_answer_says_whether_its_request_was_surely_sent_once():
    """On a new connection it may have been sent before, on one that had ended."""
    with running(200, 200, hang_up, 200, 503, 200, 200) as server:
        client = ServiceClient("cart", [server.url])
        once = [client.call("PUT", "/x", body={"n": 1}).once for _ in range(5)]
    assert once == [False, True, False, False, True]


def test_a_post_that_may_be_repeated_is():
    with running(503, 200) as server:
        assert ServiceClient("cart", [server.url]).call("POST", "/x", repeatable=True).ok
    assert len(server.requests) == 2


def test_a_put_that_may_not_be_repeated_is_not():
    with running(503, 200) as server, pytest.raises(DependencyUnavailable):
        ServiceClient("cart", [server.url]).call("PUT", "/x", repeatable=False)
    assert len(server.requests) == 1


def test_a_refusal_is_an_answer_and_not_tried_again():
    with running((409, {"code": "short"}), 200) as server:
        assert ServiceClient("cart", [server.url]).call("PUT", "/x").status == 409
    assert len(server.requests) == 1


def test_it_gives_up_after_so_many_attempts():
    before = counted("failed")
    with running(503) as server, pytest.raises(DependencyUnavailable) as failure:
        ServiceClient("cart", [server.url], attempts=3).call("GET", "/x")
    assert len(server.requests) == 3
    assert failure.value.reached
    assert (failure.value.status, failure.value.code, failure.value.retry_after) == (503, "dependency_unavailable", 2)
    assert counted("failed") == before + 1


def test_what_was_never_sent_surely_did_not_arrive():
    with pytest.raises(DependencyUnavailable) as failure:
        ServiceClient("cart", [nowhere()]).call("POST", "/x")
    assert not failure.value.reached


def test_even_a_post_goes_to_the_other_address_when_it_was_never_sent():
    with running() as server:
        client = ServiceClient("cart", [nowhere(), server.url])
        assert all(client.call("POST", "/x").ok for _ in range(6))
    assert len(server.requests) == 6


def test_with_one_of_two_addresses_failing_no_get_fails():
    with running(503) as bad, running() as good:
        client = ServiceClient("cart", [bad.url, good.url])
        for host in client._hosts:
            host.breaker = Breaker(pause=60)
        assert all(client.call("GET", "/x").ok for _ in range(40))
    assert len(good.requests) == 40
    assert len(bad.requests) <= 1, "whoever failed is asked when the other one is busy"


def test_after_ten_failures_in_a_row_an_address_is_left_alone():
    with running(503) as bad:
        client = ServiceClient("cart", [bad.url], attempts=1)
        client._hosts[0].breaker = Breaker(pause=60)
        for _ in range(20):
            with pytest.raises(DependencyUnavailable):
                client.call("GET", "/x")
    assert len(bad.requests) == 10


def test_an_address_that_was_left_alone_is_tried_again_though_the_other_one_is_well():
    pause = 1.0
    with running(503, 503, 200) as one, running(503, 503, 200) as other:
        client = ServiceClient("cart", [one.url, other.url], attempts=1)
        for host in client._hosts:
            host.breaker = Breaker(failures=2, pause=pause)
        for _ in range(4):
            with pytest.raises(DependencyUnavailable):
                client.call("GET", "/x")
        time.sleep(pause + 0.1)
        assert [client.call("GET", "/x").ok for _ in range(4)] == [True] * 4
        assert [host.load for host in client._hosts] == [0, 0]


def test_one_call_after_the_other_goes_to_the_same_address():
    with running() as one, running() as other:
        client = ServiceClient("cart", [one.url, other.url])
        for _ in range(10):
            client.call("GET", "/x")
    assert {len(one.requests), len(other.requests)} == {0, 10}


def test_calls_at_the_same_time_go_to_all_addresses():
    with running(late(1.0)) as one, running(late(1.0)) as other, ThreadPoolExecutor(4) as threads:
        client, calls = ServiceClient("cart", [one.url, other.url]), []
        for _ in range(4):
            calls.append(threads.submit(client.call, "GET", "/x"))
            until(lambda: len(one.requests) + len(other.requests) == len(calls))
        for call in calls:
            call.result()
    assert (len(one.requests), len(other.requests)) == (2, 2)


def test_where_one_address_hangs_the_other_is_asked():
    with running(late(2.0)) as hanging, running() as good, ThreadPoolExecutor(1) as threads:
        client = ServiceClient("cart", [hanging.url, good.url])
        client._hosts.sort(key=lambda host: host.address.url != hanging.url)
        waiting = threads.submit(client.call, "GET", "/x")
        until(lambda: hanging.requests)
        assert all(client.call("GET", "/x").ok for _ in range(10))
        waiting.result()
    assert (len(hanging.requests), len(good.requests)) == (1, 10)


def test_an_answer_after_the_deadline_is_none():
    with running(late(1.5)) as server, deadline.within(0.2):
        started = time.monotonic()
        with pytest.raises(DependencyUnavailable) as failure:
            ServiceClient("cart", [server.url]).call("GET", "/x")
        assert time.monotonic() - started < 1.0
    assert failure.value.reached
    assert len(server.requests) == 1


def test_with_no_time_left_nothing_is_sent_and_nobody_is_blamed():
    with running() as server:
        client = ServiceClient("cart", [server.url])
        with deadline.within(0):
            for _ in range(20):
                with pytest.raises(DependencyUnavailable) as failure:
                    client.call("GET", "/x")
        assert not failure.value.reached
        assert server.requests == []
        assert client.call("GET", "/x").ok, "the breaker is still closed"


def test_an_open_breaker_is_seen_from_outside():
    with running(503) as server:
        client = ServiceClient("cart", [server.url], attempts=1)
        gauge = BREAKER.labels("cart", server.url.removeprefix("http://"))
        for _ in range(10):
            assert gauge._value.get() == 0
            with pytest.raises(DependencyUnavailable):
                client.call("POST", "/x")
        assert gauge._value.get() == 1
        server.script = [200]
        until(lambda: _ok(client))
        assert gauge._value.get() == 0


def test_the_breaker_opens_fails_fast_and_closes_again():
    before = counted("open")
    with running(503) as server:
        client = ServiceClient("cart", [server.url], attempts=1)
        client._hosts[0].breaker = Breaker(pause=2.0)
        for _ in range(10):
            with pytest.raises(DependencyUnavailable) as failure:
                client.call("POST", "/x")
            assert failure.value.reached, "also the call that opens the breaker did arrive"
        for _ in range(20):
            with pytest.raises(DependencyUnavailable) as failure:
                client.call("POST", "/x")
            assert not failure.value.reached
        assert len(server.requests) == 10
        assert counted("open") == before + 20
        server.script = [200]
        until(lambda: _ok(client))
        assert all(_ok(client) for _ in range(5))


def _ok(client):
    try:
        return client.call("POST", "/x").ok
    except DependencyUnavailable:
        return False


def test_retries_have_a_budget_of_a_tenth():
    budget = RetryBudget(most=3)
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]


def test_a_service_that_is_down_is_not_flooded():
    with running(503) as server:
        client = ServiceClient("cart", [server.url])
        client._hosts[0].breaker = Breaker(failures=10**6)  # the budget by itself
        for _ in range(50):
            with pytest.raises(DependencyUnavailable):
                client.call("GET", "/x")
    assert 50 < len(server.requests) <= 50 + 10 + 5


def test_one_trial_at_a_time_while_it_is_open():
    breaker = Breaker(failures=2, pause=0.5)
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    until(breaker.allows)
    assert not breaker.allows(), "one was let through to try"
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True] * 3


def test_calls_of_many_threads_run_at_the_same_time():
    together = Barrier(8)

    def meet(handler):
        together.wait(timeout=5)
        reply(handler, 200, orjson.loads(b"{}"))

    with running(meet) as server:
        client = ServiceClient("cart", [server.url], attempts=1)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.call("GET", "/x").ok, range(8)))
    assert answers == [True] * 8, "each was answered only because all of them were under way"


def test_a_connection_is_used_again():
    ports = set()

    def note(handler):
        ports.add(handler.client_address[1])
        reply(handler, 200, {})

    with running(note) as server:
        client = ServiceClient("cart", [server.url])
        for _ in range(5):
            client.call("GET", "/x")
    assert len(ports) == 1
