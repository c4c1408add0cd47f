"""What each staff role may do in this service's admin (chassis.staff); an owner may everything."""

PERMISSIONS = {
    "warehouse": ["stock.*"],
    "catalogue": ["stock.view_*"],
    "orders": ["stock.view_*"],
}
