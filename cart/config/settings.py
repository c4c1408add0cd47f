"""Settings of the cart service: what every service shares, and nothing of its own."""

from chassis.settings import adopt

adopt(globals(), service="cart", prefix="carts", apps=["cart"], personal=True)
