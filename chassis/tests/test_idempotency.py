"""Idempotency keys: one request, one answer, however often and however concurrently it is sent."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import DatabaseError, connection, transaction
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from chassis.idempotency import keys
from chassis.idempotency.models import IdempotencyRecord

pytestmark = pytest.mark.django_db


def claim(key="k", print_="f", scope="me"):
    return keys.claim(scope=scope, key=key, fingerprint=print_)


def answered(key="k", status=201, body=b'{"a": 1}', headers=None):
    with transaction.atomic():
        keys.complete(claim(key).record, status=status, body=body, headers=headers)


def request(key=None, path="/x", method="post"):
    headers = {} if key is None else {"Idempotency-Key": key}
    return Request(getattr(APIRequestFactory(), method)(path, headers=headers))


def test_a_key_is_asked_for_and_has_to_be_sane():
    assert keys.key_of(request("k-1")) == "k-1"
    assert keys.key_of(request(), required=False) is None
    with pytest.raises(keys.KeyRequired):
        keys.key_of(request())
    for bad in ("", "a b", "é", "x" * 256, "a\x00b"):
        with pytest.raises(keys.KeyInvalid):
            keys.key_of(request(bad))


def test_a_fingerprint_is_method_path_and_body_in_any_order():
    first = keys.fingerprint(request(), {"a": 1, "b": {"c": 2, "d": 3}})
    assert first == keys.fingerprint(request(), {"b": {"d": 3, "c": 2}, "a": 1})
    others = [
        keys.fingerprint(request(), {"a": 1}),
        keys.fingerprint(request(path="/y"), {"a": 1, "b": {"c": 2, "d": 3}}),
        keys.fingerprint(request(method="put"), {"a": 1, "b": {"c": 2, "d": 3}}),
        keys.fingerprint(request(), {"a": "1", "b": {"c": 2, "d": 3}}),
    ]
    assert len({first, *others}) == 5


def test_an_answer_is_replayed_byte_for_byte():
    answered(body=b'{"a":  1}', headers={"Location": "/x/1"})
    with transaction.atomic():
        again = claim().answer
    assert again is not None
    assert (again.status_code, again.content, again["Location"]) == (201, b'{"a":  1}', "/x/1")
    assert (again["Idempotent-Replayed"], again["Content-Type"]) == ("true", "application/json")


def test_another_request_under_the_key_is_refused():
    answered()
    with pytest.raises(keys.KeyReused) as refusal, transaction.atomic():
        claim(print_="other")
    assert refusal.value.status == 422


def test_another_scope_has_keys_of_its_own():
    answered()
    with transaction.atomic():
        assert claim(scope="you").answer is None


def test_without_an_answer_it_is_still_running():
    with transaction.atomic():
        claim()
    with pytest.raises(keys.InProgress) as refusal, transaction.atomic():
        claim()
    assert (refusal.value.status, refusal.value.retry_after) == (409, 1)


def test_work_that_was_undone_leaves_its_key_free():
    with pytest.raises(RuntimeError), transaction.atomic():
        claim()
        raise RuntimeError
    with transaction.atomic():
        assert claim().answer is None


def test_the_first_answer_stays():
    answered(body=b"1")
    record = IdempotencyRecord.objects.get()
    keys.complete(record.pk, status=500, body=b"2")
    record.refresh_from_db()
    assert (record.status, bytes(record.body or b"")) == (201, b"1")


def test_old_answers_are_forgotten_and_what_is_running_is_not():
    for key in ("old", "fresh"):
        answered(key)
    with transaction.atomic():
        claim("running")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE idempotency_idempotencyrecord SET created = now() - interval '25 hours' WHERE key <> 'fresh'"
        )
    assert [keys.forget_old(), keys.forget_old()] == [1, 0]
    assert set(IdempotencyRecord.objects.values_list("key", flat=True)) == {"fresh", "running"}


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_do_the_work_once_and_get_the_same_bytes():
    start, done = Barrier(8), []

    def ask(number):
        try:
            start.wait(timeout=10)
            with transaction.atomic():
                mine = claim()
                if mine.answer:
                    return mine.answer.content
                done.append(number)
                body = b'{"made by": %d}' % number
                keys.complete(mine.record, status=201, body=body)
                return body
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(8)))
    assert len(done) == 1
    assert answers == {b'{"made by": %d}' % done[0]}
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"status": 201}, "idempotency_answer_whole_or_none"),
        ({"body": b"x"}, "idempotency_answer_whole_or_none"),
    ],
)
def test_an_answer_is_whole_or_none(values, constraint):
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        IdempotencyRecord.objects.create(scope="s", key="k", fingerprint="f", **values)
    assert not IdempotencyRecord.objects.exists()


def test_a_key_stands_once_in_its_scope():
    IdempotencyRecord.objects.create(scope="s", key="k", fingerprint="f")
    with pytest.raises(DatabaseError, match="idempotency_key_once_per_scope"), transaction.atomic():
        IdempotencyRecord.objects.create(scope="s", key="k", fingerprint="g")
