package order_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// tb is what testing.T and rapid.T have in common.
type tb interface {
	require.TestingT
	Helper()
}

// world is what stands around an order: a store that keeps it as JSON and takes nothing of a refused decision, and
// the books in which its effects are written. After every decision it checks that everything adds up.
type world struct {
	t         tb
	o         *order.Order // as stored; decisions work on a copy
	now       time.Time
	policy    order.Policy
	ids       int
	placed    order.Placement
	events    []order.Event
	movements []inventory.Movement
	entries   []payment.Entry
	scans     []order.Scan
	woken     int
	calls     []string // returns whose runs were woken
	stock     shelves
	stored    []byte
	odd       bool // a gateway did something else than it was asked: sums may differ, and somebody was called
	early     bool // a hold came while the money for a parcel was being taken: it was taken, and the parcel is here
}

var morning = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// canary marks personal data and tokens, which must never leave the order.
const canary = "Canary"

// readme is the order of the README: two units for 48.28 USD.
func readme() order.Placement {
	return order.Placement{
		ExternalID: "1001", Channel: "web", Currency: "USD",
		Customer: order.Customer{ID: "c-17", Name: canary + " Name", Email: canary + "@example.com"},
		ShipTo: shipping.Address{Name: canary + " Name", Line1: canary + " Street 1", Line2: canary + " floor", City: canary + "ville",
			Region: "CA", PostalCode: canary + "94107", Country: "US"},
		Lines:    []order.PlacedLine{{SKU: "TEE-M", Quantity: 2, UnitPrice: 1999, Tax: 330}},
		Shipping: order.PlacedShipping{Service: "standard", Amount: 500},
		Payment:  order.PlacedPayment{Gateway: "sandbox", Token: canary + "_tok"}, Total: 4828,
	}.Normalize()
}

// goods is an order of single lines, each "quantity of a SKU at a price", that foots.
func goods(lines ...order.PlacedLine) order.Placement {
	p := readme()
	p.Lines, p.Shipping.Amount = lines, 0
	return footed(p)
}

// footed sets the total to what the placement comes to.
func footed(p order.Placement) order.Placement {
	p = p.Normalize()
	p.Total, _ = p.Sum()
	return p
}

func place(t tb, p order.Placement) *world {
	t.Helper()
	return placeUnder(t, p, order.DefaultPolicy())
}

func placeUnder(t tb, p order.Placement, policy order.Policy) *world {
	t.Helper()
	w := &world{t: t, now: morning, policy: policy, placed: p, stock: shelves{}}
	if len(p.Holds) == 0 {
		require.NoError(t, p.Validate("sandbox", "external"))
	}
	act := w.act()
	w.save(order.Place(p, w.newID("ord"), act), act)
	return w
}

func (w *world) newID(prefix string) string {
	w.ids++
	return fmt.Sprintf("%s_%026d", prefix, w.ids)
}

func (w *world) act() order.Act {
	return order.Act{At: w.now, Actor: "test", RequestID: "req_1", NewID: w.newID, Policy: w.policy}
}

func (w *world) pass(d time.Duration) *world {
	w.now = w.now.Add(d)
	return w
}

// try runs one decision as the store does: on a fresh copy, which is kept only when nothing was refused.
func (w *world) try(decide func(*order.Order, order.Act) error) error {
	w.t.Helper()
	o, act := w.load(), w.act()
	if err := decide(o, act); err != nil {
		require.NotNil(w.t, fault.As(err), "refusals are faults: %v", err)
		return err
	}
	w.save(o, act)
	return nil
}

// do runs a decision that cannot be refused.
func (w *world) do(decide func(*order.Order, order.Act)) {
	w.t.Helper()
	require.NoError(w.t, w.try(func(o *order.Order, act order.Act) error { decide(o, act); return nil }))
}

// load reads the order back.
func (w *world) load() *order.Order {
	var o order.Order
	require.NoError(w.t, json.Unmarshal(w.stored, &o))
	return &o
}

// listed puts an order's children into the order in which the store lists them.
func listed(o *order.Order) *order.Order {
	slices.SortStableFunc(o.Operations, func(a, b order.Operation) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
	})
	for _, f := range o.Fulfillments {
		slices.SortFunc(f.Lines, func(a, b order.FulfillmentLine) int {
			return cmp.Or(cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.FirstUnit, b.FirstUnit))
		})
	}
	for _, s := range o.Shipments {
		slices.SortFunc(s.Lines, func(a, b order.ShipmentLine) int {
			return cmp.Or(cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.FirstUnit, b.FirstUnit))
		})
	}
	slices.SortStableFunc(o.ShortPicks, func(a, b order.ShortPick) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	slices.SortStableFunc(o.Credits, func(a, b order.Credit) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, f := range o.Refunds {
		slices.SortFunc(f.Lines, func(a, b order.RefundLine) int { return cmp.Compare(a.LineID, b.LineID) })
	}
	for _, r := range o.Returns {
		slices.SortFunc(r.Lines, func(a, b order.ReturnLine) int {
			return cmp.Or(cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.FirstUnit, b.FirstUnit))
		})
	}
	return o
}

