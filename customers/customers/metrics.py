"""What this service counts of its business, and what its worker measures in the database."""

from chassis.measures import Measure, query
from prometheus_client import Counter

SIGN_UPS = Counter("customers_sign_ups_total", "Sign-ups by whether the address was new.", ["outcome"])
SIGN_INS = Counter("customers_sign_ins_total", "Sign-ins by outcome.", ["outcome"])
REFRESHES = Counter("customers_refreshes_total", "Uses of refresh tokens by outcome.", ["outcome"])
MAILS = Counter("customers_mails_total", "Mails of the outbox by outcome.", ["outcome"])

# Counters start at 0, so that a panel has a series before the first event.
for _counter, _outcomes in (
    (SIGN_UPS, ("new", "known")),
    (SIGN_INS, ("ok", "failed", "throttled")),
    (REFRESHES, ("ok", "reused", "invalid")),
    (MAILS, ("sent", "failed", "dropped")),
):
    for _outcome in _outcomes:
        _counter.labels(_outcome)

_UNSENT = "FROM customers_mail WHERE sent IS NULL AND attempts < 12"  # mails.MAX_ATTEMPTS: after those nobody tries
MEASURES = [
    Measure("outbox_mails", "Mails that are not sent.", query(f"SELECT count(*) {_UNSENT}")),
    Measure(
        "outbox_lag_seconds",
        "Age of the oldest mail that is not sent.",
        query(f"SELECT extract(epoch FROM now() - min(created)) {_UNSENT}"),
    ),
]
