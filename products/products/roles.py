"""What each staff role may do in this service's admin (chassis.staff); an owner may everything."""

PERMISSIONS = {
    "catalogue": ["products.*"],
    "warehouse": ["products.view_*"],
    "orders": ["products.view_*"],
    "support": ["products.view_*"],
}
