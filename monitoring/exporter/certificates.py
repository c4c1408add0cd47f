"""Until when TLS certificates hold, under the names of blackbox_exporter: what a client would be shown right now."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from cryptography import x509
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = 3.0


class Certificates(Collector):
    """Asks each ``host:port`` for its certificate at a scrape."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = targets

    def describe(self) -> list[Metric]:
        """Nothing in advance."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Whether each server showed a certificate, and its end in Unix time."""
        success = GaugeMetricFamily("probe_success", "Whether a certificate was shown.", labels=["target"])
        expiry = GaugeMetricFamily("probe_ssl_earliest_cert_expiry", "The end of the certificate.", labels=["target"])
        if self._targets:
            with ThreadPoolExecutor(len(self._targets)) as pool:
                for target, end in zip(self._targets, pool.map(ends, self._targets), strict=True):
                    success.add_metric([target], end is not None)
                    if end is not None:
                        expiry.add_metric([target], end)
        yield from (success, expiry)


def ends(target: str) -> float | None:
    """The end of the certificate that ``host:port`` shows, trusted or not; None where it shows none."""
    host, _, port = target.rpartition(":")
    context = ssl.create_default_context()
    # Somebody's own certificate ends as well; whether it is to be trusted is not the question here.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, int(port)), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp() if shown else None
