"""Settings of the products service: what every service shares, and where pictures are kept."""

from chassis import env
from chassis.settings import adopt

adopt(globals(), service="products", apps=["django.contrib.postgres", "tree_queries", "products"])

# MEDIA_ROOT: the folder of the pictures, the same for all instances; the gateway serves it at MEDIA_URL.
MEDIA_ROOT = env.text("MEDIA_ROOT", "/srv/media")
MEDIA_URL = "/media/"

# The statuses that a product can begin with, and those it can have.
globals()["SPECTACULAR_SETTINGS"]["ENUM_NAME_OVERRIDES"] = {
    "NewStatus": ["active", "draft"],
    "Status": ["active", "draft", "archived"],
}
