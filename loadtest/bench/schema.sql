-- The tables that a checkout touches, with the columns, keys and constraints that cost something; for checkout.sql.
CREATE TABLE cart (id uuid PRIMARY KEY, customer uuid, version bigint NOT NULL, line_count int NOT NULL DEFAULT 0,
    checkout_order uuid, checkout_until timestamptz, updated timestamptz NOT NULL DEFAULT now());
CREATE TABLE cart_line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cart_id uuid NOT NULL REFERENCES cart,
    sku text COLLATE "C" NOT NULL, quantity int NOT NULL CHECK (quantity BETWEEN 1 AND 999), name text NOT NULL,
    unit_price bigint NOT NULL, UNIQUE (cart_id, sku));
CREATE TABLE cart_consumed (order_id uuid PRIMARY KEY, cart_id uuid NOT NULL);

CREATE TABLE variant (sku text COLLATE "C" PRIMARY KEY, name text NOT NULL, price bigint NOT NULL);
CREATE TABLE level (sku text COLLATE "C" PRIMARY KEY, on_hand bigint NOT NULL, reserved bigint NOT NULL DEFAULT 0,
    updated timestamptz NOT NULL DEFAULT now(), CHECK (reserved BETWEEN 0 AND on_hand)) WITH (fillfactor = 70);
CREATE TABLE reservation (id uuid PRIMARY KEY, state text NOT NULL, expires timestamptz NOT NULL,
    updated timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON reservation (expires) WHERE state = 'held';
CREATE TABLE reservation_line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reservation_id uuid NOT NULL REFERENCES reservation, sku text COLLATE "C" NOT NULL, quantity int NOT NULL,
    UNIQUE (reservation_id, sku));
CREATE TABLE movement (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text COLLATE "C" NOT NULL,
    kind text NOT NULL, quantity bigint NOT NULL, reservation_id uuid, created timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON movement (sku, id);

CREATE TABLE idempotency (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope text NOT NULL, key text NOT NULL,
    fingerprint text NOT NULL, status smallint, headers jsonb NOT NULL, body bytea,
    created timestamptz NOT NULL DEFAULT now(), UNIQUE (scope, key));
CREATE INDEX ON idempotency (created);
CREATE TABLE orders (id uuid PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY UNIQUE, state text NOT NULL,
    email text NOT NULL, shipping_address jsonb NOT NULL, cart uuid NOT NULL, cart_version bigint,
    total bigint NOT NULL DEFAULT 0, idempotency_id bigint REFERENCES idempotency, lease uuid NOT NULL,
    lease_until timestamptz NOT NULL, next_attempt timestamptz NOT NULL DEFAULT now(),
    created timestamptz NOT NULL DEFAULT now(), updated timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX ON orders (cart) WHERE state NOT IN ('completed', 'rejected');
CREATE UNIQUE INDEX ON orders (cart, cart_version) WHERE cart_version IS NOT NULL;
CREATE INDEX ON orders (created DESC, id DESC);
CREATE INDEX ON orders (state, created DESC, id DESC);
CREATE INDEX ON orders (next_attempt) WHERE state NOT IN ('completed', 'rejected');
CREATE INDEX ON orders (cart);
CREATE INDEX ON orders (email);
CREATE TABLE order_line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders,
    sku text COLLATE "C" NOT NULL, name text NOT NULL, quantity int NOT NULL, unit_price bigint NOT NULL,
    UNIQUE (order_id, sku));
CREATE TABLE order_event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders,
    event text NOT NULL, actor text NOT NULL, created timestamptz NOT NULL DEFAULT now(), UNIQUE (order_id, event));
CREATE TABLE payment (order_id uuid PRIMARY KEY REFERENCES orders, state text NOT NULL, amount bigint NOT NULL,
    updated timestamptz NOT NULL DEFAULT now());
CREATE TABLE mail (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders,
    kind text NOT NULL, next_attempt timestamptz NOT NULL DEFAULT now(), sent timestamptz);
CREATE INDEX ON mail (next_attempt) WHERE sent IS NULL;
CREATE TABLE charge (key uuid PRIMARY KEY, state text NOT NULL, amount bigint NOT NULL,
    created timestamptz NOT NULL DEFAULT now());

INSERT INTO variant SELECT 'sku-' || n, 'Goods number ' || n, 100 + n FROM generate_series(1, 5000) n;
INSERT INTO level SELECT 'sku-' || n, 1000000000, 0 FROM generate_series(1, 5000) n;
VACUUM ANALYZE;
