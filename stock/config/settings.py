"""Settings of the stock service: what every service shares, and nothing of its own."""

from chassis.settings import adopt

adopt(globals(), service="stock", apps=["stock"])
