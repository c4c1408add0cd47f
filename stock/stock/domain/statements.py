"""The SQL of reservations. Their rows are locked first, by id, then levels in SKU order: no two of them deadlock.

``FOR UPDATE`` reads the newest committed row after it waited (READ COMMITTED), so ``locked`` says what is there;
the CHECK constraints on stock_level are the last word. New values are reckoned from ``locked`` and never from the row
itself: a constraint is checked on the row as the statement first saw it, before a change made meanwhile is followed.
https://www.postgresql.org/docs/18/transaction-iso.html
"""

_SHORT = """
    short AS (
        SELECT w.sku, w.quantity, coalesce(l.available, 0) AS available
        FROM wanted w LEFT JOIN locked l USING (sku) WHERE coalesce(l.available, 0) < w.quantity
    )"""
_LOCKED = """
    locked AS (
        SELECT v.sku, v.on_hand, v.reserved, v.on_hand - v.reserved AS available
        FROM stock_level v JOIN wanted w ON w.sku = v.sku ORDER BY v.sku FOR UPDATE OF v
    )"""
_SHORT_AS_JSON = (
    "(SELECT json_agg(json_build_object('sku', sku, 'quantity', quantity, 'available', available)) FROM short)"
)

# All or nothing, in two statements that are sent as one: the server makes one transaction of them. The first makes the
# row, unless a look without locks finds a line short, and so waits for others with this id before it holds a level: the
# locking rule. A held reservation without lines is therefore our own; the second fills it, or takes it away again.
# https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
_WANTED = """
    wanted AS (SELECT * FROM unnest(%(skus)s::text[], %(quantities)s::int[]) AS w(sku, quantity)),
    seen AS (SELECT v.sku, v.on_hand - v.reserved AS available FROM stock_level v JOIN wanted USING (sku))"""
RESERVE = f"""
    WITH {_WANTED}
    INSERT INTO stock_reservation (id, state, expires)
    SELECT %(id)s, 'held', now() + make_interval(secs => %(ttl)s) WHERE NOT EXISTS (
        SELECT FROM wanted w LEFT JOIN seen USING (sku) WHERE coalesce(seen.available, 0) < w.quantity
    ) ON CONFLICT (id) DO NOTHING;

    WITH {_WANTED},
    made AS (
        SELECT r.id FROM stock_reservation r WHERE r.id = %(id)s AND r.state = 'held'
        AND NOT EXISTS (SELECT FROM stock_reservationline l WHERE l.reservation_id = r.id)
    ), locked AS (
        SELECT v.sku, v.on_hand, v.reserved, v.on_hand - v.reserved AS available
        FROM stock_level v JOIN wanted w ON w.sku = v.sku WHERE EXISTS (SELECT FROM made) ORDER BY v.sku FOR UPDATE OF v
    ), short AS (
        SELECT w.sku, w.quantity, coalesce(l.available, s.available, 0) AS available
        FROM wanted w LEFT JOIN locked l USING (sku) LEFT JOIN seen s USING (sku)
        WHERE coalesce(l.available, s.available, 0) < w.quantity
    ), undone AS (
        DELETE FROM stock_reservation r USING made WHERE r.id = made.id AND EXISTS (SELECT FROM short)
    ), kept AS (
        SELECT id FROM made WHERE NOT EXISTS (SELECT FROM short)
    ), taken AS (
        UPDATE stock_level v SET on_hand = k.on_hand, reserved = k.reserved + w.quantity, updated = now()
        FROM wanted w, locked k, kept WHERE v.sku = w.sku AND k.sku = v.sku
    ), lines AS (
        INSERT INTO stock_reservationline (reservation_id, sku, quantity)
        SELECT kept.id, w.sku, w.quantity FROM wanted w, kept
    )
    SELECT EXISTS (SELECT FROM kept),
        EXISTS (SELECT FROM stock_reservation WHERE id = %(id)s) AND NOT EXISTS (SELECT FROM made), {_SHORT_AS_JSON}
"""

# The lines of an expired reservation, taken once more.
RETAKE = f"""
    WITH wanted AS (SELECT sku, quantity FROM stock_reservationline WHERE reservation_id = %(id)s),
    {_LOCKED}, {_SHORT},
    back AS (
        UPDATE stock_reservation SET state = 'held', updated = now()
        WHERE id = %(id)s AND NOT EXISTS (SELECT FROM short) RETURNING id
    ), taken AS (
        UPDATE stock_level v SET on_hand = k.on_hand, reserved = k.reserved + w.quantity, updated = now()
        FROM wanted w, locked k, back WHERE v.sku = w.sku AND k.sku = v.sku
    )
    SELECT {_SHORT_AS_JSON}
"""

