"""What each staff role may do in this service's admin (chassis.staff); an owner may everything.

Orders are never edited: who may change them may ship, cancel, refund and mark them as paid.
"""

PERMISSIONS = {
    "orders": ["orders.*"],
    "support": ["orders.view_*"],
}
