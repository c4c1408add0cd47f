-- A checkout as the services' databases see it: each statement is a transaction, as each of them is with us, since every one
-- is another service's or has to be on disk before the next one. Leaner than ours, in one database: what SQL alone allows.
\set cart random(1, 9000000000000000000)
\set order random(1, 9000000000000000000)
\set one random(1, 2500)
\set two random(2501, 5000)

-- cart: open, two lines (each reads the cart, asks for price and stock, and writes)
INSERT INTO cart (id, version) VALUES (lpad(to_hex(:cart), 32, '0')::uuid, 0);
SELECT c.version, l.sku, l.quantity FROM cart c LEFT JOIN cart_line l ON l.cart_id = c.id WHERE c.id = lpad(to_hex(:cart), 32, '0')::uuid;
SELECT sku, name, price FROM variant WHERE sku = 'sku-' || :one;
SELECT sku, on_hand - reserved FROM level WHERE sku = 'sku-' || :one;
WITH c AS (SELECT id FROM cart WHERE id = lpad(to_hex(:cart), 32, '0')::uuid FOR UPDATE), l AS (
    INSERT INTO cart_line (cart_id, sku, quantity, name, unit_price) SELECT id, 'sku-' || :one, 1, 'Goods', 100 + :one FROM c RETURNING cart_id
) UPDATE cart SET version = version + 1, line_count = line_count + 1, updated = now() FROM l WHERE cart.id = l.cart_id RETURNING version;
SELECT c.version, l.sku, l.quantity FROM cart c LEFT JOIN cart_line l ON l.cart_id = c.id WHERE c.id = lpad(to_hex(:cart), 32, '0')::uuid;
SELECT sku, name, price FROM variant WHERE sku IN ('sku-' || :one, 'sku-' || :two);
SELECT sku, on_hand - reserved FROM level WHERE sku IN ('sku-' || :one, 'sku-' || :two);
WITH c AS (SELECT id FROM cart WHERE id = lpad(to_hex(:cart), 32, '0')::uuid FOR UPDATE), l AS (
    INSERT INTO cart_line (cart_id, sku, quantity, name, unit_price) SELECT id, 'sku-' || :two, 1, 'Goods', 100 + :two FROM c RETURNING cart_id
) UPDATE cart SET version = version + 1, line_count = line_count + 1, updated = now() FROM l WHERE cart.id = l.cart_id RETURNING version;

-- orders: key and order; cart: the checkout begins; products: prices; orders: the snapshot
WITH k AS (
    INSERT INTO idempotency (scope, key, fingerprint, headers) VALUES ('guest:' || :cart, :order::text, md5(:order::text), '{}') RETURNING id
), o AS (
    INSERT INTO orders (id, state, email, shipping_address, cart, idempotency_id, lease, lease_until)
    SELECT lpad(to_hex(:order), 32, '0')::uuid, 'pending', 'ada@example.com', '{"name": "Ada", "line1": "1 Main St", "city": "Springfield"}',
        lpad(to_hex(:cart), 32, '0')::uuid, id, lpad(to_hex(:order), 32, '0')::uuid, now() + interval '15 s' FROM k RETURNING id
) INSERT INTO order_event (order_id, event, actor) SELECT id, 'pending', 'guest' FROM o;
UPDATE cart SET checkout_order = lpad(to_hex(:order), 32, '0')::uuid, checkout_until = now() + interval '15 min' WHERE id = lpad(to_hex(:cart), 32, '0')::uuid;
SELECT c.version, l.sku, l.quantity FROM cart c LEFT JOIN cart_line l ON l.cart_id = c.id WHERE c.id = lpad(to_hex(:cart), 32, '0')::uuid;
SELECT sku, name, price FROM variant WHERE sku IN ('sku-' || :one, 'sku-' || :two);
WITH o AS (
    UPDATE orders SET cart_version = 2, total = 200 + :one + :two, updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'pending' RETURNING id
) INSERT INTO order_line (order_id, sku, name, quantity, unit_price)
SELECT o.id, l.sku, 'Goods', 1, l.price FROM o, (VALUES ('sku-' || :one, 100 + :one), ('sku-' || :two, 100 + :two)) l (sku, price);

