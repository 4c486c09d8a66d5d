package store

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func TestMain(m *testing.M) {
	childMain()
	devtest.Migrate = Migrate
	os.Exit(devtest.Run(m))
}

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.Context(), devtest.Database(t), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func act() order.Act {
	return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "test", RequestID: "req_test", NewID: id.New, Policy: order.DefaultPolicy()}
}

// placement is a two-unit order of TEE-M for 48.28 USD.
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

func stock(t testing.TB, s *Store, location, sku string, quantity int64) {
	t.Helper()
	_, err := s.PutLocation(t.Context(), Location{ID: location, Name: location, Country: "US", Priority: 1}, act())
	require.NoError(t, err)
	require.NoError(t, s.ChangeStock(t.Context(), &Command{Key: id.New("rcp"), Name: "receipt", Subject: location},
		inventory.Receipt, location, []StockChange{{sku, quantity}}, "", act()))
}

func place(t testing.TB, s *Store, p order.Placement) *order.Order {
	t.Helper()
	require.NoError(t, p.Validate("sandbox"))
	o, fresh, err := s.Place(t.Context(), p, id.New(id.Order), "key-"+p.ExternalID, act())
	require.NoError(t, err)
	require.True(t, fresh)
	return o
}

// change runs a decision the way the activities do.
func change(t testing.TB, s *Store, orderID string, decide func(*order.Order, order.Act) error) *order.Order {
	t.Helper()
	a := act()
	o, err := s.Change(context.Background(), orderID, nil, a, func(o *order.Order) error { return decide(o, a) })
	require.NoError(t, err)
	return o
}

// picked is units that a picker found.
func picked(units []order.UnitsOf) []order.PickedUnits {
	var found []order.PickedUnits
	for _, u := range units {
		found = append(found, order.PickedUnits{LineID: u.LineID, Quantity: u.Quantity})
	}
	return found
}

// answer settles every open operation the way a gateway and a carrier that always say yes would.
func answer(o *order.Order, a order.Act) error {
	for _, op := range append([]order.Operation(nil), o.Operations...) {
		if !op.State.Open() {
			continue
		}
		if op.PaymentID != "" {
			r := o.PaymentRequest(op)
			o.PaymentAnswered(op.Key, payment.Answer{Outcome: payment.Succeeded, Reference: "ref", Amount: r.Amount, Currency: r.Currency}, a)
		} else {
			o.CarrierAnswered(op.Key, shipping.Answer{Outcome: shipping.Succeeded, Reference: "lbl", Carrier: "SBX", TrackingNumber: "SBX1"}, a)
		}
	}
	return nil
}
