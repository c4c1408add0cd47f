"""An answer that goes out before the rest of the work."""

from chassis.answer_first import AnswerFirst


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
