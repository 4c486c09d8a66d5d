package gatewaytest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/shipping"
)

// CarrierGateway is what an adapter of a carrier offers.
type CarrierGateway interface {
	Perform(ctx context.Context, req shipping.Request) (shipping.Answer, error)
	Find(ctx context.Context, req shipping.Request) (shipping.Answer, error)
	Track(ctx context.Context, trackingNumber string) ([]shipping.Scan, error)
	Policy() shipping.Policy
}

// Journey is something that can happen to a label or its parcel. For most of them a test ships to an address
// that brings it about; the abilities at the end have none.
type Journey string

const (
	Delivers           Journey = "delivers"             // the label works, the parcel arrives
	RefusesLabel       Journey = "refuses label"        // no label for this address
	LosesLabelRequest  Journey = "loses label request"  // the first request does nothing and has no answer
	LosesLabelAnswer   Journey = "loses label answer"   // the first request buys and has no answer
	GarblesLabelAnswer Journey = "garbles label answer" // the first answer makes no sense
	BreaksOnLabel      Journey = "breaks on label"      // the first request is answered by an error 500
	LabelKeyInUse      Journey = "label key in use"     // for a while the key counts as being worked on
	SellsSlowly        Journey = "sells slowly"         // and in time for RequestTimeout
	RefusesVoid        Journey = "refuses void"         // the label works and cannot be voided
	LosesLabelVoid     Journey = "loses label void"     // the first void is done and has no answer
	ArrivesLate        Journey = "arrives late"         // delayed, then delivered
	FailsDeliveryOnce  Journey = "fails delivery once"  // then delivered
	WaitsForPickup     Journey = "waits for pickup"     // then delivered
	GoesBack           Journey = "goes back"            // returned to its sender
	GetsLost           Journey = "gets lost"            // declared lost
	RemembersLabels    Journey = "remembers labels"     // ability: knows which keys it has seen, and their payloads
)

func journeys() []Journey {
	return []Journey{Delivers, RefusesLabel, LosesLabelRequest, LosesLabelAnswer, GarblesLabelAnswer, BreaksOnLabel,
		LabelKeyInUse, SellsSlowly, RefusesVoid, LosesLabelVoid, ArrivesLate, FailsDeliveryOnce, WaitsForPickup,
		GoesBack, GetsLost, RemembersLabels}
}

// CarrierUnderTest is an adapter, and how to bring every journey about.
type CarrierUnderTest struct {
	Carrier CarrierGateway
	Service string                       // a service that the carrier has
	To      map[Journey]shipping.Address // the address for each journey; for an ability, anything
	Absent  map[Journey]string           // why a journey cannot be brought about in a test

	// Arrive lets all the time pass that parcels need, so that every scan has been made.
	Arrive func()
}

// Carrier runs the contract. fresh is called once for each check, and once more to read the declaration.
// Hanging requests have to end by the adapter's own limit, which a test wants to be short.
func Carrier(t *testing.T, fresh func(*testing.T) CarrierUnderTest) {
	declared := fresh(t)
	require.Empty(t, undeclared(journeys(), declared.To, declared.Absent))
	require.NotEmpty(t, declared.Service)
	require.NotNil(t, declared.Arrive)
	checks := append(labelChecks(), trackingChecks()...)
	runAll(t, checks, declared.Absent, func(t *testing.T) counter { return counter{fresh(t)} })
}

type carrierCheck = check[Journey, counter]

// counter is an adapter with the requests that checks are made of.
type counter struct{ CarrierUnderTest }

func (c counter) buy(journey Journey) shipping.Request {
	return shipping.Request{Key: newKey("label"), Kind: shipping.BuyLabel, OrderID: "order-1", ShipmentID: "shipment-1",
		Service: c.Service, WeightGrams: 1250, To: c.To[journey]}
}

func (c counter) void(label string) shipping.Request {
	return shipping.Request{Key: newKey("void"), Kind: shipping.VoidLabel, OrderID: "order-1", ShipmentID: "shipment-1",
		Label: label}
}

// perform asks, and asks again while the key is in use.
func (c counter) perform(t *testing.T, req shipping.Request) (shipping.Answer, error) {
	t.Helper()
	return settled(t, func() (shipping.Answer, error) { return c.Carrier.Perform(t.Context(), req) }, labelInUse)
}

// find looks up, and looks again while the key is in use.
func (c counter) find(t *testing.T, req shipping.Request) (shipping.Answer, error) {
	t.Helper()
	return settled(t, func() (shipping.Answer, error) { return c.Carrier.Find(t.Context(), req) }, labelInUse)
}

// succeeds performs a request that has to succeed.
func (c counter) succeeds(t *testing.T, req shipping.Request) shipping.Answer {
	t.Helper()
	answer, err := c.perform(t, req)
	require.NoError(t, err, "%s", req.Kind)
	require.Equal(t, shipping.Succeeded, answer.Outcome, "%s: %s %s", req.Kind, answer.Code, answer.Detail)
	require.NotEmpty(t, answer.Reference, "%s", req.Kind)
	if req.Kind == shipping.BuyLabel {
		require.NotEmpty(t, answer.Carrier)
		require.NotEmpty(t, answer.TrackingNumber)
		require.Positive(t, answer.Cost)
		require.Len(t, answer.Currency, 3)
	}
	return answer
}

// refused performs a request that has to be refused, now, when it is asked again, and when it is looked up.
func (c counter) refused(t *testing.T, req shipping.Request) {
	t.Helper()
	answer, err := c.perform(t, req)
	require.NoError(t, err, "%s", req.Kind)
	require.Equal(t, shipping.Refused, answer.Outcome, "%s", req.Kind)
	require.NotEmpty(t, answer.Code, "%s", req.Kind)
	require.Empty(t, answer.TrackingNumber, "%s", req.Kind)
	c.stands(t, req, answer)
}

// stands requires that answer is the last word under the request's key.
func (c counter) stands(t *testing.T, req shipping.Request, answer shipping.Answer) {
	t.Helper()
	again, err := c.perform(t, req)
	require.NoError(t, err, "%s again", req.Kind)
	equal(t, answer, again, string(req.Kind)+" again")
	found, err := c.find(t, req)
	require.NoError(t, err, "%s looked up", req.Kind)
	equal(t, answer, found, string(req.Kind)+" looked up")
}

// unknown performs a request whose outcome has to stay open.
func (c counter) unknown(t *testing.T, req shipping.Request) {
	t.Helper()
	answer, err := c.Carrier.Perform(t.Context(), req)
	require.ErrorIs(t, err, shipping.ErrUnknown, "%s", req.Kind)
	require.Zero(t, answer, "%s", req.Kind)
}
