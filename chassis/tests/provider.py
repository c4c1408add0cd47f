"""The customers service as far as the staff's sign-in needs it: a real HTTP server with token, userinfo and keys."""

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import orjson
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

KEY = RSAKey.generate_key(2048, parameters={"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)
ISSUER = "http://localhost:8080/admin/customers/oidc"


@dataclass
class Provider:
    """Who is signed in there, what its ID tokens say besides, and how often it was asked who somebody is."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    signed_in: bool = True
    down: bool = False
    id_token: dict[str, Any] = field(default_factory=dict)
    challenge: str = ""
    nonce: str = ""
    asked: int = 0

    def token(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        """Trades the code."""
        verifier = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        proven = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() == self.challenge
        if form["code"] != ["good"] or form["client_secret"] != ["a client secret for tests only"] or not proven:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "stock", "sub": self.person["sub"], "nonce": self.nonce, "exp": now + 60}
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims | self.id_token, KEY)
        return 200, {"access_token": "an access token", "id_token": token, "token_type": "Bearer"}

    def user_info(self, token: str) -> tuple[int, Any]:
        """Says who it is."""
        self.asked += 1
        if self.down:
            return 503, {}
        return (200, self.person) if self.signed_in and token == "Bearer an access token" else (401, {})


@contextmanager
def running(provider: Provider) -> Iterator[None]:
    """The server at a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.say(*provider.token(form))

        def do_GET(self) -> None:
            if self.path == "/keys":
                self.say(200, KeySet([KEY]).as_dict(private=False))
            else:
                self.say(*provider.user_info(self.headers["Authorization"]))

        def say(self, status: int, body: Any) -> None:
            content = orjson.dumps(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    provider.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
