-- +goose Up
-- The whole order and the whole return: backorders, holds with consequences, short picks, cancelled units, credits
-- and refunds, returns. What the customer no longer owes is a row in credits, and what is given back of it a row in
-- refunds; the sums stand beside them on the line and the order, where a CHECK keeps refunds within credits and
-- credits within what was charged.

ALTER TABLE stock_levels ADD COLUMN damaged bigint NOT NULL DEFAULT 0, ADD COLUMN arrived_at timestamptz;
ALTER TABLE stock_levels ADD CONSTRAINT stock_levels_damaged_within_unavailable CHECK (damaged >= 0 AND damaged <= unavailable);
ALTER TABLE stock_ledger ADD COLUMN damaged bigint NOT NULL DEFAULT 0;
ALTER TABLE stock_ledger ADD COLUMN return_id text NOT NULL DEFAULT '',
    DROP CONSTRAINT stock_ledger_kind_known,
    ADD CONSTRAINT stock_ledger_kind_known CHECK (kind IN ('receipt', 'adjustment', 'reservation', 'release', 'pick',
        'shipment', 'return_receipt', 'disposition', 'transfer_out', 'transfer_in', 'count'));

ALTER TABLE orders
    ADD COLUMN priority          integer NOT NULL DEFAULT 0,
    ADD COLUMN return_policy     jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN return_status     text NOT NULL DEFAULT 'none',
    ADD COLUMN promised_at       timestamptz,
    ADD COLUMN promise_given     boolean NOT NULL DEFAULT false,
    ADD COLUMN promise_broken    boolean NOT NULL DEFAULT false,
    ADD COLUMN grantable         boolean NOT NULL DEFAULT false,
    ADD COLUMN shipping_credited bigint NOT NULL DEFAULT 0,
    ADD COLUMN shipping_refunded bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT orders_on_shortage_known CHECK (on_shortage IN ('reject', 'backorder', 'partial')),
    ADD CONSTRAINT orders_shipping_credit_within_charge CHECK (shipping_credited >= 0 AND shipping_credited
        <= shipping_amount + CASE WHEN prices_include_tax THEN 0 ELSE shipping_tax END),
    ADD CONSTRAINT orders_shipping_refund_within_credit CHECK (shipping_refunded >= 0 AND shipping_refunded <= shipping_credited);
-- The queue for stock that arrives: priority, then first promise, then order time.
CREATE INDEX orders_backordered ON orders (priority DESC, promised_at, created_at, id) WHERE grantable;

ALTER TABLE order_lines
    ADD COLUMN final_sale       boolean NOT NULL DEFAULT false,
    ADD COLUMN backordered      bigint NOT NULL DEFAULT 0,
    ADD COLUMN undelivered      bigint NOT NULL DEFAULT 0,
    ADD COLUMN return_requested bigint NOT NULL DEFAULT 0,
    ADD COLUMN returned         bigint NOT NULL DEFAULT 0,
    ADD COLUMN dismissed        bigint NOT NULL DEFAULT 0,
    ADD COLUMN credited         bigint NOT NULL DEFAULT 0,
    ADD COLUMN refunded         bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT order_lines_units_conserved,
    ADD CONSTRAINT order_lines_units_conserved CHECK (cancelled + shipped <= quantity AND delivered + lost + undelivered <= shipped
        AND backordered <= quantity - cancelled - shipped),
    ADD CONSTRAINT order_lines_more_counters_not_negative CHECK (backordered >= 0 AND undelivered >= 0 AND return_requested >= 0
        AND returned >= 0 AND dismissed >= 0),
    ADD CONSTRAINT order_lines_returns_within_delivered CHECK (return_requested <= delivered + undelivered
        AND returned + dismissed <= return_requested),
    ADD CONSTRAINT order_lines_refund_within_credit CHECK (credited >= 0 AND refunded >= 0 AND refunded <= credited);
CREATE INDEX order_lines_backordered ON order_lines (sku, order_id) WHERE backordered > 0;