func (w *world) save(o *order.Order, act order.Act) {
	w.t.Helper()
	e := o.Effects()
	if w.o != nil && len(e.Events)+len(e.Scans)+len(e.Movements)+len(e.Entries) == 0 && bytes.Equal(encode(w.t, o), w.stored) {
		return
	}
	o.Version++
	o.Project(act)
	e = o.Effects()
	w.events = append(w.events, e.Events...)
	for _, event := range e.Events {
		requireCatalogd(w.t, event)
	}
	w.movements = append(w.movements, e.Movements...)
	w.entries = append(w.entries, e.Entries...)
	w.scans = append(w.scans, e.Scans...)
	w.calls = append(w.calls, e.WakeReturns...)
	if e.Wake {
		w.woken++
	}
	for _, m := range e.Movements {
		w.stock.move(w.t, m)
	}
	before := w.o
	w.o = listed(duplicate(w.t, o))
	w.stored = encode(w.t, w.o)
	w.verify(before)
}

func encode(t tb, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	require.NoError(t, err)
	return body
}

func duplicate(t tb, o *order.Order) *order.Order {
	var out order.Order
	require.NoError(t, json.Unmarshal(encode(t, o), &out))
	return &out
}

// due is the key of the first step of this kind that is due.
func (w *world) due(kind any) string {
	w.t.Helper()
	for _, s := range w.o.Steps() {
		if s.Name == fmt.Sprint(kind) {
			return s.Key
		}
	}
	require.FailNow(w.t, "no such step is due", "%s of %v", kind, w.o.Steps())
	return ""
}

func (w *world) steps() []string {
	names := []string{}
	for _, s := range w.o.Steps() {
		names = append(names, s.Name)
	}
	return names
}

// answers lets the gateway answer the first operation of this kind that is due: it does as asked, unless told
// otherwise. It returns the operation's key.
func (w *world) answers(kind payment.Kind, change ...func(*payment.Answer)) string {
	w.t.Helper()
	key := w.due(kind)
	op := w.o.Operation(key)
	a := payment.Answer{Outcome: payment.Succeeded, Reference: "ref/" + key, Amount: op.Amount, Currency: w.o.Currency}
	if kind == payment.Authorize {
		a.CaptureBefore = w.now.Add(7 * 24 * time.Hour)
	}
	for _, f := range change {
		f(&a)
	}
	w.answer(key, a)
	return key
}

func (w *world) answer(key string, a payment.Answer) {
	w.t.Helper()
	w.do(func(o *order.Order, act order.Act) { o.PaymentAnswered(key, a, act) })
}

func refused(code string) func(*payment.Answer) {
	return func(a *payment.Answer) {
		*a = payment.Answer{Outcome: payment.Refused, Reference: a.Reference, Code: code}
	}
}

func amounting(to int64) func(*payment.Answer) {
	return func(a *payment.Answer) { a.Amount = to }
}

// carrierAnswers is to the carrier what answers is to the payment gateway.
func (w *world) carrierAnswers(kind shipping.Kind, change ...func(*shipping.Answer)) string {
	w.t.Helper()
	key := w.due(kind)
	a := shipping.Answer{Outcome: shipping.Succeeded, Reference: "ref/" + key, Carrier: "Sandbox Parcel", TrackingNumber: "SBX1"}
	for _, f := range change {
		f(&a)
	}
	w.carrierAnswer(key, a)
	return key
}

func (w *world) carrierAnswer(key string, a shipping.Answer) {
	w.t.Helper()
	w.do(func(o *order.Order, act order.Act) { o.CarrierAnswered(key, a, act) })
}

func labelRefused(code string) func(*shipping.Answer) {
	return func(a *shipping.Answer) {
		*a = shipping.Answer{Outcome: shipping.Refused, Reference: a.Reference, Code: code}
	}
}

