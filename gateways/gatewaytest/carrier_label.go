package gatewaytest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/shipping"
)

func labelInUse(err error) bool { return errors.Is(err, shipping.ErrKeyInUse) }

// labelChecks are about labels: what is asked under one key is done once, and has one answer.
func labelChecks() []carrierCheck {
	return []carrierCheck{
		{"policy has limits", nil, carrierPolicyHasLimits},
		{"a label has a name, a number and a cost", []Journey{Delivers}, labelIsComplete},
		{"eight at once under one key buy once", []Journey{Delivers}, concurrentLabel},
		{"each key has a label of its own", []Journey{Delivers}, labelPerKey},
		{"a key with another payload does nothing", []Journey{Delivers, RemembersLabels}, labelKeyReused},
		{"an unknown key is not found", []Journey{Delivers, RemembersLabels}, labelKeyNotFound},
		{"a request that asks for nothing is refused", []Journey{Delivers}, labelNonsenseRefused},
		{"a context that has ended gives an error", []Journey{Delivers}, labelEndedContext},
		{"a refused label stays refused", []Journey{RefusesLabel}, labelRefused},
		{"a label is voided once", []Journey{Delivers}, labelVoidedOnce},
		{"eight at once under one key void once", []Journey{Delivers}, concurrentVoid},
		{"an unknown label cannot be voided", []Journey{Delivers}, unknownLabelNotVoided},
		{"a refused void stays refused", []Journey{RefusesVoid}, voidRefused},
		{"a lost request can be repeated", []Journey{LosesLabelRequest}, losesLabelRequest},
		{"a lost answer is found", []Journey{LosesLabelAnswer}, losesLabelAnswer},
		{"a lost void answer is found", []Journey{LosesLabelVoid}, losesLabelVoid},
		{"an answer that makes no sense is no answer", []Journey{GarblesLabelAnswer}, garblesLabelAnswer},
		{"an error 500 is no answer", []Journey{BreaksOnLabel}, breaksOnLabel},
		{"a key in use is free later", []Journey{LabelKeyInUse}, labelKeyInUseLater},
		{"a slow answer arrives", []Journey{SellsSlowly}, sellsSlowly},
	}
}

func carrierPolicyHasLimits(t *testing.T, c counter) {
	policy := c.Carrier.Policy()
	require.Positive(t, policy.LocalAttempt)
	require.Positive(t, policy.RequestTimeout)
}

func labelIsComplete(t *testing.T, c counter) {
	req := c.buy(Delivers)
	c.stands(t, req, c.succeeds(t, req))
}

// together asks for the same from all callers at once. Some may hear that the key is in use; whoever hears
// more hears the same.
func (c counter) together(t *testing.T, req shipping.Request) shipping.Answer {
	t.Helper()
	results := atOnce(callers, func(int) (shipping.Answer, error) { return c.Carrier.Perform(t.Context(), req) })
	answer := c.succeeds(t, req)
	for _, r := range results {
		if labelInUse(r.err) {
			continue
		}
		require.NoError(t, r.err)
		equal(t, answer, r.answer, "one of several at once")
	}
	c.stands(t, req, answer)
	return answer
}

func concurrentLabel(t *testing.T, c counter) { c.together(t, c.buy(Delivers)) }

func labelPerKey(t *testing.T, c counter) {
	one, other := c.succeeds(t, c.buy(Delivers)), c.succeeds(t, c.buy(Delivers))
	require.NotEqual(t, one.Reference, other.Reference)
	require.NotEqual(t, one.TrackingNumber, other.TrackingNumber)
}

func labelKeyReused(t *testing.T, c counter) {
	req := c.buy(Delivers)
	answer := c.succeeds(t, req)
	for name, change := range map[string]func(*shipping.Request){
		"weight":   func(r *shipping.Request) { r.WeightGrams++ },
		"shipment": func(r *shipping.Request) { r.ShipmentID += "x" },
		"address":  func(r *shipping.Request) { r.To.Line1 += " 2" },
	} {
		other := req
		change(&other)
		_, err := c.perform(t, other)
		require.ErrorIs(t, err, shipping.ErrKeyReused, name)
	}
	c.stands(t, req, answer)
}

func labelKeyNotFound(t *testing.T, c counter) {
	req := c.buy(Delivers)
	_, err := c.find(t, req)
	require.ErrorIs(t, err, shipping.ErrNotFound)
	c.stands(t, req, c.succeeds(t, req))
}

