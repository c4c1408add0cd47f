"""Settings of the orders service: what every service shares, and nothing of its own."""

from chassis.settings import adopt

adopt(globals(), service="orders", apps=["orders"], personal=True)
