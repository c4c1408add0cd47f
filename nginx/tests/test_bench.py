"""What `make bench-gateway` compares is what it says."""

import urllib.request

from bench.setting import setting
from tests.support.client import ask
from tests.support.processes import Gateway, wait_until


def counted(gateway: Gateway) -> str:
    """What one of the gateways has counted so far, of the products."""
    lines = ask(gateway.metrics_port, "/metrics").body.decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("gateway_request_duration_seconds_count"))


def test_both_gateways_answer_the_same_and_one_of_them_counts() -> None:
    with setting() as it:
        addresses = (it.cached.url, it.unmetered.url, it.static.url, it.probe.url, it.upstream)
        bodies = {urllib.request.urlopen(address, timeout=5).read() for address in addresses}  # noqa: S310 - our own
        assert len(bodies) == 1
        assert all(side.workers for side in (it.cached, it.unmetered, it.static, it.probe))
        wait_until(lambda: 'route="products"' in counted(it.gateway), "the request is counted")
        assert counted(it.bare) == ""
