package verify_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/external"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/store"
)

// world plays scenarios through the real decisions, the real store and the real sandbox, as the activities would.
// Its clock stands where a scenario sets it: an hour ago, unless that matters.
type world struct {
	ctx   context.Context
	store *store.Store
	box   *sandbox.Sandbox
	clock time.Time
	// policy is what orders are promised of returns; the house's when it has no name.
	policy returns.Policy
}

// play prepares the database that all others are copied from.
func play(ctx context.Context, url string) (err error) {
	ctx, cancel := deadline(ctx)
	defer cancel()
	if err := store.Migrate(ctx, url); err != nil {
		return err
	}
	w := &world{ctx: ctx}
	if w.store, err = store.Open(ctx, url, store.Options{}); err != nil {
		return err
	}
	defer w.store.Close()
	w.box, err = sandbox.Open(ctx, url, sandbox.Options{Clock: func() time.Time { return w.clock }, Hang: time.Millisecond})
	if err != nil {
		return err
	}
	defer w.box.Close()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("world: %v", r)
		}
	}()
	w.ago(3 * time.Hour)
	w.stock("nyc", "TEE-M", 500)
	w.stock("nyc", "CAP", 20)
	w.stock("lax", "CAP", 20)
	w.stock("nyc", "LAST", 1)
	for _, s := range slices.Concat(shortScenarios, returnScenarios, scenarios) {
		w.hear()
		w.ago(time.Hour)
		s.play(w, placement(s.name))
	}
	w.publish()
	return names(ctx, url)
}

// publish gives every event its position, as the relay does.
func (w *world) publish() {
	_, err := w.store.StampEvents(w.ctx, 100_000)
	check(err)
}

// names lets plants call things by the name of their scenario: ord its order, pay its first payment, shp its first
// parcel, lin its first line, ful its first fulfillment order, rfd its first refund, ret its first return.
func names(ctx context.Context, url string) error {
	db, err := sqlx.ConnectContext(ctx, "postgres", url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `
		CREATE FUNCTION ord(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT id FROM orders WHERE external_id = name AND channel = 'web' $$;
		CREATE FUNCTION pay(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT id FROM payments WHERE order_id = ord(name) AND number = 1 $$;
		CREATE FUNCTION shp(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT id FROM shipments WHERE order_id = ord(name) AND number = 1 $$;
		CREATE FUNCTION lin(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT id FROM order_lines WHERE order_id = ord(name) AND position = 0 $$;
		CREATE FUNCTION ful(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT id FROM fulfillments WHERE order_id = ord(name) AND number = 1 $$;
		CREATE FUNCTION rfd(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT id FROM refunds WHERE order_id = ord(name) AND number = 1 $$;
		CREATE FUNCTION ret(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT id FROM returns WHERE order_id = ord(name) AND number = 1 $$;
		-- What nobody has sent was written down just now.
		UPDATE operations SET created_at = now() - interval '1 minute' WHERE state = 'pending';`)
	return err
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// ago sets the clock.
func (w *world) ago(d time.Duration) { w.clock = time.Now().Add(-d).UTC().Truncate(time.Microsecond) }

func (w *world) later(d time.Duration) { w.clock = w.clock.Add(d) }

func (w *world) act() order.Act {
	policy := order.DefaultPolicy()
	if w.policy.Name != "" {
		policy.Returns = w.policy
	}
	return order.Act{At: w.clock, Actor: "test", RequestID: "req_test", NewID: id.New, Policy: policy}
}

func (w *world) stock(location, sku string, quantity int64) {
	_, err := w.store.PutLocation(w.ctx, store.Location{ID: location, Name: location, Country: "US", Priority: 1}, w.act())
	check(err)
	check(w.store.ChangeStock(w.ctx, &store.Command{Key: id.New("rcp"), Name: "receipt", Subject: location},
		inventory.Receipt, location, []store.StockChange{{SKU: sku, Quantity: quantity}}, "", w.act()))
}

// placement is two units of TEE-M for 48.28 USD.
func placement(externalID string) order.Placement {
	return order.Placement{
		ExternalID: externalID, Channel: "web", Currency: "USD",
		Customer: order.Customer{ID: "c-17", Name: "Ada", Email: "ada@example.com"},
		ShipTo:   shipping.Address{Name: "Ada", Line1: "1 Main St", City: "San Francisco", Region: "CA", PostalCode: "94107", Country: "US"},
		Lines:    []order.PlacedLine{{SKU: "TEE-M", Quantity: 2, UnitPrice: 1999, Tax: 330}},
		Shipping: order.PlacedShipping{Service: "standard", Amount: 500},
		Payment:  order.PlacedPayment{Gateway: "sandbox", Token: "tok_ok"}, Total: 4828,
	}.Normalize()
}

func (w *world) place(p order.Placement) *order.Order {
	check(p.Validate("sandbox", "external"))
	o, fresh, err := w.store.Place(w.ctx, p, id.New(id.Order), "key-"+p.Channel+"-"+p.ExternalID, w.act())
	check(err)
	if !fresh {
		panic("placed before: " + p.ExternalID)
	}
	return o
}

func (w *world) change(o *order.Order, decide func(*order.Order, order.Act) error) *order.Order {
	act := w.act()
	o, err := w.store.Change(w.ctx, o.ID, nil, act, func(o *order.Order) error { return decide(o, act) })
	check(err)
	return o
}

// perform asks the gateways for everything that is due, again and again until nothing is.
func (w *world) perform(o *order.Order) *order.Order {
	for {
		due := o.Steps()
		if len(due) == 0 || due[0].Name == order.StepAllocate {
			return o
		}
		o = w.send(o, *o.Operation(due[0].Key))
	}
}

// send asks a gateway for one operation, once.
func (w *world) send(o *order.Order, op order.Operation) *order.Order {
	if op.PaymentID == "" { // a label
		answer, err := w.box.Carrier().Perform(w.ctx, o.CarrierRequest(op))
		return w.change(o, func(o *order.Order, act order.Act) error {
			if err != nil {
				o.Unanswered(op.Key, "no answer", act)
			} else {
				o.CarrierAnswered(op.Key, answer, act)
			}
			return nil
		})
	}
	var answer payment.Answer
	var err error
	if o.Payment(op.PaymentID).Gateway == "external" {
		answer, err = external.New().Perform(w.ctx, o.PaymentRequest(op))
	} else {
		answer, err = w.box.Payments().Perform(w.ctx, o.PaymentRequest(op))
	}
	return w.change(o, func(o *order.Order, act order.Act) error {
		if err != nil {
			o.Unanswered(op.Key, "no answer", act)
		} else {
			o.PaymentAnswered(op.Key, answer, act)
		}
		return nil
	})
}

// accept takes an order as far as to be accepted, or rejected.
func (w *world) accept(p order.Placement) *order.Order { return w.allocate(w.perform(w.place(p))) }

func (w *world) allocate(o *order.Order) *order.Order {
	o, err := w.store.Allocate(w.ctx, o.ID, w.act())
	check(err)
	return o
}

func (w *world) pick(o *order.Order) *order.Order {
	for _, f := range o.Fulfillments {
		if len(picked(f)) == 0 {
			continue
		}
		o = w.change(o, func(o *order.Order, act order.Act) error { return o.Pick(f.ID, picked(f), act) })
	}
	return o
}

// pack makes one parcel of each fulfillment order and buys its label.
func (w *world) pack(o *order.Order) *order.Order {
	for _, f := range o.Fulfillments {
		if len(units(f)) == 0 {
			continue
		}
		o = w.change(o, func(o *order.Order, act order.Act) error {
			return o.Pack(f.ID, []order.Parcel{{WeightGrams: 500, Lines: units(f)}}, act)
		})
	}
	return w.perform(o)
}

// ship asks to ship one fulfillment order; the capture is due then.
func (w *world) ship(o *order.Order, fulfillment int) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error { return o.Ship(o.Fulfillments[fulfillment].ID, act) })
}

