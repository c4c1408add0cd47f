"""What this service counts of its business."""

from prometheus_client import Counter

SEARCHES = Counter(
    "products_searches_without_hits_total", "Searches that found nothing, by what was made of them.", ["outcome"]
)
CHANGES = Counter("products_changes_total", "Changes of the catalogue by staff.", ["kind"])

# Counters start at 0, so that a panel has a series before the first event.
for _outcome in ("corrected", "nothing"):
    SEARCHES.labels(_outcome)
for _kind in ("created", "changed", "archived", "category", "image"):
    CHANGES.labels(_kind)
