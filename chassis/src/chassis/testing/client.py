"""Django's test client, speaking JSON; server errors come back as answers, as they would over the wire."""

from typing import Any

import orjson
from django.test import Client


class ApiClient:
    """``get``, ``post``, ``put``, ``patch``, ``delete`` with a JSON body and headers."""

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False)

    def request(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Sends a request; ``body`` is JSON, or bytes to be sent as they are."""
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return self._client.generic(method, path, data, content_type="application/json", headers=headers or {})

    def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """GET."""
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """POST."""
        return self.request("POST", path, body, headers)

    def put(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """PUT."""
        return self.request("PUT", path, body, headers)

    def patch(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """PATCH."""
        return self.request("PATCH", path, body, headers)

    def delete(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """DELETE."""
        return self.request("DELETE", path, headers=headers)
