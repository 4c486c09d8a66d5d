package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

// tired is a gateway that answers nothing but its error.
type tired struct{ err error }

func (g *tired) Perform(context.Context, payment.Request) (payment.Answer, error) {
	return payment.Answer{}, g.err
}
func (g *tired) Find(context.Context, payment.Request) (payment.Answer, error) {
	return payment.Answer{}, g.err
}
func (g *tired) Policy() payment.Policy {
	return payment.Policy{LocalAttempt: time.Second, RequestTimeout: time.Second}
}

// A gateway that left us in doubt and then only says "slow down" does not keep the doubt to itself.
func TestPutOffForLong(t *testing.T) {
	db := open(t)
	w := newWorld(t, db)
	w.ago(time.Hour)
	o := w.place(placement("tired"))
	gateway := &tired{payment.ErrUnknown}
	acts := &activities.Activities{Orders: w.store, Payments: map[string]activities.PaymentGateway{"sandbox": gateway}, Policy: order.DefaultPolicy(), NewID: id.New}
	env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
	env.RegisterActivity(acts)
	step := activities.Step{On: activities.On{OrderID: o.ID, At: w.clock}, Key: o.Operations[0].Key}
	_, err := env.ExecuteActivity(acts.Authorize, step) // sent, the answer lost
	require.Error(t, err)
	gateway.err = &payment.RateLimited{RetryAfter: time.Minute}
	for step.At.Before(time.Now()) { // and from then on told to slow down, for an hour
		step.At = step.At.Add(time.Minute)
		_, err = env.ExecuteActivity(acts.Authorize, step)
		require.Error(t, err)
	}
	w.hear()
	w.publish()
	require.Empty(t, violated(db.verify()))
	stored, err := w.store.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, order.AttentionGatewayUnknown, stored.AttentionCode)
}