-- stock: reserve
WITH wanted AS (SELECT unnest(ARRAY['sku-' || :one, 'sku-' || :two]) AS sku, 1 AS quantity), locked AS (
    SELECT v.sku, v.reserved FROM level v JOIN wanted USING (sku) WHERE v.on_hand - v.reserved >= 1 ORDER BY v.sku FOR UPDATE OF v
), taken AS (
    UPDATE level v SET reserved = locked.reserved + 1, updated = now() FROM locked WHERE v.sku = locked.sku RETURNING v.sku
), made AS (
    INSERT INTO reservation (id, state, expires) VALUES (lpad(to_hex(:order), 32, '0')::uuid, 'held', now() + interval '15 min') RETURNING id
) INSERT INTO reservation_line (reservation_id, sku, quantity) SELECT made.id, taken.sku, 1 FROM made, taken;

-- orders: reserved, paying; the provider: charge; orders: paid, confirmed with the answer and the mail
WITH o AS (UPDATE orders SET state = 'reserved', updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'pending' RETURNING id)
INSERT INTO order_event (order_id, event, actor) SELECT id, 'reserved', 'orders' FROM o;
WITH o AS (
    UPDATE orders SET state = 'paying', updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'reserved' RETURNING id, total
), p AS (INSERT INTO payment (order_id, state, amount) SELECT id, 'initiated', total FROM o)
INSERT INTO order_event (order_id, event, actor) SELECT id, 'paying', 'orders' FROM o;
INSERT INTO charge (key, state, amount) VALUES (lpad(to_hex(:order), 32, '0')::uuid, 'succeeded', 200 + :one + :two);
WITH o AS (
    UPDATE orders SET state = 'paid', updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'paying' RETURNING id
), p AS (UPDATE payment SET state = 'paid', updated = now() FROM o WHERE order_id = o.id)
INSERT INTO order_event (order_id, event, actor) SELECT id, 'paid', 'orders' FROM o;
WITH o AS (
    UPDATE orders SET state = 'confirmed', updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'paid' RETURNING id, idempotency_id
), m AS (INSERT INTO mail (order_id, kind) SELECT id, 'confirmation' FROM o), a AS (
    UPDATE idempotency i SET status = 201, body = convert_to(repeat('x', 900), 'UTF8') FROM o WHERE i.id = o.idempotency_id
) INSERT INTO order_event (order_id, event, actor) SELECT id, 'confirmed', 'orders' FROM o;

-- stock: commit; orders: committed; cart: consume; orders: completed
WITH moved AS (
    UPDATE reservation SET state = 'committed', updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'held' RETURNING id
), wanted AS (SELECT l.sku FROM reservation_line l JOIN moved ON l.reservation_id = moved.id), locked AS (
    SELECT v.sku, v.on_hand, v.reserved FROM level v JOIN wanted USING (sku) ORDER BY v.sku FOR UPDATE OF v
), changed AS (
    UPDATE level v SET on_hand = locked.on_hand - 1, reserved = locked.reserved - 1, updated = now() FROM locked WHERE v.sku = locked.sku
) INSERT INTO movement (sku, kind, quantity, reservation_id) SELECT wanted.sku, 'sale', -1, moved.id FROM wanted, moved;
WITH o AS (UPDATE orders SET state = 'stock_committed', updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'confirmed' RETURNING id)
INSERT INTO order_event (order_id, event, actor) SELECT id, 'stock_committed', 'orders' FROM o;
WITH k AS (
    INSERT INTO cart_consumed (order_id, cart_id) VALUES (lpad(to_hex(:order), 32, '0')::uuid, lpad(to_hex(:cart), 32, '0')::uuid) RETURNING cart_id
), gone AS (DELETE FROM cart_line l USING k WHERE l.cart_id = k.cart_id RETURNING l.id)
UPDATE cart SET version = version + 1, line_count = 0, checkout_order = NULL, checkout_until = NULL, updated = now() FROM k WHERE cart.id = k.cart_id;
WITH o AS (UPDATE orders SET state = 'completed', updated = now() WHERE id = lpad(to_hex(:order), 32, '0')::uuid AND state = 'stock_committed' RETURNING id)
INSERT INTO order_event (order_id, event, actor) SELECT id, 'completed', 'orders' FROM o;
