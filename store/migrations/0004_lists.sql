-- +goose NO TRANSACTION
-- Orders go on meanwhile: nothing here holds a lock for longer than a moment, and each statement may be run again.
-- +goose Up
-- Lists of orders stay within milliseconds at a million of them, whatever they are filtered by. A prefix is looked up in
-- an index whatever collation the database has.
DROP INDEX IF EXISTS orders_named; -- left invalid by an attempt that was cut off, as any below
CREATE INDEX CONCURRENTLY orders_named ON orders (external_id text_pattern_ops, created_at DESC, id DESC);
DROP INDEX CONCURRENTLY IF EXISTS orders_by_external_id;
DROP INDEX IF EXISTS orders_of_customer;
CREATE INDEX CONCURRENTLY orders_of_customer ON orders ((customer ->> 'id') text_pattern_ops, created_at DESC, id DESC);
DROP INDEX CONCURRENTLY IF EXISTS orders_by_customer;
DROP INDEX IF EXISTS orders_of_email;
CREATE INDEX CONCURRENTLY orders_of_email ON orders (lower(customer ->> 'email') text_pattern_ops);
DROP INDEX IF EXISTS orders_of_name;
CREATE INDEX CONCURRENTLY orders_of_name ON orders (lower(customer ->> 'name') text_pattern_ops);
-- The channel at its end is looked at in the index, without its order: one status of one channel may be rare.
DROP INDEX IF EXISTS orders_in_status;
CREATE INDEX CONCURRENTLY orders_in_status ON orders (status, created_at DESC, id DESC, channel);
DROP INDEX CONCURRENTLY IF EXISTS orders_by_status;
DROP INDEX IF EXISTS orders_asking;
CREATE INDEX CONCURRENTLY orders_asking ON orders (created_at DESC, id DESC) INCLUDE (attention_code) WHERE attention_code <> '';
DROP INDEX CONCURRENTLY IF EXISTS orders_by_attention;

-- When a line was ordered, so that the newest orders of a good are found without looking at all of them. The binary
-- before this one leaves it out: its lines have the time of their transaction.
ALTER TABLE order_lines ADD COLUMN IF NOT EXISTS ordered_at timestamptz NOT NULL DEFAULT now();

-- +goose StatementBegin
DO $$
DECLARE
    done text := '';
    upto text;
BEGIN
    LOOP
        SELECT max(id) INTO upto FROM (SELECT id FROM orders WHERE id > done ORDER BY id LIMIT 500) batch;
        EXIT WHEN upto IS NULL;
        -- Whoever changes an order locks it before its lines.
        PERFORM 1 FROM orders WHERE id > done AND id <= upto ORDER BY id FOR NO KEY UPDATE;
        UPDATE order_lines l SET ordered_at = o.created_at FROM orders o
        WHERE o.id > done AND o.id <= upto AND l.order_id = o.id AND l.ordered_at <> o.created_at;
        COMMIT;
        done := upto;
    END LOOP;
END $$;
-- +goose StatementEnd

DROP INDEX IF EXISTS order_lines_of_sku;
CREATE INDEX CONCURRENTLY order_lines_of_sku ON order_lines (sku, ordered_at DESC, order_id DESC);
DROP INDEX CONCURRENTLY IF EXISTS order_lines_sku;

-- +goose Down
CREATE INDEX order_lines_sku ON order_lines (sku, order_id);
DROP INDEX order_lines_of_sku;
ALTER TABLE order_lines DROP COLUMN ordered_at;
CREATE INDEX orders_by_attention ON orders (attention_code, created_at DESC, id DESC) WHERE attention_code <> '';
CREATE INDEX orders_by_status ON orders (status, created_at DESC, id DESC);
CREATE INDEX orders_by_customer ON orders ((customer ->> 'id'), created_at DESC, id DESC);
CREATE INDEX orders_by_external_id ON orders (external_id, created_at DESC, id DESC);
DROP INDEX orders_named, orders_of_customer, orders_of_email, orders_of_name, orders_in_status, orders_asking;
