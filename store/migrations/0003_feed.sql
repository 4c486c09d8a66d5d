-- +goose NO TRANSACTION
-- Orders go on meanwhile: nothing here holds a lock for longer than a moment, and each statement may be run again.
-- +goose Up
-- What programs learn from an event, as members; until now some of it was only in the sentence for people.
ALTER TABLE events ADD COLUMN IF NOT EXISTS data jsonb NOT NULL DEFAULT '{}';

-- The sequencer takes what has no position from here.
DROP INDEX IF EXISTS events_unstamped; -- left invalid by an attempt that was cut off
CREATE INDEX CONCURRENTLY events_unstamped ON events (order_id, sequence) WHERE position IS NULL;

-- +goose StatementBegin
DO $$
DECLARE
    done text := '';
    upto text;
BEGIN
    LOOP
        SELECT max(id) INTO upto FROM (SELECT id FROM orders WHERE id > done ORDER BY id LIMIT 500) batch;
        EXIT WHEN upto IS NULL;
        UPDATE events e SET data = COALESCE(jsonb_strip_nulls(CASE
            WHEN type IN ('order.attention_raised', 'return.attention_raised') THEN jsonb_build_object('code', split_part(detail, ': ', 1))
            WHEN type IN ('order.attention_cleared', 'return.attention_cleared', 'payment.declined', 'payment.capture_refused',
                'shipment.label_refused', 'return.label_refused') THEN jsonb_build_object('code', detail)
            WHEN type = 'shipment.held' THEN jsonb_build_object('code', replace(detail, ' ', '_'))
            WHEN type IN ('shipment.tracking_updated', 'return.tracking_updated') THEN jsonb_build_object('tracking_status', detail)
            WHEN type = 'fulfillment.opened' THEN jsonb_build_object('location_id', substr(detail, 4))
            WHEN type = 'fulfillment.packed' THEN jsonb_build_object('parcels', substring(detail from '^[0-9]+')::bigint)
            WHEN type = 'fulfillment.short_picked' THEN jsonb_build_object('units', substring(detail from '^[0-9]+')::bigint,
                'sku', substring(detail from ' of (.*): '), 'reason', substring(detail from '[a-z_]*$'))
            WHEN type = 'order.backordered' THEN jsonb_build_object('units', substring(detail from '^[0-9]+')::bigint,
                'promised_at', substring(detail from '[0-9-]{10}$') || 'T00:00:00Z')
            WHEN type IN ('order.stock_granted', 'order.units_cancelled', 'fulfillment.picked', 'fulfillment.closed_incomplete',
                'return.requested', 'return.received', 'return.inspected') THEN jsonb_build_object('units', COALESCE(NULLIF(substring(detail from '^[0-9]+')::bigint, 0),
                CASE WHEN type = 'return.requested' THEN (SELECT sum(quantity)::bigint FROM return_lines l WHERE l.return_id = e.return_id) END))
            WHEN type IN ('order.hold_placed', 'order.hold_released') THEN (SELECT jsonb_build_object('hold_id', h.id, 'reason', h.reason)
                FROM order_holds h WHERE h.order_id = e.order_id AND h.fulfillment_id = e.fulfillment_id AND h.reason = split_part(e.detail, ': ', 1)
                AND CASE e.type WHEN 'order.hold_placed' THEN h.placed_at ELSE h.released_at END = e.at ORDER BY h.id LIMIT 1)
            WHEN type IN ('shipment.labeled', 'shipment.shipped') THEN (SELECT jsonb_build_object('carrier', s.carrier, 'tracking_number', s.tracking_number)
                FROM shipments s WHERE s.id = e.shipment_id)
            WHEN type = 'return.labeled' THEN (SELECT jsonb_build_object('carrier', r.carrier, 'tracking_number', r.tracking_number)
                FROM returns r WHERE r.id = e.return_id)
            WHEN type = 'return.approved' THEN (SELECT CASE WHEN r.returnless THEN '{"returnless": true}'::jsonb ELSE jsonb_build_object('expires_at', r.expires_at) END
                FROM returns r WHERE r.id = e.return_id)
            WHEN type = 'payment.refunded' THEN jsonb_build_object('reason', detail, 'refund_id', (SELECT r.id FROM refunds r
                WHERE r.payment_id = e.payment_id AND r.cause = e.detail AND r.amount = e.amount AND r.shipment_id = e.shipment_id
                AND r.return_id = e.return_id ORDER BY r.settled_at = e.at DESC NULLS LAST, r.number LIMIT 1))
        END), '{}')
        WHERE e.order_id > done AND e.order_id <= upto AND e.data = '{}' AND type NOT IN ('order.received', 'order.accepted', 'order.rejected', 'order.processing', 'order.completed', 'order.cancelled', 'order.expired');
        COMMIT;
        done := upto;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX events_unstamped;
ALTER TABLE events DROP COLUMN data;
