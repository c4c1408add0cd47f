"""The payment provider itself, over HTTP."""

import threading
from uuid import uuid4

import pytest
import urllib3

from testpay.server import Server
from tests.conftest import SECRET, serve

AUTH = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
def call(charges):
    server = Server(("127.0.0.1", 0), charges, SECRET)
    url, http = serve(server), urllib3.PoolManager(retries=False, timeout=2)

    def request(method, path, body=None, headers=AUTH):
        answer = http.request(method, url + path, json=body, headers=headers)
        return answer.status, answer.json()

    yield request
    server.shutdown()


def charge(key, token="tok_ok", amount=100):
    return {"key": key, "amount": amount, "currency": "USD", "token": token}


@pytest.mark.parametrize(("token", "state"), [("tok_ok", "succeeded"), ("tok_declined", "declined"), ("x", "declined")])
def test_a_key_is_charged_once(call, token, state):
    key = str(uuid4())
    assert call("GET", f"/charges/{key}")[0] == 404
    for _ in range(2):
        assert call("POST", "/charges", charge(key, token)) == (
            200, {"key": key, "state": state, "amount": 100, "currency": "USD"},
        )  # fmt: skip
    assert call("POST", "/charges", charge(key, token, amount=101))[0] == 409
    assert call("GET", f"/charges/{key}")[1]["amount"] == 100


def test_a_lost_answer_is_lost_and_the_charge_is_there(call):
    key = str(uuid4())
    with pytest.raises(urllib3.exceptions.ProtocolError):
        call("POST", "/charges", charge(key, "tok_timeout"))
    assert call("GET", f"/charges/{key}")[1]["state"] == "succeeded"


def test_an_error_charges_nothing(call):
    key = str(uuid4())
    assert call("POST", "/charges", charge(key, "tok_error"))[0] == 500
    assert call("GET", f"/charges/{key}")[1]["state"] == "error"


def test_void_spends_a_key_for_ever(call):
    key = str(uuid4())
    assert call("POST", f"/charges/{key}/void")[1]["state"] == "voided"
    assert call("POST", "/charges", charge(key))[1]["state"] == "voided"


def test_money_comes_back_once(call):
    key = str(uuid4())
    assert call("POST", f"/charges/{key}/refund")[0] == 409
    call("POST", "/charges", charge(key))
    for _ in range(2):
        assert call("POST", f"/charges/{key}/refund")[1]["state"] == "refunded"


def test_the_secret_is_needed(call):
    key = str(uuid4())
    assert call("POST", "/charges", charge(key), {"Authorization": "Bearer wrong"})[0] == 401
    assert call("GET", f"/charges/{key}")[0] == 404
    assert call("GET", "/livez", headers={})[0] == 200


@pytest.mark.parametrize("body", [{}, [], {"key": "x", "amount": 1, "currency": "USD", "token": "tok_ok"}])
def test_nonsense_is_refused(call, body):
    assert call("POST", "/charges", body)[0] in (400, 503)


def test_eight_at_once_charge_once(call, charges):
    key = str(uuid4())
    threads = [threading.Thread(target=call, args=("POST", "/charges", charge(key))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert charges.find(key)["state"] == "succeeded"
