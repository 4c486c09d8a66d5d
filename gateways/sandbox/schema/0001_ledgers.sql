-- The sandbox's own books. Nothing in Waybill writes here but the sandbox, through connections of its own:
-- what stands in the two ledgers is a second, independent account of what was done, and the checker of
-- invariants compares it with ours. Amounts are integer minor units, times are the sandbox's clock.

CREATE TABLE sandbox.requests (
    gateway     text        NOT NULL,
    key         text        NOT NULL,
    kind        text        NOT NULL,
    fingerprint text        NOT NULL,
    attempts    bigint      NOT NULL,
    lookups     bigint      NOT NULL DEFAULT 0,
    busy_until  timestamptz,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    CONSTRAINT requests_pkey PRIMARY KEY (gateway, key),
    CONSTRAINT requests_gateway CHECK (gateway IN ('payments', 'carrier')),
    CONSTRAINT requests_counts CHECK (attempts > 0 AND lookups >= 0)
);
COMMENT ON TABLE sandbox.requests IS
    'One row per key ever used: how many requests arrived under it (attempts) and how often it was looked up.';
COMMENT ON COLUMN sandbox.requests.fingerprint IS 'SHA-256 of the first payload; another one is refused as a reuse of the key.';
COMMENT ON COLUMN sandbox.requests.busy_until IS 'Scripted: until then the key counts as being worked on.';

CREATE TABLE sandbox.payment_ledger (
    key                     text        NOT NULL,
    kind                    text        NOT NULL,
    order_id                text        NOT NULL,
    authorization_reference text        NOT NULL,
    requested_amount        bigint      NOT NULL,
    amount                  bigint      NOT NULL,
    currency                text        NOT NULL,
    outcome                 text        NOT NULL,
    code                    text        NOT NULL,
    detail                  text        NOT NULL,
    reference               text        NOT NULL,
    next_url                text        NOT NULL,
    capture_before          timestamptz,
    applied_at              timestamptz NOT NULL,
    CONSTRAINT payment_ledger_pkey PRIMARY KEY (key),
    CONSTRAINT payment_ledger_reference UNIQUE (reference),
    CONSTRAINT payment_ledger_kind CHECK (kind IN ('authorize', 'capture', 'void', 'refund')),
    CONSTRAINT payment_ledger_outcome CHECK (outcome IN ('succeeded', 'refused', 'action_required')),
    CONSTRAINT payment_ledger_amount CHECK (amount >= 0 AND (outcome = 'succeeded') = (amount > 0)),
    CONSTRAINT payment_ledger_code CHECK ((outcome = 'refused') = (code <> '')),
    CONSTRAINT payment_ledger_next_url CHECK ((outcome = 'action_required') = (next_url <> ''))
);
CREATE INDEX payment_ledger_by_authorization ON sandbox.payment_ledger (authorization_reference, kind);
CREATE INDEX payment_ledger_by_order ON sandbox.payment_ledger (order_id);
COMMENT ON TABLE sandbox.payment_ledger IS
    'Append-only: one row per operation that was applied (amount is what was really done) or terminally refused (amount 0).';

CREATE TABLE sandbox.authorizations (
    reference      text        NOT NULL,
    key            text        NOT NULL,
    order_id       text        NOT NULL,
    token          text        NOT NULL,
    currency       text        NOT NULL,
    authorized     bigint      NOT NULL,
    captured       bigint      NOT NULL DEFAULT 0,
    voided         bigint      NOT NULL DEFAULT 0,
    refunded       bigint      NOT NULL DEFAULT 0,
    capture_before timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    CONSTRAINT authorizations_pkey PRIMARY KEY (reference),
    CONSTRAINT authorizations_key UNIQUE (key),
    CONSTRAINT authorizations_ledger FOREIGN KEY (key) REFERENCES sandbox.payment_ledger (key),
    CONSTRAINT authorizations_authorized CHECK (authorized > 0),
    CONSTRAINT authorizations_rest CHECK (captured >= 0 AND voided >= 0 AND captured + voided <= authorized),
    CONSTRAINT authorizations_refunds CHECK (refunded >= 0 AND refunded <= captured)
);
CREATE INDEX authorizations_by_order ON sandbox.authorizations (order_id);
COMMENT ON TABLE sandbox.authorizations IS
    'The state of every hold: what was held, taken, let go and given back. Always equal to the sums of its ledger rows.';

CREATE TABLE sandbox.carrier_ledger (
    key             text        NOT NULL,
    kind            text        NOT NULL,
    order_id        text        NOT NULL,
    shipment_id     text        NOT NULL,
    label_reference text        NOT NULL,
    tracking_number text        NOT NULL,
    service         text        NOT NULL,
    cost            bigint      NOT NULL,
    currency        text        NOT NULL,
    outcome         text        NOT NULL,
    code            text        NOT NULL,
    detail          text        NOT NULL,
    reference       text        NOT NULL,
    applied_at      timestamptz NOT NULL,
    CONSTRAINT carrier_ledger_pkey PRIMARY KEY (key),
    CONSTRAINT carrier_ledger_kind CHECK (kind IN ('label', 'void_label')),
    CONSTRAINT carrier_ledger_outcome CHECK (outcome IN ('succeeded', 'refused')),
    CONSTRAINT carrier_ledger_cost CHECK (cost >= 0),
    CONSTRAINT carrier_ledger_code CHECK ((outcome = 'refused') = (code <> ''))
);
CREATE INDEX carrier_ledger_by_label ON sandbox.carrier_ledger (label_reference, kind);
CREATE INDEX carrier_ledger_by_order ON sandbox.carrier_ledger (order_id);
COMMENT ON TABLE sandbox.carrier_ledger IS
    'Append-only: one row per operation that was applied or terminally refused.';

CREATE TABLE sandbox.labels (
    reference       text        NOT NULL,
    key             text        NOT NULL,
    order_id        text        NOT NULL,
    shipment_id     text        NOT NULL,
    tracking_number text        NOT NULL,
    service         text        NOT NULL,
    weight_grams    bigint      NOT NULL,
    postal_code     text        NOT NULL,
    purchased_at    timestamptz NOT NULL,
    voided_at       timestamptz,
    CONSTRAINT labels_pkey PRIMARY KEY (reference),
    CONSTRAINT labels_key UNIQUE (key),
    CONSTRAINT labels_ledger FOREIGN KEY (key) REFERENCES sandbox.carrier_ledger (key),
    CONSTRAINT labels_tracking_number UNIQUE (tracking_number),
    CONSTRAINT labels_weight CHECK (weight_grams >= 0)
);
CREATE INDEX labels_by_order ON sandbox.labels (order_id);
COMMENT ON TABLE sandbox.labels IS 'Every label ever sold, and when it was voided.';
COMMENT ON COLUMN sandbox.labels.postal_code IS
    'The scripted postal code that decides its scans, or nothing: a real address is never kept.';

CREATE FUNCTION sandbox.append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'sandbox.% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER payment_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sandbox.payment_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION sandbox.append_only();
CREATE TRIGGER carrier_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sandbox.carrier_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION sandbox.append_only();