ALTER TABLE order_holds
    ADD COLUMN fulfillment_id text NOT NULL DEFAULT '',
    ADD COLUMN on_deadline    text NOT NULL DEFAULT '',
    ADD CONSTRAINT order_holds_on_deadline_known CHECK (on_deadline IN ('', 'release', 'cancel', 'attention', 'expire'));
UPDATE order_holds SET on_deadline = 'expire' WHERE reason = 'awaiting_payment';

ALTER TABLE operations
    ADD COLUMN return_id text NOT NULL DEFAULT '',
    ADD COLUMN refund_id text NOT NULL DEFAULT '',
    ADD COLUMN retry_at  timestamptz;
-- At most one refund may be live for what asked for it, and one label for a return.
CREATE UNIQUE INDEX operations_one_live_per_refund ON operations (refund_id)
    WHERE refund_id <> '' AND state IN ('pending', 'unknown', 'succeeded');
CREATE UNIQUE INDEX operations_one_live_label_per_return ON operations (kind, return_id)
    WHERE return_id <> '' AND kind IN ('label', 'void_label') AND state IN ('pending', 'unknown', 'succeeded');

ALTER TABLE fulfillment_lines
    ADD COLUMN cancelled bigint NOT NULL DEFAULT 0,
    ADD COLUMN short     bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT fulfillment_lines_pkey,
    ADD PRIMARY KEY (fulfillment_id, line_id, first_unit),
    DROP CONSTRAINT fulfillment_lines_in_order,
    ADD CONSTRAINT fulfillment_lines_in_order CHECK (0 <= shipped AND shipped <= packed AND packed <= picked
        AND picked <= quantity - cancelled - short AND cancelled >= 0 AND short >= 0);
ALTER TABLE shipment_lines
    DROP CONSTRAINT shipment_lines_pkey,
    ADD PRIMARY KEY (shipment_id, line_id, first_unit);
ALTER TABLE shipments ADD COLUMN acknowledged boolean NOT NULL DEFAULT false;
CREATE INDEX shipments_page ON shipments (created_at DESC, id DESC);
CREATE INDEX shipments_on_their_way ON shipments (tracking_at, id) WHERE status IN ('shipped', 'returning');
ALTER TABLE allocations DROP CONSTRAINT allocations_once_per_generation,
    ADD CONSTRAINT allocations_once_per_fulfillment UNIQUE (fulfillment_id, line_id, generation);

CREATE INDEX orders_deadline ON orders (deadline) WHERE NOT settled AND deadline IS NOT NULL;

CREATE TABLE short_picks (
    id             text COLLATE "C" PRIMARY KEY,
    order_id       text COLLATE "C" NOT NULL REFERENCES orders (id),
    fulfillment_id text COLLATE "C" NOT NULL REFERENCES fulfillments (id),
    line_id        text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    sku            text COLLATE "C" NOT NULL,
    location_id    text COLLATE "C" NOT NULL REFERENCES locations (id),
    first_unit     bigint NOT NULL,
    quantity       bigint NOT NULL,
    reason         text NOT NULL,
    decided        boolean NOT NULL,
    at             timestamptz NOT NULL,
    CONSTRAINT short_picks_unit_once UNIQUE (fulfillment_id, line_id, first_unit),
    CONSTRAINT short_picks_quantity_positive CHECK (quantity > 0),
    CONSTRAINT short_picks_reason_known CHECK (reason IN ('stockout', 'damaged', 'could_not_locate', 'expired'))
);
CREATE INDEX short_picks_order ON short_picks (order_id);
CREATE INDEX short_picks_undecided ON short_picks (at) WHERE NOT decided;

