-- +goose Up
-- Amounts are minor units of the order's currency. Every constraint is named <table>_<rule>: the store tells a
-- refusal by that name. Ledgers and events are append-only; balances stand beside them and are changed in the
-- same transaction.

CREATE TABLE locations (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    country    text NOT NULL,
    priority   integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE stock_levels (
    sku         text COLLATE "C" NOT NULL,
    location_id text COLLATE "C" NOT NULL REFERENCES locations (id),
    on_hand     bigint NOT NULL,
    committed   bigint NOT NULL,
    unavailable bigint NOT NULL,
    PRIMARY KEY (sku, location_id),
    CONSTRAINT stock_levels_on_hand_not_negative CHECK (on_hand >= 0),
    CONSTRAINT stock_levels_committed_not_negative CHECK (committed >= 0),
    CONSTRAINT stock_levels_unavailable_not_negative CHECK (unavailable >= 0),
    CONSTRAINT stock_levels_committed_within_on_hand CHECK (committed + unavailable <= on_hand)
);

CREATE TABLE stock_ledger (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku         text COLLATE "C" NOT NULL,
    location_id text COLLATE "C" NOT NULL REFERENCES locations (id),
    kind        text NOT NULL,
    quantity    bigint NOT NULL,
    on_hand     bigint NOT NULL,
    committed   bigint NOT NULL,
    unavailable bigint NOT NULL,
    order_id    text NOT NULL,
    line_id     text NOT NULL,
    reference   text NOT NULL,
    reason      text NOT NULL,
    actor       text NOT NULL,
    request_id  text NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT stock_ledger_kind_known CHECK (kind IN ('receipt', 'adjustment', 'reservation', 'release', 'pick',
        'shipment', 'return_receipt', 'transfer_out', 'transfer_in', 'count'))
);
CREATE INDEX stock_ledger_sku ON stock_ledger (sku, location_id, id);
CREATE INDEX stock_ledger_order ON stock_ledger (order_id) WHERE order_id <> '';

CREATE TABLE orders (
    id                 text COLLATE "C" PRIMARY KEY,
    idempotency_key    text NOT NULL CONSTRAINT orders_idempotency_key_once UNIQUE,
    external_id        text NOT NULL,
    channel            text NOT NULL,
    currency           text NOT NULL,
    prices_include_tax boolean NOT NULL,
    test               boolean NOT NULL,
    on_shortage        text NOT NULL,
    customer           jsonb NOT NULL,
    ship_to            jsonb NOT NULL,
    shipping_service   text NOT NULL,
    shipping_amount    bigint NOT NULL,
    shipping_tax       bigint NOT NULL,
    discount           bigint NOT NULL,
    total              bigint NOT NULL,
    gateway            text NOT NULL,
    token              text NOT NULL,
    status             text NOT NULL,
    decision           text NOT NULL,
    shortages          jsonb,
    waiting_for        text NOT NULL,
    waiting_until      timestamptz,
    deadline           timestamptz,
    attention_code     text NOT NULL,
    attention_detail   text NOT NULL,
    attention_since    timestamptz,
    payment_status     text NOT NULL,
    fulfillment_status text NOT NULL,
    settled            boolean NOT NULL,
    version            bigint NOT NULL,
    sequence           bigint NOT NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT orders_external_id_once UNIQUE (channel, external_id),
    CONSTRAINT orders_status_known CHECK (status IN ('received', 'accepted', 'processing', 'completed', 'rejected',
        'cancelled', 'expired')),
    CONSTRAINT orders_amounts_not_negative CHECK (total >= 0 AND discount >= 0 AND shipping_amount >= 0
        AND shipping_tax >= 0),
    CONSTRAINT orders_settled_when_final CHECK (NOT settled
        OR status IN ('completed', 'rejected', 'cancelled', 'expired'))
);
CREATE INDEX orders_page ON orders (created_at DESC, id DESC);
CREATE INDEX orders_by_status ON orders (status, created_at DESC, id DESC);
CREATE INDEX orders_by_channel ON orders (channel, created_at DESC, id DESC);
CREATE INDEX orders_by_customer ON orders ((customer ->> 'id'), created_at DESC, id DESC);
CREATE INDEX orders_by_external_id ON orders (external_id, created_at DESC, id DESC);
CREATE INDEX orders_by_waiting ON orders (waiting_for, created_at DESC, id DESC) WHERE waiting_for <> '';
CREATE INDEX orders_by_attention ON orders (attention_code, created_at DESC, id DESC) WHERE attention_code <> '';
CREATE INDEX orders_unsettled ON orders (id) WHERE NOT settled;

CREATE TABLE order_lines (
    id             text COLLATE "C" PRIMARY KEY,
    order_id       text COLLATE "C" NOT NULL REFERENCES orders (id),
    position       integer NOT NULL,
    external_id    text NOT NULL,
    sku            text COLLATE "C" NOT NULL,
    quantity       bigint NOT NULL,
    unit_price     bigint NOT NULL,
    discount       bigint NOT NULL,
    order_discount bigint NOT NULL,
    tax            bigint NOT NULL,
    cancelled      bigint NOT NULL,
    shipped        bigint NOT NULL,
    delivered      bigint NOT NULL,
    lost           bigint NOT NULL,
    CONSTRAINT order_lines_position_once UNIQUE (order_id, position),
    CONSTRAINT order_lines_quantity_positive CHECK (quantity > 0),
    CONSTRAINT order_lines_counters_not_negative CHECK (cancelled >= 0 AND shipped >= 0 AND delivered >= 0 AND lost >= 0),
    CONSTRAINT order_lines_units_conserved CHECK (cancelled + shipped <= quantity AND delivered + lost <= shipped)
);
CREATE INDEX order_lines_sku ON order_lines (sku, order_id);

CREATE TABLE line_units (
    line_id      text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    order_id     text COLLATE "C" NOT NULL,
    first_unit   bigint NOT NULL,
    quantity     bigint NOT NULL,
    price        bigint NOT NULL,
    discount     bigint NOT NULL,
    tax          bigint NOT NULL,
    shipping     bigint NOT NULL,
    shipping_tax bigint NOT NULL,
    PRIMARY KEY (line_id, first_unit),
    CONSTRAINT line_units_quantity_positive CHECK (quantity > 0)
);

CREATE TABLE order_holds (
    id          text COLLATE "C" PRIMARY KEY,
    order_id    text COLLATE "C" NOT NULL REFERENCES orders (id),
    reason      text NOT NULL,
    detail      text NOT NULL,
    owner       text NOT NULL,
    blocks      jsonb NOT NULL,
    deadline    timestamptz,
    placed_at   timestamptz NOT NULL,
    released_at timestamptz
);
CREATE INDEX order_holds_order ON order_holds (order_id);

CREATE TABLE payments (
    id             text COLLATE "C" PRIMARY KEY,
    order_id       text COLLATE "C" NOT NULL REFERENCES orders (id),
    number         integer NOT NULL,
    gateway        text NOT NULL,
    token          text NOT NULL,
    amount         bigint NOT NULL,
    currency       text NOT NULL,
    status         text NOT NULL,
    reference      text NOT NULL,
    capture_before timestamptz,
    refusal_code   text NOT NULL,
    next_url       text NOT NULL,
    unwanted       boolean NOT NULL,
    authorized     bigint NOT NULL,
    capturing      bigint NOT NULL,
    captured       bigint NOT NULL,
    voided         bigint NOT NULL,
    expired        bigint NOT NULL,
    refunding      bigint NOT NULL,
    refunded       bigint NOT NULL,
    CONSTRAINT payments_number_once UNIQUE (order_id, number),
    CONSTRAINT payments_amount_positive CHECK (amount > 0),
    CONSTRAINT payments_balances_not_negative CHECK (authorized >= 0 AND capturing >= 0 AND captured >= 0
        AND voided >= 0 AND expired >= 0 AND refunding >= 0 AND refunded >= 0),
    CONSTRAINT payments_captures_within_authorized CHECK (capturing + captured + voided + expired <= authorized),
    CONSTRAINT payments_refunds_within_captured CHECK (refunding + refunded <= captured)
);

CREATE TABLE operations (
    key         text COLLATE "C" PRIMARY KEY,
    order_id    text COLLATE "C" NOT NULL REFERENCES orders (id),
    kind        text NOT NULL,
    payment_id  text NOT NULL,
    shipment_id text NOT NULL,
    amount      bigint NOT NULL,
    applied     bigint NOT NULL,
    state       text NOT NULL,
    attempts    integer NOT NULL,
    reference   text NOT NULL,
    code        text NOT NULL,
    detail      text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT operations_kind_known CHECK (kind IN ('authorize', 'capture', 'void', 'refund', 'label', 'void_label')),
    CONSTRAINT operations_state_known CHECK (state IN ('pending', 'unknown', 'succeeded', 'refused', 'abandoned')),
    CONSTRAINT operations_amount_not_negative CHECK (amount >= 0)
);
CREATE INDEX operations_order ON operations (order_id);
CREATE INDEX operations_open ON operations (created_at) WHERE state IN ('pending', 'unknown');
-- At most one operation of a kind may be live for a parcel: two captures, or two labels, can never both stand.
CREATE UNIQUE INDEX operations_one_live_per_shipment ON operations (kind, shipment_id)
    WHERE shipment_id <> '' AND state IN ('pending', 'unknown', 'succeeded');

CREATE TABLE money_ledger (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id      text COLLATE "C" NOT NULL,
    payment_id    text COLLATE "C" NOT NULL REFERENCES payments (id),
    operation_key text NOT NULL,
    account       text NOT NULL,
    amount        bigint NOT NULL,
    at            timestamptz NOT NULL,
    CONSTRAINT money_ledger_account_known CHECK (account IN ('authorized', 'capturing', 'captured', 'voided',
        'expired', 'refunding', 'refunded')),
    CONSTRAINT money_ledger_amount_not_zero CHECK (amount <> 0)
);
CREATE INDEX money_ledger_payment ON money_ledger (payment_id);

CREATE TABLE fulfillments (
    id          text COLLATE "C" PRIMARY KEY,
    order_id    text COLLATE "C" NOT NULL REFERENCES orders (id),
    number      integer NOT NULL,
    location_id text COLLATE "C" NOT NULL REFERENCES locations (id),
    status      text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT fulfillments_number_once UNIQUE (order_id, number),
    CONSTRAINT fulfillments_status_known CHECK (status IN ('scheduled', 'open', 'in_progress', 'on_hold',
        'incomplete', 'closed', 'cancelled'))
);
CREATE INDEX fulfillments_page ON fulfillments (location_id, status, created_at, id);
CREATE INDEX fulfillments_by_status ON fulfillments (status, created_at, id);

CREATE TABLE fulfillment_lines (
    fulfillment_id text COLLATE "C" NOT NULL REFERENCES fulfillments (id),
    order_id       text COLLATE "C" NOT NULL,
    line_id        text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    sku            text COLLATE "C" NOT NULL,
    first_unit     bigint NOT NULL,
    quantity       bigint NOT NULL,
    picked         bigint NOT NULL,
    packed         bigint NOT NULL,
    shipped        bigint NOT NULL,
    PRIMARY KEY (fulfillment_id, line_id),
    CONSTRAINT fulfillment_lines_quantity_positive CHECK (quantity > 0),
    CONSTRAINT fulfillment_lines_in_order CHECK (0 <= shipped AND shipped <= packed AND packed <= picked AND picked <= quantity)
);
CREATE INDEX fulfillment_lines_order ON fulfillment_lines (order_id);

CREATE TABLE shipments (
    id               text COLLATE "C" PRIMARY KEY,
    order_id         text COLLATE "C" NOT NULL REFERENCES orders (id),
    fulfillment_id   text COLLATE "C" NOT NULL REFERENCES fulfillments (id),
    number           integer NOT NULL,
    status           text NOT NULL,
    tracking_status  text NOT NULL,
    tracking_at      timestamptz,
    carrier          text NOT NULL,
    tracking_number  text NOT NULL,
    label_reference  text NOT NULL,
    weight_grams     bigint NOT NULL,
    ship_requested   boolean NOT NULL,
    carries_shipping boolean NOT NULL,
    amount           bigint NOT NULL,
    handed_over_at   timestamptz,
    first_scan_at    timestamptz,
    delivered_at     timestamptz,
    created_at       timestamptz NOT NULL,
    CONSTRAINT shipments_number_once UNIQUE (order_id, number),
    CONSTRAINT shipments_status_known CHECK (status IN ('packed', 'label_refused', 'labeled', 'held', 'shipped',
        'delivered', 'lost', 'returning', 'cancelled')),
    CONSTRAINT shipments_handed_over_when_shipped CHECK ((handed_over_at IS NOT NULL)
        = (status IN ('shipped', 'delivered', 'lost', 'returning')))
);
CREATE UNIQUE INDEX shipments_shipping_charged_once ON shipments (order_id)
    WHERE carries_shipping AND status <> 'cancelled';

CREATE TABLE shipment_lines (
    shipment_id text COLLATE "C" NOT NULL REFERENCES shipments (id),
    order_id    text COLLATE "C" NOT NULL,
    line_id     text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    sku         text COLLATE "C" NOT NULL,
    first_unit  bigint NOT NULL,
    quantity    bigint NOT NULL,
    PRIMARY KEY (shipment_id, line_id),
    CONSTRAINT shipment_lines_quantity_positive CHECK (quantity > 0)
);
CREATE INDEX shipment_lines_order ON shipment_lines (order_id);

CREATE TABLE shipment_scans (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shipment_id text COLLATE "C" NOT NULL REFERENCES shipments (id),
    status      text NOT NULL,
    occurred_at timestamptz NOT NULL,
    location    text NOT NULL,
    moved       boolean NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX shipment_scans_shipment ON shipment_scans (shipment_id, occurred_at);

CREATE TABLE allocations (
    id             text COLLATE "C" PRIMARY KEY,
    order_id       text COLLATE "C" NOT NULL REFERENCES orders (id),
    line_id        text COLLATE "C" NOT NULL REFERENCES order_lines (id),
    generation     integer NOT NULL,
    fulfillment_id text COLLATE "C" NOT NULL REFERENCES fulfillments (id),
    location_id    text COLLATE "C" NOT NULL REFERENCES locations (id),
    sku            text COLLATE "C" NOT NULL,
    quantity       bigint NOT NULL,
    released       bigint NOT NULL,
    consumed       bigint NOT NULL,
    created_at     timestamptz NOT NULL,
    CONSTRAINT allocations_once_per_generation UNIQUE (line_id, generation, location_id),
    CONSTRAINT allocations_quantity_positive CHECK (quantity > 0),
    CONSTRAINT allocations_close_once CHECK (released >= 0 AND consumed >= 0 AND released + consumed <= quantity)
);
CREATE INDEX allocations_order ON allocations (order_id);
CREATE INDEX allocations_live ON allocations (sku, location_id) WHERE released + consumed < quantity;

-- One row per command that changed something, written with the change: the same key again finds its answer.
CREATE TABLE commands (
    key         text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL,
    subject     text NOT NULL,
    fingerprint text NOT NULL,
    request     jsonb NOT NULL,
    at          timestamptz NOT NULL
);

-- The timeline of each order, and the outbox: numbered without gaps per order; position is stamped by one
-- sequencer on rows that are committed.
CREATE TABLE events (
    order_id       text COLLATE "C" NOT NULL REFERENCES orders (id),
    sequence       bigint NOT NULL,
    position       bigint CONSTRAINT events_position_once UNIQUE,
    type           text NOT NULL,
    at             timestamptz NOT NULL,
    actor          text NOT NULL,
    request_id     text NOT NULL,
    status         text NOT NULL,
    detail         text NOT NULL,
    fulfillment_id text NOT NULL,
    shipment_id    text NOT NULL,
    payment_id     text NOT NULL,
    amount         bigint,
    PRIMARY KEY (order_id, sequence)
);

-- Facts that came by themselves and that a run has to hear of. The relay empties it.
CREATE TABLE inbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id      text COLLATE "C" NOT NULL REFERENCES orders (id),
    kind          text NOT NULL,
    created_at    timestamptz NOT NULL,
    claimed_until timestamptz, -- by a relay that is telling the run just now
    heard_at      timestamptz
);
CREATE INDEX inbox_open ON inbox (id) WHERE heard_at IS NULL;

CREATE TABLE api_keys (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    hash       bytea NOT NULL,
    scopes     jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);

-- +goose Down
DROP TABLE api_keys, inbox, events, commands, allocations, shipment_scans, shipment_lines, shipments,
    fulfillment_lines, fulfillments, money_ledger, operations, payments, order_holds, line_units, order_lines,
    orders, stock_ledger, stock_levels, locations;
