"""From where a request comes."""

import ipaddress

from django.http import HttpRequest
from rest_framework.request import Request


def origin(request: HttpRequest | Request) -> str:
    """The client's address as the gateway saw it; of an IPv6 address the /64, which is what one subscriber has.

    The gateway drops what a client says of itself and sets X-Forwarded-For to one address; only the gateway reaches
    this port from outside. Of a list the last entry is what the nearest proxy added. Where there is none, the peer's.
    """
    candidates = (request.headers.get("X-Forwarded-For", "").rpartition(",")[2], request.META.get("REMOTE_ADDR", ""))
    for candidate in candidates:
        try:
            address = ipaddress.ip_address(candidate.strip())
        except ValueError:
            continue
        return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
    return "unknown"
