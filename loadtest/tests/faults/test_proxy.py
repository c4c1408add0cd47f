"""The proxy does to a connection what it says."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from loadtest.faults.proxy import Proxy

seen: list[str] = []


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args): ...


@pytest.fixture
def proxy():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen.clear()
    yield Proxy("test", server.server_address[1], seed=1)
    server.shutdown()


@pytest.fixture
def get(proxy):
    http = urllib3.PoolManager(retries=False, timeout=3)
    return lambda path: http.request("GET", proxy.url + path).status


def test_fair_weather(proxy, get):
    assert [get("/1"), get("/2")] == [200, 200]


def test_a_lost_reply_is_of_a_request_that_arrived(proxy, get):
    proxy.weather.drop_replies = 1
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get("/lost")
    assert get("/next") == 200
    assert seen == ["/lost", "/next"]


def test_cut_lets_nothing_through_and_ends_what_is_open(proxy, get):
    get("/before")
    proxy.weather.cut = True
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get("/during")
    proxy.heal()
    assert get("/after") == 200
    assert seen == ["/before", "/after"]


def test_a_reply_can_be_held_back(proxy, get):
    proxy.weather.reply_delay = 0.3
    begin = time.monotonic()
    assert get("/slow") == 200
    assert time.monotonic() - begin >= 0.3


def test_resets_hit_their_share(proxy, get):
    proxy.weather.resets = 1.0
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get("/reset")
    assert seen == []