// labelNonsenseRefused: such a request can never succeed, so it has to be refused for good; as an unknown
// outcome it would be asked again for ever.
func labelNonsenseRefused(t *testing.T, c counter) {
	for name, change := range map[string]func(*shipping.Request){
		"zero value":      func(r *shipping.Request) { *r = shipping.Request{} },
		"no key":          func(r *shipping.Request) { r.Key = "" },
		"no kind":         func(r *shipping.Request) { r.Kind = "" },
		"no address":      func(r *shipping.Request) { r.To = shipping.Address{} },
		"negative weight": func(r *shipping.Request) { r.WeightGrams = -1 },
		"void of nothing": func(r *shipping.Request) { r.Kind = shipping.VoidLabel },
	} {
		req := c.buy(Delivers)
		change(&req)
		answer, err := c.perform(t, req)
		require.NoError(t, err, name)
		require.Equal(t, shipping.Refused, answer.Outcome, name)
		require.NotEmpty(t, answer.Code, name)
		require.Zero(t, answer.Cost, name)
	}
}

func labelEndedContext(t *testing.T, c counter) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req := c.buy(Delivers)
	_, err := ended(t, func() (shipping.Answer, error) { return c.Carrier.Perform(ctx, req) })
	require.ErrorIs(t, err, shipping.ErrUnknown)
	require.ErrorIs(t, err, context.Canceled)
	_, err = ended(t, func() (shipping.Answer, error) { return c.Carrier.Find(ctx, req) })
	require.ErrorIs(t, err, shipping.ErrUnknown)
	_, err = ended(t, func() ([]shipping.Scan, error) { return c.Carrier.Track(ctx, "1") })
	require.ErrorIs(t, err, shipping.ErrUnknown)
	c.stands(t, req, c.succeeds(t, req)) // the key is not spoiled
}

func labelRefused(t *testing.T, c counter) { c.refused(t, c.buy(RefusesLabel)) }

func labelVoidedOnce(t *testing.T, c counter) {
	bought := c.succeeds(t, c.buy(Delivers))
	void := c.void(bought.Reference)
	c.stands(t, void, c.succeeds(t, void))
	c.refused(t, c.void(bought.Reference)) // under another key
}

func concurrentVoid(t *testing.T, c counter) {
	bought := c.succeeds(t, c.buy(Delivers))
	c.together(t, c.void(bought.Reference))
	c.refused(t, c.void(bought.Reference))
}

func unknownLabelNotVoided(t *testing.T, c counter) { c.refused(t, c.void("no-such-label")) }

func voidRefused(t *testing.T, c counter) {
	bought := c.succeeds(t, c.buy(RefusesVoid))
	c.refused(t, c.void(bought.Reference))
	c.refused(t, c.void(bought.Reference))
}

func losesLabelRequest(t *testing.T, c counter) {
	req := c.buy(LosesLabelRequest)
	c.unknown(t, req)
	_, err := c.find(t, req)
	require.ErrorIs(t, err, shipping.ErrNotFound)
	c.stands(t, req, c.succeeds(t, req))
}

// lostAnswer loses an answer: the look-up gives it, and the repeat gives the same.
func (c counter) lostAnswer(t *testing.T, req shipping.Request) {
	t.Helper()
	c.unknown(t, req)
	found, err := c.find(t, req)
	require.NoError(t, err)
	equal(t, c.succeeds(t, req), found, "the look-up and the repeat")
	c.stands(t, req, found)
}

func losesLabelAnswer(t *testing.T, c counter) { c.lostAnswer(t, c.buy(LosesLabelAnswer)) }

func losesLabelVoid(t *testing.T, c counter) {
	bought := c.succeeds(t, c.buy(LosesLabelVoid))
	c.lostAnswer(t, c.void(bought.Reference))
	second := c.void(bought.Reference)
	_, err := settled(t, func() (shipping.Answer, error) { return c.Carrier.Perform(t.Context(), second) },
		func(err error) bool { return labelInUse(err) || errors.Is(err, shipping.ErrUnknown) }) // it may get lost too
	require.NoError(t, err)
	c.refused(t, second)
}

// garblesLabelAnswer and breaksOnLabel leave open whether a label was bought; asked again, there is one.
func garblesLabelAnswer(t *testing.T, c counter) { c.openThenDone(t, c.buy(GarblesLabelAnswer)) }

func breaksOnLabel(t *testing.T, c counter) { c.openThenDone(t, c.buy(BreaksOnLabel)) }

func (c counter) openThenDone(t *testing.T, req shipping.Request) {
	t.Helper()
	c.unknown(t, req)
	c.stands(t, req, c.succeeds(t, req))
}

func labelKeyInUseLater(t *testing.T, c counter) {
	req := c.buy(LabelKeyInUse)
	_, err := c.Carrier.Perform(t.Context(), req)
	require.ErrorIs(t, err, shipping.ErrKeyInUse)
	c.stands(t, req, c.succeeds(t, req))
}

func sellsSlowly(t *testing.T, c counter) {
	req := c.buy(SellsSlowly)
	c.stands(t, req, c.succeeds(t, req))
}