CREATE TABLE credits (
    id          text COLLATE "C" PRIMARY KEY,
    order_id    text COLLATE "C" NOT NULL REFERENCES orders (id),
    cause       text NOT NULL,
    line_id     text COLLATE "C" NOT NULL,
    first_unit  bigint NOT NULL,
    quantity    bigint NOT NULL,
    amount      bigint NOT NULL,
    shipment_id text NOT NULL,
    return_id   text NOT NULL,
    reason      text NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT credits_cause_known CHECK (cause IN ('cancelled', 'lost', 'returned', 'shipping')),
    CONSTRAINT credits_amount_not_negative CHECK (amount >= 0),
    CONSTRAINT credits_units_or_shipping CHECK ((cause = 'shipping') = (line_id = '') AND (cause = 'shipping') = (quantity = 0)
        AND quantity >= 0 AND first_unit >= 0)
);
CREATE INDEX credits_order ON credits (order_id);
-- A unit is cancelled once.
CREATE UNIQUE INDEX credits_cancelled_once ON credits (line_id, first_unit) WHERE cause = 'cancelled';

CREATE TABLE returns (
    id               text COLLATE "C" PRIMARY KEY,
    order_id         text COLLATE "C" NOT NULL REFERENCES orders (id),
    number           integer NOT NULL,
    status           text NOT NULL,
    origin           text NOT NULL,
    decline_reason   text NOT NULL,
    returnless       boolean NOT NULL,
    approved_at      timestamptz,
    expires_at       timestamptz,
    closed_at        timestamptz,
    label_fee        bigint NOT NULL,
    fee_charged      bigint NOT NULL,
    carrier          text NOT NULL,
    tracking_number  text NOT NULL,
    label_reference  text NOT NULL,
    label_code       text NOT NULL,
    tracking_status  text NOT NULL,
    tracking_at      timestamptz,
    waiting_for      text NOT NULL,
    deadline         timestamptz,
    attention_code   text NOT NULL,
    attention_detail text NOT NULL,
    attention_since  timestamptz,
    settled          boolean NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT returns_number_once UNIQUE (order_id, number),
    CONSTRAINT returns_status_known CHECK (status IN ('requested', 'approved', 'in_transit', 'received', 'inspected',
        'closed', 'declined', 'cancelled', 'expired')),
    CONSTRAINT returns_origin_known CHECK (origin IN ('customer', 'carrier')),
    CONSTRAINT returns_fee_within_label_fee CHECK (fee_charged >= 0 AND fee_charged <= label_fee),
    CONSTRAINT returns_settled_when_final CHECK (NOT settled OR status IN ('closed', 'declined', 'cancelled', 'expired'))
);
CREATE INDEX returns_page ON returns (created_at DESC, id DESC);
CREATE INDEX returns_by_status ON returns (status, created_at DESC, id DESC);
CREATE INDEX returns_by_order ON returns (order_id, number);
CREATE INDEX returns_by_attention ON returns (attention_code, created_at DESC, id DESC) WHERE attention_code <> '';
CREATE INDEX returns_unsettled ON returns (id) WHERE NOT settled;

CREATE TABLE return_lines (
    return_id   text COLLATE "C" NOT NULL REFERENCES returns (id),
    order_id    text COLLATE "C" NOT NULL,
    line_id     text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    sku         text COLLATE "C" NOT NULL,
    first_unit  bigint NOT NULL,
    quantity    bigint NOT NULL,
    shipment_id text COLLATE "C" NOT NULL REFERENCES shipments (id),
    location_id text COLLATE "C" NOT NULL REFERENCES locations (id),
    reason      text NOT NULL,
    received    bigint NOT NULL,
    inspected   bigint NOT NULL,
    dismissed   bigint NOT NULL,
    PRIMARY KEY (return_id, line_id, first_unit),
    CONSTRAINT return_lines_quantity_positive CHECK (quantity > 0),
    CONSTRAINT return_lines_in_order CHECK (0 <= inspected AND inspected <= received AND dismissed >= 0
        AND received + dismissed <= quantity)
);
CREATE INDEX return_lines_order ON return_lines (order_id);

