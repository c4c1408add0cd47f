"""The category tree: made by staff and by imports, read as a whole."""

from collections.abc import Sequence
from typing import Any

from chassis.errors import DomainError, Invalid
from django.db import connection, transaction

from products import metrics
from products.domain import slugs
from products.models import Category

MAX_DEPTH = 10
_LOCK = 0x63617465
"""One at a time makes categories, so that two of the same name get two slugs. An advisory lock, until the commit."""
_COUNTS = """
    SELECT c.id, c.parent_id, c.slug, c.name, coalesce(p.count, 0) FROM products_category c
    LEFT JOIN (
        SELECT category_id, count(*) FROM products_product WHERE status = 'active' GROUP BY 1
    ) p ON p.category_id = c.id
    ORDER BY cardinality(c.path) DESC, lower(c.name), c.id
"""


class CategoryExists(DomainError):
    """The parent has a category of this name."""

    code, title = "category_exists", "There is such a category"


def create(*, name: str, parent: str | None) -> Category:
    """A new category below ``parent`` (a slug), or at the root. Raises ``CategoryExists``, ``Invalid``."""
    with transaction.atomic():
        _lock()
        above = by_slug(parent, field="parent")
        if Category.objects.filter(parent=above, name=name).exists():
            raise CategoryExists(f"There is a category {name!r} in the same place.")
        made = _make(name, above)
    metrics.CHANGES.labels("category").inc()
    return made


def by_slug(slug: str | None, *, field: str = "category") -> Category | None:
    """The category with this slug, None for None. Raises ``Invalid`` on ``field`` where there is none."""
    if slug is None:
        return None
    found = Category.objects.filter(slug=slug).first()
    if found is None:
        raise Invalid(field, f"There is no category {slug!r}.", "not_found")
    return found


def ensure(paths: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """The ids of categories by path of names; those that are missing are made, with all that is above them."""
    wanted = {path[:end] for path in paths for end in range(1, len(path) + 1)}
    if not wanted:
        return {}
    with transaction.atomic():
        _lock()
        known = {tuple(node.path): node for node in Category.objects.all()}
        for path in sorted(wanted - known.keys(), key=lambda path: (len(path), path)):
            known[path] = _make(path[-1], known.get(path[:-1]))
        return {path: known[path].pk for path in wanted}


def tree() -> list[dict[str, Any]]:
    """All categories as a tree in order of names, each with how many public products there are in it and below it."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        rows = cursor.fetchall()
    children: dict[int | None, list[dict[str, Any]]] = {}
    # The deepest come first, so what is below a node is complete when its turn comes.
    for id, parent, slug, name, count in rows:
        below = children.pop(id, [])
        total = count + sum(node["count"] for node in below)
        children.setdefault(parent, []).append({"slug": slug, "name": name, "count": total, "children": below})
    return children.get(None, [])


def new_slug(name: str) -> str:
    """A slug that no category has, made from the name, the caller being in a transaction: others wait for its end."""
    _lock()
    base = slugs.base(name, "category")[:100].rstrip("-")
    taken = set(Category.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number, slug = 1, base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def _make(name: str, parent: Category | None) -> Category:
    path, lineage = (parent.path, parent.lineage) if parent else ([], [])
    if len(path) == MAX_DEPTH:
        raise Invalid("parent", f"Categories are at most {MAX_DEPTH} levels deep.", "too_deep")
    slug = new_slug(name)
    return Category.objects.create(name=name, parent=parent, slug=slug, path=[*path, name], lineage=[*lineage, slug])


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