// shipped takes an order as far as to be handed over.
func (w *world) shipped(p order.Placement) *order.Order {
	return w.perform(w.ship(w.pack(w.pick(w.accept(p))), 0))
}

func (w *world) scan(o *order.Order, status shipping.Tracking) *order.Order {
	w.later(time.Minute)
	o = w.change(o, func(o *order.Order, act order.Act) error {
		return o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: status, OccurredAt: act.At}, act)
	})
	w.hear()
	return o
}

// hear empties the inbox, as the relay does.
func (w *world) hear() {
	_, err := w.store.Unheard(w.ctx, 100, w.clock, func(string, string) error { return nil })
	check(err)
}

func (w *world) cancel(o *order.Order) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error { return o.CancelWhole("changed my mind", act) })
}

func (w *world) newToken(o *order.Order, token string) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error { return o.NewToken("sandbox", token, act) })
}

func (w *world) deadlinePassed(o *order.Order) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error { o.DeadlinePassed(act); return nil })
}

// units is everything that is picked and in no parcel.
func units(f order.Fulfillment) []order.UnitsOf {
	var out []order.UnitsOf
	for _, l := range f.Lines {
		if left := l.Picked - l.Packed; left > 0 {
			out = append(out, order.UnitsOf{LineID: l.LineID, Quantity: left})
		}
	}
	return out
}

// picked is everything that is left to pick.
func picked(f order.Fulfillment) []order.PickedUnits {
	var out []order.PickedUnits
	for _, l := range f.Lines {
		if left := l.Due() - l.Picked; left > 0 {
			out = append(out, order.PickedUnits{LineID: l.LineID, Quantity: left})
		}
	}
	return out
}

func paidBy(p order.Placement, token string) order.Placement {
	p.Payment.Token = token
	return p
}
