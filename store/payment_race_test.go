package store

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

// Two guards stand before each change: the version under which an order is written, and the lock of whoever finds that
// it moved. What has to be taken away before money can go wrong: that, and the constraints behind both.
const (
	unmoved = iota
	locked
	withoutLock
	withoutGuards
	withoutConstraints
)

var dropMoneyConstraints = []string{
	`DROP INDEX shipments_shipping_charged_once`,
	`DROP INDEX operations_one_live_per_shipment`,
	`ALTER TABLE payments DROP CONSTRAINT payments_captures_within_authorized`,
}

// moneyRace brings an order to where two locations have a labeled parcel of it each, and lets several decide on it
// at once: each with a connection of its own, all between their reading and their writing. It returns the order, what
// came of each, and what the ledger says is reserved for captures.
func moneyRace(t *testing.T, protection int, decisions ...func(*order.Order, order.Act) error) (*order.Order, outcomes, int64) {
	t.Helper()
	url := devtest.Database(t)
	s := openURL(t, url)
	o := packed(t, s)
	write := s.Change
	if protection == locked || protection == withoutLock {
		write = s.changeLocked
	}
	if protection >= withoutLock {
		unlock(t)
	}
	if protection >= withoutGuards {
		unversion(t)
	}
	if protection >= withoutConstraints {
		drop(t, s, dropMoneyConstraints...)
	}
	gate := devtest.CloseGate(t, url, "orders")
	done := make(chan outcomes, 1)
	go func() {
		done <- together(len(decisions), func(i int) (*order.Order, error) {
			a := act()
			return write(context.Background(), o.ID, nil, a, func(o *order.Order) error { return decisions[i](o, a) })
		})
	}()
	if protection == locked {
		wait(t, gate, 1, len(decisions)-1)
	} else {
		wait(t, gate, len(decisions), 0)
	}
	gate.Open()
	got := <-done
	o, err := s.Order(t.Context(), o.ID)
	require.NoError(t, err)
	var reserved int64
	require.NoError(t, s.db.GetContext(t.Context(), &reserved, `SELECT COALESCE(sum(amount), 0) FROM money_ledger WHERE account = 'capturing'`))
	return o, got, reserved
}

// packed is an order of two units, one parcel from each of two locations, labeled.
func packed(t *testing.T, s *Store) *order.Order {
	t.Helper()
	stock(t, s, "east", "TEE-M", 1)
	stock(t, s, "west", "TEE-M", 1)
	o := place(t, s, placement("1001"))
	change(t, s, o.ID, answer)
	o, err := s.Allocate(t.Context(), o.ID, act())
	require.NoError(t, err)
	require.Len(t, o.Fulfillments, 2)
	for _, f := range o.Fulfillments {
		units := []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: 1}}
		change(t, s, o.ID, func(o *order.Order, a order.Act) error { return o.Pick(f.ID, picked(units), a) })
		change(t, s, o.ID, func(o *order.Order, a order.Act) error {
			return o.Pack(f.ID, []order.Parcel{{WeightGrams: 300, Lines: units}}, a)
		})
	}
	return change(t, s, o.ID, answer)
}

func shipFrom(i int) func(*order.Order, order.Act) error {
	return func(o *order.Order, a order.Act) error { return o.Ship(o.Fulfillments[i].ID, a) }
}

func cancel(o *order.Order, a order.Act) error { return o.CancelWhole("changed my mind", a) }

// asked is what live operations of a kind come to.
func asked(o *order.Order, kind payment.Kind) (sum int64) {
	for _, op := range o.Operations {
		if op.Kind == string(kind) && (op.State.Open() || op.State == payment.Done) {
			sum += op.Amount
		}
	}
	return sum
}

// Two parcels of one payment leave at the same moment: each would charge the shipping.
func TestTwoParcelsOfOnePayment(t *testing.T) {
	const authorized, parcel, shipping = 4828, 2164, 500
	for protection, name := range []string{"both leave, shipping is charged once", "under the lock too", "without the lock the version stops one",
		"without both a constraint stops one", "without constraints too, more is captured than authorized"} {
		t.Run(name, func(t *testing.T) {
			o, got, _ := moneyRace(t, protection, shipFrom(0), shipFrom(1))
			taken := asked(o, payment.Capture)
			switch protection {
			case unmoved, locked:
				require.Equal(t, outcomes{"processing": 2}, got)
				require.EqualValues(t, authorized, taken)
			case withoutLock, withoutGuards:
				require.Equal(t, 1, got["processing"], got)
				require.Len(t, got, 2, "the other got an error")
				require.EqualValues(t, parcel+shipping, taken)
			case withoutConstraints:
				require.Equal(t, outcomes{"processing": 2}, got)
				require.EqualValues(t, authorized+shipping, taken, "the test sees it where nothing prevents it")
			}
		})
	}
}

// The customer cancels while the parcel leaves.
func TestCancelRacingShip(t *testing.T) {
	for protection, name := range []string{"one wins", "under the lock too", "without the lock the version stops one",
		"without both the same money is captured and voided"} {
		t.Run(name, func(t *testing.T) {
			o, got, _ := moneyRace(t, protection, shipFrom(0), cancel)
			taken, voided := asked(o, payment.Capture), asked(o, payment.Void)
			switch protection {
			case unmoved, locked:
				require.Contains(t, []outcomes{{"processing": 1, "being_shipped": 1}, {"cancelled": 1, "fulfillment_cancelled": 1}}, got)
			case withoutLock:
				require.Len(t, got, 2)
				require.Equal(t, 1, got["processing"]+got["cancelled"], got)
			case withoutGuards:
				require.Equal(t, outcomes{"processing": 1, "cancelled": 1}, got)
				require.Positive(t, taken, "the test sees it where nothing prevents it")
				require.Positive(t, voided)
				return
			}
			require.True(t, (taken == 0) != (voided == 0), "captured %d, voided %d", taken, voided)
		})
	}
}

// Somebody presses the button three times.
func TestThreeShipsOfOneParcel(t *testing.T) {
	const worth = 2164 + 500
	for protection, name := range []string{"the money is reserved once", "under the lock too", "without the lock the version stops two",
		"without both it is reserved three times"} {
		t.Run(name, func(t *testing.T) {
			o, got, reserved := moneyRace(t, protection, shipFrom(0), shipFrom(0), shipFrom(0))
			require.EqualValues(t, worth, asked(o, payment.Capture), "there is one key for it, whatever happens")
			require.EqualValues(t, worth, o.Payments[0].Capturing)
			switch protection {
			case unmoved, locked:
				require.Equal(t, outcomes{"processing": 3}, got)
				require.EqualValues(t, worth, reserved)
			case withoutLock:
				require.Equal(t, 1, got["processing"], got)
				require.EqualValues(t, worth, reserved)
			case withoutGuards:
				require.EqualValues(t, 3*worth, reserved, "the test sees it where nothing prevents it")
			}
		})
	}
}

// What is being let go already is let go again, by another decision: there is one void.
func TestLetGoTwice(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := place(t, s, placement("1001"))
	change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		op := o.Operations[0]
		o.PaymentAnswered(op.Key, payment.Answer{Outcome: payment.Succeeded, Reference: "ref", Amount: op.Amount - 1, Currency: "USD"}, a)
		return nil
	})
	o = change(t, s, o.ID, cancel)
	require.Len(t, o.Operations, 2)
	require.EqualValues(t, 4827, asked(o, payment.Void))
	o = change(t, s, o.ID, answer)
	require.True(t, o.Settled)
	require.EqualValues(t, 4827, o.Payments[0].Voided)
}
