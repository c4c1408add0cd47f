"""What each staff role may do in this service's admin (chassis.staff); an owner may everything."""

PERMISSIONS = {
    "orders": ["cart.view_*"],
    "support": ["cart.view_*"],
}
