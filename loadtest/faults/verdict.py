"""What the buyers were told, against what the databases hold."""

from collections.abc import Sequence

from loadtest.faults.buyers import Told
from loadtest.faults.stage import Stage

GOOD = {"completed", "shipped", "delivered"}
ENDED = {"cancelled", "refunded"}


def compare(stage: Stage, told: Sequence[Told]) -> list[str]:
    """Each contradiction in a line: every acknowledged order exists as told, and every order was asked for."""
    with stage.database("orders") as cursor:
        cursor.execute(
            """SELECT o.id::text, r.key, o.state, o.total, o.cart::text FROM orders_order o
               LEFT JOIN idempotency_idempotencyrecord r ON r.id = o.idempotency_id"""
        )
        orders = {row[0]: row[1:] for row in cursor.fetchall()}
    by_key = {checkout.key: checkout for checkout in told}
    wrong = [f"order {id} was never asked for" for id, (key, *_) in orders.items() if key not in by_key]
    for checkout in told:
        wrong += _contradictions(checkout, orders)
    return wrong


def _contradictions(told: Told, orders: dict[str, tuple[str, str, int, str]]) -> list[str]:
    mine = [(id, *order[1:]) for id, order in orders.items() if order[0] == told.key]
    alive = [order for order in mine if order[1] in GOOD]
    wrong = [f"key {told.key} has {len(alive)} orders"] if len(alive) > 1 else []
    if told.status in (201, 202):
        found = orders.get(told.body["id"])
        if found is None:
            return [*wrong, f"order {told.body['id']} was acknowledged and is not there"]
        if told.status == 201 and (found[1] not in GOOD | ENDED or found[2] != told.body["total"]["amount"]):
            wrong.append(f"order {told.body['id']} was confirmed and is {found[1]}, total {found[2]}")
    elif told.status in (402, 409) and alive and told.body.get("code") != "cart_already_ordered":
        wrong.append(f"key {told.key} was refused with {told.status} and has the order {alive[0][0]}")
    return wrong
