package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func TestFacts(t *testing.T) {
	w := accepted(t, readme())
	f := w.o.Facts()
	require.Equal(t, w.o.ID, f.OrderID)
	require.Equal(t, w.o.Version, f.Version)
	require.Equal(t, order.Accepted, f.Status)
	require.Equal(t, order.DecisionAccept, f.Decision)
	require.Equal(t, []string{"nyc"}, f.Locations)
	require.Equal(t, w.o.Deadline, f.Deadline)
	require.Equal(t, order.WaitingWarehouse, f.WaitingFor)
	require.False(t, f.Settled)
	require.Empty(t, f.Steps)
	require.Equal(t, "authorization of payment 1 lapses", f.DeadlineFor)
}

func TestStepsSayWhatTheyDo(t *testing.T) {
	w := place(t, readme())
	require.Equal(t, []order.Step{{Name: "authorize", Key: "authorize/" + w.o.Payments[0].ID, Summary: "authorize 48.28 USD on sandbox"}}, w.o.Steps())
	w.answers(payment.Authorize)
	require.Equal(t, []order.Step{{Name: "allocate", Key: "allocate/" + w.o.ID, Summary: "allocate stock for 1 line"}}, w.o.Steps())
	w.allocate().pick(0).pack(0, w.box(2)).ship(0)
	require.Equal(t, "capture 48.28 USD on sandbox for parcel 1", w.o.Steps()[0].Summary)
	w.answers(payment.Capture, refused("no"))
	require.NoError(t, w.cancel())
	require.Equal(t, "void the label for parcel 1", w.o.Steps()[len(w.o.Steps())-1].Summary)
}

// What is sent for an operation: the keys by which a gateway knows it, and the customer's data only where it is needed.
func TestRequests(t *testing.T) {
	w := accepted(t, readme())
	p := w.o.Payments[0]
	require.Equal(t, payment.Request{Key: "authorize/" + p.ID, Kind: payment.Authorize, OrderID: w.o.ID, Amount: 4828, Currency: "USD",
		Token: canary + "_tok", Authorization: p.Reference}, w.o.PaymentRequest(w.o.Operations[0]))
	w.pick(0)
	require.NoError(t, w.tryPack(0, w.box(2)))
	s := w.o.Shipments[0]
	require.Equal(t, shipping.Request{Key: "label/" + s.ID, Kind: shipping.BuyLabel, OrderID: w.o.ID, ShipmentID: s.ID, Service: "standard",
		WeightGrams: 500, To: w.o.ShipTo}, w.o.CarrierRequest(*w.o.Operation("label/" + s.ID)))
	w.carrierAnswers(shipping.BuyLabel)
	require.NoError(t, w.cancel())
	require.Equal(t, "ref/label/"+s.ID, w.o.CarrierRequest(*w.o.Operation("void_label/" + s.ID)).Label)
}

// A deadline is the next time at which something happens by itself, whatever else is waited for.
func TestDeadlines(t *testing.T) {
	w := accepted(t, readme())
	lapse := morning.Add(7 * 24 * time.Hour)
	require.Equal(t, lapse, *w.o.Deadline)
	w.pick(0).pack(0, w.box(1), w.box(1)).ship(0)
	require.Nil(t, w.o.Deadline, "while a capture is under way the hold is not written off")
	w.answers(payment.Capture)
	require.Nil(t, w.o.Deadline)
	w.answers(payment.Capture, refused("no"))
	require.Equal(t, lapse, *w.o.Deadline)
	w.ship(0)
	w.answers(payment.Capture)
	require.Nil(t, w.o.Deadline, "everything is captured")
}

// What is being captured, or is on its way to be let go, has no deadline: nothing would clear it.
func TestNoDeadlineThatPassingWouldNotClear(t *testing.T) {
	w := accepted(t, tees(2))
	w.pick(0).pack(0, w.box(1)).ship(0)
	require.EqualValues(t, 1000, w.o.Payments[0].Open())
	require.Nil(t, w.o.Deadline)
	w.answers(payment.Capture, refused("capture_refused"))
	require.NoError(t, w.pay("tok_2"))
	w.pass(time.Hour)
	w.answers(payment.Authorize)
	require.Equal(t, w.now.Add(7*24*time.Hour), *w.o.Deadline, "of the payment that counts")
}

func TestWaitingForTheMostPressing(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	require.NoError(t, w.tryPack(0, w.box(2)))
	require.Equal(t, order.WaitingGateway, w.o.WaitingFor, "a machine first")
	w.carrierAnswers(shipping.BuyLabel, labelRefused("address_rejected"))
	require.Equal(t, order.WaitingOperator, w.o.WaitingFor)
	require.NoError(t, w.cancel())
	require.Equal(t, order.WaitingGateway, w.o.WaitingFor, "also after the end")
	w.settle()
	require.Equal(t, order.WaitingNothing, w.o.WaitingFor)
}

func TestAxesFollowTheParcels(t *testing.T) {
	w := accepted(t, tees(2))
	require.Equal(t, []string{"authorized", "unfulfilled"}, []string{w.o.PaymentAxis, w.o.FulfillmentAxis})
	w.pick(0).pack(0, w.box(1), w.box(1)).ship(0)
	w.answers(payment.Capture)
	require.Equal(t, []string{"partially_paid", "partially_shipped"}, []string{w.o.PaymentAxis, w.o.FulfillmentAxis})
	w.answers(payment.Capture)
	require.Equal(t, []string{"paid", "shipped"}, []string{w.o.PaymentAxis, w.o.FulfillmentAxis})
}