// allocate gives the order what these levels have; without any, what there is; in an empty world, everything.
func (w *world) allocate(levels ...inventory.Grant) *world {
	w.t.Helper()
	if len(levels) == 0 && len(w.stock) == 0 {
		for _, l := range w.o.Lines {
			levels = append(levels, level("nyc", l.SKU, 1_000_000_000))
		}
	}
	w.stock.set(levels...)
	plan := w.plan()
	w.do(func(o *order.Order, act order.Act) { o.Allocate(plan, act) })
	return w
}

func (w *world) plan() inventory.Plan {
	if w.o.AllOrNothing() {
		return inventory.Allocate(w.o.Needs(), w.stock.offer())
	}
	return inventory.AllocateSome(w.o.Needs(), w.stock.offer())
}

func level(location, sku string, units int64) inventory.Grant {
	return inventory.Grant{LocationID: location, SKU: sku, Quantity: units}
}

// accepted places an order that is paid for and allocated.
func accepted(t tb, p order.Placement, levels ...inventory.Grant) *world {
	t.Helper()
	w := place(t, p)
	if p.Total > 0 {
		w.answers(payment.Authorize)
	}
	w.allocate(levels...)
	require.Equal(t, order.Accepted, w.o.Status)
	return w
}

// everything is what is left to pick of a fulfillment order.
func everything(f order.Fulfillment) []order.PickedUnits {
	var units []order.UnitsOf
	for _, l := range f.Lines {
		if left := l.Due() - l.Picked; left > 0 {
			units = append(units, order.UnitsOf{LineID: l.LineID, Quantity: left})
		}
	}
	return picked(units)
}

// picked is units as a picker names them who found them all.
func picked(units []order.UnitsOf) []order.PickedUnits {
	out := make([]order.PickedUnits, len(units))
	for i, u := range units {
		out[i] = order.PickedUnits{LineID: u.LineID, Quantity: u.Quantity}
	}
	return out
}

func (w *world) pick(f int) *world {
	w.t.Helper()
	require.NoError(w.t, w.try(func(o *order.Order, act order.Act) error {
		return o.Pick(o.Fulfillments[f].ID, everything(o.Fulfillments[f]), act)
	}))
	return w
}

// box is a parcel of so many units of each line, by the line's position in the order.
func (w *world) box(units ...int64) order.Parcel {
	p := order.Parcel{WeightGrams: 500}
	for i, n := range units {
		if n > 0 {
			p.Lines = append(p.Lines, order.UnitsOf{LineID: w.o.Lines[i].ID, Quantity: n})
		}
	}
	return p
}

func (w *world) tryPack(f int, boxes ...order.Parcel) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.Pack(o.Fulfillments[f].ID, boxes, act) })
}

// pack packs what is picked of a fulfillment order into these boxes and labels each.
func (w *world) pack(f int, boxes ...order.Parcel) *world {
	w.t.Helper()
	require.NoError(w.t, w.tryPack(f, boxes...))
	for range boxes {
		w.carrierAnswers(shipping.BuyLabel)
	}
	return w
}

func (w *world) tryShip(f int) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.Ship(o.Fulfillments[f].ID, act) })
}

func (w *world) ship(f int) *world {
	w.t.Helper()
	require.NoError(w.t, w.tryShip(f))
	return w
}

// shipped ships every box of the order's first fulfillment order, each captured.
func (w *world) shipped(boxes ...order.Parcel) *world {
	w.t.Helper()
	w.pick(0).pack(0, boxes...).ship(0)
	for range boxes {
		w.answers(payment.Capture)
	}
	return w
}

func (w *world) cancel() error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.CancelWhole("changed my mind", act) })
}

func (w *world) pay(token string) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.NewToken("sandbox", token, act) })
}

func (w *world) resume() error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.Resume(act) })
}

// look does what is due by now.
func (w *world) look() *world {
	w.t.Helper()
	w.do(func(o *order.Order, act order.Act) { o.DeadlinePassed(act) })
	require.True(w.t, w.o.Deadline == nil || w.o.Deadline.After(w.now), "a deadline that passing does not clear is looked at for ever")
	return w
}

func (w *world) scan(parcel int, status shipping.Tracking, after time.Duration) *world {
	w.t.Helper()
	require.NoError(w.t, w.try(func(o *order.Order, act order.Act) error {
		return o.Scanned(o.Shipments[parcel].ID, shipping.Scan{Status: status, OccurredAt: morning.Add(after)}, act)
	}))
	return w
}

// code is the code of a refusal.
func code(err error) string {
	if f := fault.As(err); f != nil {
		return f.Code
	}
	return fmt.Sprint(err)
}

// types lists the events since the n-th.
func (w *world) types(since int) []string {
	names := []string{}
	for _, e := range w.events[since:] {
		names = append(names, e.Type)
	}
	return names
}
