"""The SQL of carts. The locking rule: a cart's row first, then its lines; of two carts, the lower id first.

What has to look at lines under that lock is a second statement: one that waited for the row still sees the lines as
they were before it waited (READ COMMITTED). https://www.postgresql.org/docs/18/transaction-iso.html
Two statements that are sent as one are one round trip, and the server makes one transaction of them:
https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
"""

# Whose cart it may be: a guest's is open to all who know its id.
MINE = "id = %(id)s AND (customer IS NULL OR customer = %(customer)s)"

OPEN = """
    INSERT INTO cart_cart (id, customer, adopted, version)
    VALUES (%(id)s, %(customer)s::uuid, CASE WHEN %(customer)s::uuid IS NOT NULL THEN clock_timestamp() END, 0)
"""

# ``busy``: an order is being made of it.
READ = """
    SELECT c.version, coalesce(c.checkout_until > now(), false) AS busy, c.checkout_order,
        l.sku, l.quantity, l.name, l.unit_price
    FROM cart_cart c LEFT JOIN cart_line l ON l.cart_id = c.id
    WHERE c.id = %(id)s AND (c.customer IS NULL OR c.customer = %(customer)s) ORDER BY l.id
"""

# A line that stays as it is leaves the version alone, so that a repeated PUT is no change. A cart of which an order is
# being made is left alone unless ``busy_too``.
SET_LINE = f"""
    WITH cart AS (
        SELECT id FROM cart_cart
        WHERE {MINE} AND (%(busy_too)s OR checkout_until IS NULL OR checkout_until <= now()) FOR UPDATE
    ),
    line AS (
        INSERT INTO cart_line AS l (cart_id, sku, quantity, name, unit_price)
        SELECT id, %(sku)s, %(quantity)s, %(name)s, %(unit_price)s FROM cart
        ON CONFLICT (cart_id, sku) DO UPDATE
        SET quantity = excluded.quantity, name = excluded.name, unit_price = excluded.unit_price
        RETURNING cart_id, old.id IS NULL AS added, old.quantity IS DISTINCT FROM new.quantity AS changed
    )
    UPDATE cart_cart c
    SET version = version + changed::int, line_count = line_count + added::int, updated = now()
    FROM line WHERE c.id = line.cart_id RETURNING version
"""

REMOVE_LINE = f"""
    WITH cart AS (SELECT id FROM cart_cart WHERE {MINE} FOR UPDATE),
    line AS (DELETE FROM cart_line l USING cart WHERE l.cart_id = cart.id AND l.sku = %(sku)s RETURNING cart_id)
    UPDATE cart_cart c SET version = version + 1, line_count = line_count - 1, updated = now()
    FROM line WHERE c.id = line.cart_id RETURNING version
"""

BEGIN_CHECKOUT = f"""
    UPDATE cart_cart
    SET checkout_order = %(order)s, checkout_until = now() + make_interval(secs => %(ttl)s)
    WHERE {MINE} AND (checkout_order IS NULL OR checkout_order = %(order)s OR checkout_until <= now())
    AND NOT EXISTS (SELECT FROM cart_consumed WHERE order_id = %(order)s);
    {READ}
"""

END_CHECKOUT = """
    UPDATE cart_cart SET checkout_order = NULL, checkout_until = NULL WHERE id = %(id)s AND checkout_order = %(order)s
"""

# Each cart once: a row is changed once by a statement.
CONSUME = """
    SELECT FROM cart_cart WHERE id = ANY (%(carts)s) ORDER BY id FOR UPDATE;

    WITH remembered AS (
        INSERT INTO cart_consumed (order_id, cart_id)
        SELECT o.id, c.id FROM unnest(%(orders)s, %(carts)s) AS o(id, cart_id) JOIN cart_cart c ON c.id = o.cart_id
        ON CONFLICT DO NOTHING RETURNING order_id, cart_id
    ), ordered AS (
        SELECT r.cart_id, l.sku, l.quantity
        FROM unnest(%(line_orders)s, %(skus)s, %(quantities)s) AS l(order_id, sku, quantity)
        JOIN remembered r USING (order_id)
    ), less AS (
        UPDATE cart_line l SET quantity = l.quantity - o.quantity FROM ordered o
        WHERE l.cart_id = o.cart_id AND l.sku = o.sku AND l.quantity > o.quantity
    ), gone AS (
        DELETE FROM cart_line l USING ordered o
        WHERE l.cart_id = o.cart_id AND l.sku = o.sku AND l.quantity <= o.quantity RETURNING l.cart_id
    )
    UPDATE cart_cart c SET
        version = version + 1, line_count = line_count - (SELECT count(*) FROM gone WHERE gone.cart_id = c.id),
        updated = now(),
        checkout_order = CASE WHEN checkout_order = r.order_id THEN NULL ELSE checkout_order END,
        checkout_until = CASE WHEN checkout_order = r.order_id THEN NULL ELSE checkout_until END
    FROM remembered r WHERE c.id = r.cart_id RETURNING c.id
"""

# Everything of one cart into another, both locked: quantities add up, up to the most a line may hold.
MOVE_LINES = """
    WITH moved AS (DELETE FROM cart_line WHERE cart_id = %(former)s RETURNING id, sku, quantity, name, unit_price)
    INSERT INTO cart_line AS l (cart_id, sku, quantity, name, unit_price)
    SELECT %(id)s, sku, quantity, name, unit_price FROM moved ORDER BY moved.id
    ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = least(%(most)s, l.quantity + excluded.quantity)
"""
EMPTIED = "UPDATE cart_cart SET version = version + 1, line_count = 0, updated = now() WHERE id = %(former)s"
ADOPT = """
    UPDATE cart_cart SET
        customer = %(customer)s, adopted = clock_timestamp(), version = version + %(changes)s, updated = now(),
        line_count = (SELECT count(*) FROM cart_line WHERE cart_id = %(id)s)
    WHERE id = %(id)s
"""

# That it was created so long ago follows from the rest, and is what the index holds.
FORGET_OLD = """
    SELECT id FROM cart_cart WHERE customer IS NULL AND created < now() - make_interval(days => %(days)s)
    AND updated < now() - make_interval(days => %(days)s) AND (checkout_until IS NULL OR checkout_until <= now())
    ORDER BY created LIMIT %(batch)s FOR UPDATE SKIP LOCKED
"""
