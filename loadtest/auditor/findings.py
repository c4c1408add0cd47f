"""What the auditor may find, and how it says so."""

from typing import NamedTuple

INVARIANTS = {
    "levels": "0 ≤ reserved ≤ on hand, for every SKU",
    "held": "reserved is the sum of the lines that are held",
    "ledger": "on hand is the sum of the ledger",
    "ledger-prefix": "no prefix of the ledger is negative",
    "ledger-sales": "what was committed has its sale in the ledger, what was returned its return, nothing else any",
    "totals": "an order's total is the sum of its lines, and its payment's amount",
    "events": "an order's events form a legal path to its state",
    "answers": "an order at rest has its answer stored under its key",
    "keys": "one key has at most one order",
    "live-carts": "one cart has at most one order under way",
    "cart-versions": "one version of a cart has at most one order that did not fail",
    "goods": "an order is confirmed and not refunded ⇔ its lines are sold, once",
    "money": "an order is confirmed and not refunded ⇔ its total is charged, once, or its invoice is due",
    "failed-goods": "a failed order holds no stock",
    "failed-money": "a failed order holds no money",
    "carts": "an order that is through has taken its lines out of its cart, and no other has",
    "stuck": "nothing is under way for longer than it may",
    "accounts": "the account of an order or a cart exists",
    "prices": "goods on sale cost what their cheapest variant costs",
}
"""Every invariant by name, in the order in which they are told."""


class Finding(NamedTuple):
    """One offender. ``subject`` is what names it: ``order <id>``, ``SKU <sku>``, ``reservation <id>`` …"""

    invariant: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.detail}"
