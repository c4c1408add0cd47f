"""Claiming: the cart of somebody who shopped as a guest becomes theirs when they sign in."""

from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from cart import metrics
from cart.domain import carts, statements
from cart.domain.checkouts import CheckoutInProgress
from cart.models import MAX_QUANTITY, Cart


def claim(*, id: UUID, customer: UUID) -> None:
    """Makes a guest's cart the customer's current one. The lines of the cart that was current so far move into it,
    quantities adding up to 999 at most; that one stays, empty. Of a cart that is the customer's already nothing
    changes, so the call may be repeated.

    Raises ``CartNotFound``, also for another customer's; ``CheckoutInProgress`` while an order is made of either cart;
    ``CartFull`` where both together have too many lines. One transaction: all of it or nothing.
    """
    carts.look(id=id, customer=customer)
    with transaction.atomic():
        carts.one_at_a_time(customer)
        former = carts.current_id(customer)
        found = _locked({id} | ({former} if former else set()))
        if id not in found or found[id]["customer"] not in (None, customer):
            raise carts.CartNotFound("There is no cart with this id, or it belongs to another customer.")
        if found[id]["customer"] == customer:
            return
        if any(cart["busy"] for cart in found.values()):
            raise CheckoutInProgress("An order is being made of this cart. Try again when it is through.")
        _adopt(id=id, customer=customer, former=former if former in found and found[former]["line_count"] else None)
    metrics.CARTS.labels("claimed").inc()


def _locked(ids: set[UUID]) -> dict[UUID, dict[str, object]]:
    rows = Cart.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    with_clock = rows.annotate(now=Now()).values("pk", "customer", "line_count", "checkout_until", "now")
    return {
        row["pk"]: row | {"busy": row["checkout_until"] is not None and row["checkout_until"] > row["now"]}
        for row in with_clock
    }


def _adopt(*, id: UUID, customer: UUID, former: UUID | None) -> None:
    values = {"id": id, "customer": customer, "former": former, "most": MAX_QUANTITY, "changes": int(bool(former))}
    try:
        with connection.cursor() as cursor:
            if former:
                cursor.execute(statements.MOVE_LINES, values)
                cursor.execute(statements.EMPTIED, values)
            cursor.execute(statements.ADOPT, values)
    except IntegrityError as error:
        if "cart_lines_bounded" in str(error):
            raise carts.CartFull from None
        raise