CREATE TABLE return_inspections (
    return_id   text COLLATE "C" NOT NULL REFERENCES returns (id),
    order_id    text COLLATE "C" NOT NULL,
    line_id     text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    sku         text COLLATE "C" NOT NULL,
    first_unit  bigint NOT NULL,
    quantity    bigint NOT NULL,
    grade       text NOT NULL,
    stock       text NOT NULL,
    location_id text COLLATE "C" NOT NULL REFERENCES locations (id),
    percent     bigint NOT NULL,
    amount      bigint NOT NULL,
    at          timestamptz NOT NULL,
    -- A unit is graded once per return.
    PRIMARY KEY (return_id, line_id, first_unit),
    CONSTRAINT return_inspections_quantity_positive CHECK (quantity > 0),
    CONSTRAINT return_inspections_grade_known CHECK (grade IN ('A', 'B', 'C', 'D', 'X')),
    CONSTRAINT return_inspections_amount_not_negative CHECK (amount >= 0 AND percent >= 0 AND percent <= 100)
);
CREATE INDEX return_inspections_order ON return_inspections (order_id);

CREATE TABLE return_unexpected (
    return_id   text COLLATE "C" NOT NULL REFERENCES returns (id),
    order_id    text COLLATE "C" NOT NULL,
    number      integer NOT NULL,
    sku         text COLLATE "C" NOT NULL,
    quantity    bigint NOT NULL,
    location_id text COLLATE "C" NOT NULL REFERENCES locations (id),
    at          timestamptz NOT NULL,
    PRIMARY KEY (return_id, number),
    CONSTRAINT return_unexpected_quantity_positive CHECK (quantity > 0)
);

CREATE TABLE refunds (
    id          text COLLATE "C" PRIMARY KEY,
    order_id    text COLLATE "C" NOT NULL REFERENCES orders (id),
    number      integer NOT NULL,
    payment_id  text COLLATE "C" NOT NULL REFERENCES payments (id),
    cause       text NOT NULL,
    shipment_id text NOT NULL,
    return_id   text NOT NULL,
    amount      bigint NOT NULL,
    shipping    bigint NOT NULL,
    excess      bigint NOT NULL,
    status      text NOT NULL,
    created_at  timestamptz NOT NULL,
    settled_at  timestamptz,
    CONSTRAINT refunds_number_once UNIQUE (order_id, number),
    CONSTRAINT refunds_cause_known CHECK (cause IN ('cancelled', 'lost', 'returned', 'excess')),
    CONSTRAINT refunds_status_known CHECK (status IN ('pending', 'succeeded', 'refused')),
    CONSTRAINT refunds_amount_positive CHECK (amount > 0 AND shipping >= 0 AND excess >= 0 AND shipping + excess <= amount),
    CONSTRAINT refunds_settled_when_succeeded CHECK ((settled_at IS NOT NULL) = (status = 'succeeded'))
);
CREATE INDEX refunds_return ON refunds (return_id) WHERE return_id <> '';

CREATE TABLE refund_lines (
    refund_id text COLLATE "C" NOT NULL REFERENCES refunds (id),
    order_id  text COLLATE "C" NOT NULL,
    line_id   text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    quantity  bigint NOT NULL,
    amount    bigint NOT NULL,
    PRIMARY KEY (refund_id, line_id),
    CONSTRAINT refund_lines_amount_positive CHECK (amount > 0 AND quantity >= 0)
);
CREATE INDEX refund_lines_order ON refund_lines (order_id);

ALTER TABLE events ADD COLUMN return_id text NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN return_id text NOT NULL DEFAULT '';

-- Until now an order was only ever cancelled whole, before anything left: its units and its shipping are credited,
-- band by band, and what was given back belongs to them.
INSERT INTO credits (id, order_id, cause, line_id, first_unit, quantity, amount, shipment_id, return_id, reason, at)
SELECT 'crd_' || substr(md5(u.line_id || '/' || u.first_unit), 1, 26), o.id, 'cancelled', u.line_id, u.first_unit, u.quantity,
    u.quantity * (u.price - u.discount + CASE WHEN o.prices_include_tax THEN 0 ELSE u.tax END),
    '', '', 'order_' || o.status, o.updated_at
