"""An answer that goes out before the rest of the work."""

from concurrent.futures import ThreadPoolExecutor

from chassis.answer_first import AnswerFirst, the_rest, under_way


def test_the_rest_is_done_once_when_the_answer_is_out():
    done = []
    response = AnswerFirst(b"{}", status=201, then=lambda: done.append(response.content))
    assert (response.status_code, done) == (201, [])
    response.close()
    response.close()
    assert done == [b"{}"]


def test_what_fails_in_it_spoils_nothing():
    def fail():
        raise RuntimeError("no")

    AnswerFirst(then=fail).close()


def test_a_server_may_have_it_done_when_the_connection_is_given_back():
    seen = []

    def fail():
        raise RuntimeError("no")

    with the_rest:
        AnswerFirst(then=fail).close()
        AnswerFirst(then=lambda: seen.append(under_way())).close()
        assert (seen, under_way()) == ([], True)
    assert (seen, under_way()) == ([True], False)


def test_it_is_put_off_by_the_thread_that_asked_for_it_alone():
    done = []
    with the_rest, ThreadPoolExecutor(1) as other:
        other.submit(AnswerFirst(then=lambda: done.append("other")).close).result()
        assert done == ["other"]
