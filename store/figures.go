package store

import (
	"context"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/telemetry"
)

// Figures counts what metrics show of the facts. What is over is not counted here, since that grows for ever: every
// count goes by an index that has only what is open.
func (s *Store) Figures(ctx context.Context) (f telemetry.Figures, err error) {
	f = telemetry.Figures{Orders: map[string]int64{}, Waiting: map[string]int64{}, Attention: map[string]int64{},
		Returns: map[string]int64{}, ReturnsAttention: map[string]int64{}}
	known(f)
	for _, group := range []struct {
		into  map[string]int64
		query string
	}{{f.Orders, countOrders}, {f.Waiting, countWaiting}, {f.Attention, countAttention}, {f.Returns, countReturns},
		{f.ReturnsAttention, countReturnsAttention}} {
		if err := s.tally(ctx, group.into, group.query); err != nil {
			return f, err
		}
	}
	if f.Unstamped, f.OldestUnstamped, err = s.backlog(ctx, countUnstamped); err != nil {
		return f, err
	}
	f.Unheard, f.OldestUnheard, err = s.backlog(ctx, countUnheard)
	return f, err
}

// EventsAfter counts events by type from after a position on, up to limit of them, and says up to which position. After
// one that is negative it counts none, and says where the feed ends.
func (s *Store) EventsAfter(ctx context.Context, after int64, limit int) (events map[string]int64, upTo int64, err error) {
	events = map[string]int64{}
	for _, t := range order.EventTypes() {
		events[t.Name] = 0
	}
	if err := s.db.GetContext(ctx, &upTo, lastPosition); err != nil || after < 0 {
		return events, upTo, classify(err)
	}
	upTo = min(upTo, after+int64(limit)) // positions are dense
	return events, upTo, s.tally(ctx, events, countEvents, after, upTo)
}

// Each of these is answered from an index, at a million orders too; a test looks at the plans.
const (
	countOrders           = `SELECT status AS label, count(*) AS n FROM orders WHERE status IN ('received', 'accepted', 'processing') GROUP BY status`
	countWaiting          = `SELECT waiting_for AS label, count(*) AS n FROM orders WHERE waiting_for <> '' GROUP BY waiting_for`
	countAttention        = `SELECT attention_code AS label, count(*) AS n FROM orders WHERE attention_code <> '' GROUP BY attention_code`
	countReturns          = `SELECT status AS label, count(*) AS n FROM returns WHERE NOT settled GROUP BY status`
	countReturnsAttention = `SELECT attention_code AS label, count(*) AS n FROM returns WHERE attention_code <> '' GROUP BY attention_code`
	countUnstamped        = `SELECT count(*) AS n, min(at) AS oldest FROM events WHERE position IS NULL`
	countUnheard          = `SELECT count(*) AS n, min(created_at) AS oldest FROM inbox WHERE heard_at IS NULL`
	lastPosition          = `SELECT COALESCE(max(position), 0) FROM events`
	countEvents           = `SELECT type AS label, count(*) AS n FROM events WHERE position > $1 AND position <= $2 GROUP BY type`
)

// known says 0 of what there is none of: a figure that is missing looks like one that cannot be had.
func known(f telemetry.Figures) {
	for _, s := range order.Statuses() {
		if !s.Final() {
			f.Orders[string(s)] = 0
		}
	}
	for _, s := range returns.Statuses() {
		if !s.Final() {
			f.Returns[string(s)] = 0
		}
	}
	for _, w := range []order.WaitingFor{order.WaitingPayment, order.WaitingStock, order.WaitingWarehouse, order.WaitingCarrier,
		order.WaitingCustomer, order.WaitingOperator, order.WaitingGateway} {
		f.Waiting[string(w)] = 0
	}
	for _, g := range order.Guides() {
		f.Attention[g.Code], f.ReturnsAttention[g.Code] = 0, 0
	}
}

// tally runs a query of labels and counts.
func (s *Store) tally(ctx context.Context, into map[string]int64, query string, args ...any) error {
	var rows []struct {
		Label string `db:"label"`
		N     int64  `db:"n"`
	}
	if err := s.db.SelectContext(ctx, &rows, query, args...); err != nil {
		return classify(err)
	}
	for _, r := range rows {
		into[r.Label] = r.N
	}
	return nil
}

// backlog runs a query of how much is left, and since when, and says how long ago that is.
func (s *Store) backlog(ctx context.Context, query string) (n int64, age time.Duration, err error) {
	var left struct {
		N      int64      `db:"n"`
		Oldest *time.Time `db:"oldest"`
	}
	if err := s.db.GetContext(ctx, &left, query); err != nil || left.Oldest == nil {
		return left.N, 0, classify(err)
	}
	return left.N, max(0, time.Since(*left.Oldest)), nil
}