FROM line_units u JOIN order_lines l ON l.id = u.line_id JOIN orders o ON o.id = l.order_id WHERE l.cancelled > 0;
UPDATE order_lines l SET credited = c.amount
FROM (SELECT line_id, sum(amount) AS amount FROM credits GROUP BY line_id) c WHERE c.line_id = l.id;
INSERT INTO credits (id, order_id, cause, line_id, first_unit, quantity, amount, shipment_id, return_id, reason, at)
SELECT 'crd_' || substr(o.id, 5), o.id, 'shipping', '', 0, 0, charge.amount, '', '', 'order_' || o.status, o.updated_at
FROM orders o, LATERAL (SELECT o.shipping_amount + CASE WHEN o.prices_include_tax THEN 0 ELSE o.shipping_tax END AS amount) charge
WHERE o.status IN ('rejected', 'cancelled', 'expired') AND charge.amount > 0;
UPDATE orders o SET shipping_credited = c.amount FROM credits c WHERE c.order_id = o.id AND c.cause = 'shipping';
-- One refund for all the epochs of a payment's. The newest that covers all that is credited is for that, and for what
-- was taken beyond it; any other gave back what was never owed.
INSERT INTO refunds (id, order_id, number, payment_id, cause, shipment_id, return_id, amount, shipping, excess, status,
    created_at, settled_at)
SELECT 'rfd_' || substr(f.payment_id, 5), f.order_id, row_number() OVER (PARTITION BY f.order_id ORDER BY f.number),
    f.payment_id, CASE WHEN f.whole THEN 'cancelled' ELSE 'excess' END, '', '', f.amount,
    CASE WHEN f.whole THEN f.shipping_credited ELSE 0 END,
    CASE WHEN f.whole THEN f.amount - f.credited ELSE f.amount END,
    CASE f.state WHEN 'succeeded' THEN 'succeeded' WHEN 'refused' THEN 'refused' ELSE 'pending' END, f.created_at,
    CASE f.state WHEN 'succeeded' THEN f.updated_at END
FROM (SELECT p.id AS payment_id, p.order_id, p.number, o.shipping_credited, credit.amount AS credited, last.amount,
        last.state, last.created_at, last.updated_at, credit.amount > 0 AND last.amount >= credit.amount AND row_number()
            OVER (PARTITION BY p.order_id, last.amount >= credit.amount ORDER BY p.number DESC) = 1 AS whole
    FROM payments p JOIN orders o ON o.id = p.order_id
    JOIN LATERAL (SELECT amount, state, created_at, updated_at FROM operations
        WHERE kind = 'refund' AND payment_id = p.id ORDER BY created_at DESC, length(key) DESC, key DESC LIMIT 1) last ON true
    JOIN LATERAL (SELECT COALESCE(sum(c.amount), 0)::bigint AS amount FROM credits c WHERE c.order_id = o.id) credit ON true) f;
UPDATE operations SET refund_id = 'rfd_' || substr(payment_id, 5) WHERE kind = 'refund';
INSERT INTO refund_lines (refund_id, order_id, line_id, quantity, amount)
SELECT r.id, r.order_id, l.id, l.cancelled, l.credited FROM refunds r JOIN order_lines l ON l.order_id = r.order_id
WHERE r.cause = 'cancelled' AND l.credited > 0;
UPDATE order_lines l SET refunded = f.amount FROM refund_lines f WHERE f.line_id = l.id;
UPDATE orders o SET shipping_refunded = r.shipping FROM refunds r WHERE r.order_id = o.id AND r.shipping > 0;
-- From now on a refused refund keeps its amount reserved: it is still owed, and asked for again.
INSERT INTO money_ledger (order_id, payment_id, operation_key, account, amount, at)
SELECT r.order_id, r.payment_id, (SELECT op.key FROM operations op WHERE op.refund_id = r.id
    ORDER BY length(op.key) DESC, op.key DESC LIMIT 1), 'refunding', r.amount, now() FROM refunds r WHERE r.status = 'refused';