RENEW = """
    UPDATE stock_reservation
    SET expires = greatest(expires, now() + make_interval(secs => %(ttl)s)), updated = now() WHERE id = %(id)s
"""

_EXPIRES_IN = "greatest(0, ceil(extract(epoch FROM expires - now())))::int"
READ = f"""
    SELECT r.state, {_EXPIRES_IN},
        (SELECT coalesce(json_object_agg(l.sku, l.quantity ORDER BY l.sku), '{{}}')
         FROM stock_reservationline l WHERE l.reservation_id = r.id)
    FROM stock_reservation r WHERE r.id = %(id)s
"""


def _move(*, from_state: str, to_state: str, change: str, kind: str, sign: str) -> str:
    """Reservations from one state to another, their levels with them, and an entry a line. A row for each one moved.

    Of many, the rows are locked in the order of their ids.
    """
    return f"""
    WITH ours AS (
        SELECT id FROM stock_reservation WHERE id = ANY (%(ids)s) AND state = '{from_state}' ORDER BY id FOR UPDATE
    ), moved AS (
        UPDATE stock_reservation r SET state = '{to_state}', updated = now()
        FROM ours WHERE r.id = ours.id RETURNING r.id, r.expires
    ), lines AS (
        SELECT l.reservation_id, l.sku, l.quantity
        FROM stock_reservationline l JOIN moved ON l.reservation_id = moved.id
    ), wanted AS (
        SELECT sku, sum(quantity) AS quantity FROM lines GROUP BY sku
    ), {_LOCKED}, changed AS (
        UPDATE stock_level v SET {change}, updated = now()
        FROM wanted w, locked k WHERE v.sku = w.sku AND k.sku = v.sku
    ), entries AS (
        INSERT INTO stock_movement (sku, kind, quantity, reason, actor, reservation_id)
        SELECT sku, '{kind}', {sign}quantity, '', 'orders', reservation_id FROM lines
    )
    SELECT id, {_EXPIRES_IN}, (
        SELECT json_object_agg(sku, quantity ORDER BY sku) FROM lines WHERE reservation_id = moved.id
    ) FROM moved
    """


COMMIT_HELD = _move(
    from_state="held",
    to_state="committed",
    change="on_hand = k.on_hand - w.quantity, reserved = k.reserved - w.quantity",
    kind="sale",
    sign="-",
)
RETURN = _move(
    from_state="committed",
    to_state="returned",
    change="on_hand = k.on_hand + w.quantity, reserved = k.reserved",
    kind="return",
    sign="+",
)

# An unknown id becomes a tombstone; an expired one holds nothing any more and only changes its name.
RELEASE = f"""
    WITH tombstone AS (
        INSERT INTO stock_reservation (id, state, expires) VALUES (%(id)s, 'released', now())
        ON CONFLICT (id) DO NOTHING RETURNING id
    ), moved AS (
        UPDATE stock_reservation r SET state = 'released', updated = now()
        FROM (SELECT id, state FROM stock_reservation WHERE id = %(id)s FOR UPDATE) was
        WHERE r.id = was.id AND was.state IN ('held', 'expired') RETURNING r.id, was.state AS was
    ), wanted AS (
        SELECT l.sku, l.quantity
        FROM stock_reservationline l JOIN moved ON l.reservation_id = moved.id AND moved.was = 'held'
    ), {_LOCKED}, changed AS (
        UPDATE stock_level v SET on_hand = k.on_hand, reserved = k.reserved - w.quantity, updated = now()
        FROM wanted w, locked k WHERE v.sku = w.sku AND k.sku = v.sku
    )
    SELECT EXISTS (SELECT FROM moved) OR EXISTS (SELECT FROM tombstone)
"""

EXPIRE = f"""
    WITH moved AS (
        UPDATE stock_reservation SET state = 'expired', updated = now()
        WHERE id IN (
            SELECT id FROM stock_reservation WHERE state = 'held' AND expires < now()
            ORDER BY expires LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ) RETURNING id
    ), wanted AS (
        SELECT l.sku, sum(l.quantity) AS quantity
        FROM stock_reservationline l JOIN moved ON l.reservation_id = moved.id GROUP BY l.sku
    ), {_LOCKED}, changed AS (
        UPDATE stock_level v SET on_hand = k.on_hand, reserved = k.reserved - w.quantity, updated = now()
        FROM wanted w, locked k WHERE v.sku = w.sku AND k.sku = v.sku
    )
    SELECT count(*) FROM moved
"""
