"""What each staff role may do in this service's admin (chassis.staff); an owner may everything.

``help_customer``: end sessions, have a mail sent again. ``give_rights``: make staff of somebody, and change colleagues.
"""

PERMISSIONS = {
    "orders": ["customers.view_customer", "customers.view_address"],
    "support": [
        "customers.view_customer",
        "customers.view_address",
        "customers.view_session",
        "customers.view_mail",
        "customers.view_erasure",
        "customers.view_privacyevent",
        "customers.help_customer",
    ],
}