UPDATE payments p SET refunding = p.refunding + r.amount FROM refunds r WHERE r.payment_id = p.id AND r.status = 'refused';

-- +goose Down
INSERT INTO money_ledger (order_id, payment_id, operation_key, account, amount, at)
SELECT r.order_id, r.payment_id, (SELECT op.key FROM operations op WHERE op.refund_id = r.id
    ORDER BY length(op.key) DESC, op.key DESC LIMIT 1), 'refunding', -r.amount, now() FROM refunds r WHERE r.status = 'refused';
UPDATE payments p SET refunding = p.refunding - f.amount
FROM (SELECT payment_id, sum(amount) AS amount FROM refunds WHERE status = 'refused' GROUP BY payment_id) f WHERE f.payment_id = p.id;
DROP TABLE refund_lines, refunds, return_unexpected, return_inspections, return_lines, returns, credits, short_picks;
DROP INDEX operations_one_live_per_refund, operations_one_live_label_per_return, shipments_page, shipments_on_their_way,
    order_lines_backordered, orders_backordered, orders_deadline;
ALTER TABLE inbox DROP COLUMN return_id;
ALTER TABLE events DROP COLUMN return_id;
ALTER TABLE allocations DROP CONSTRAINT allocations_once_per_fulfillment,
    ADD CONSTRAINT allocations_once_per_generation UNIQUE (line_id, generation, location_id);
ALTER TABLE shipments DROP COLUMN acknowledged;
ALTER TABLE shipment_lines DROP CONSTRAINT shipment_lines_pkey, ADD PRIMARY KEY (shipment_id, line_id);
ALTER TABLE fulfillment_lines DROP CONSTRAINT fulfillment_lines_in_order, DROP CONSTRAINT fulfillment_lines_pkey,
    ADD PRIMARY KEY (fulfillment_id, line_id), DROP COLUMN cancelled, DROP COLUMN short,
    ADD CONSTRAINT fulfillment_lines_in_order CHECK (0 <= shipped AND shipped <= packed AND packed <= picked AND picked <= quantity);
ALTER TABLE operations DROP COLUMN return_id, DROP COLUMN refund_id, DROP COLUMN retry_at;
ALTER TABLE order_holds DROP COLUMN fulfillment_id, DROP COLUMN on_deadline;
ALTER TABLE order_lines DROP CONSTRAINT order_lines_units_conserved, DROP COLUMN final_sale, DROP COLUMN backordered,
    DROP COLUMN undelivered, DROP COLUMN return_requested, DROP COLUMN returned, DROP COLUMN dismissed,
    DROP COLUMN credited, DROP COLUMN refunded,
    ADD CONSTRAINT order_lines_units_conserved CHECK (cancelled + shipped <= quantity AND delivered + lost <= shipped);
ALTER TABLE orders DROP CONSTRAINT orders_on_shortage_known, DROP CONSTRAINT orders_shipping_credit_within_charge,
    DROP COLUMN priority, DROP COLUMN return_policy, DROP COLUMN return_status, DROP COLUMN promised_at, DROP COLUMN promise_given, DROP COLUMN promise_broken,
    DROP COLUMN grantable,
    DROP COLUMN shipping_credited, DROP COLUMN shipping_refunded;
ALTER TABLE stock_ledger DROP COLUMN damaged, DROP COLUMN return_id, DROP CONSTRAINT stock_ledger_kind_known,
    ADD CONSTRAINT stock_ledger_kind_known CHECK (kind IN ('receipt', 'adjustment', 'reservation', 'release', 'pick',
        'shipment', 'return_receipt', 'transfer_out', 'transfer_in', 'count'));
ALTER TABLE stock_levels DROP COLUMN damaged, DROP COLUMN arrived_at;
