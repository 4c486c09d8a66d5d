package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func TestPlainOrder(t *testing.T) {
	a := start(t)
	o := a.place(placement("1001", "tok_ok"))
	require.Equal(t, order.Accepted, o.Status)
	require.NoError(t, a.pick(o))
	require.NoError(t, a.pack(o))
	require.NoError(t, a.ship(o))
	o = a.order(o.ID)
	require.Equal(t, "shipped", o.FulfillmentAxis)
	require.Equal(t, "paid", o.PaymentAxis)
	for _, s := range []shipping.Tracking{shipping.PickedUp, shipping.InTransit, shipping.OutForDelivery, shipping.Delivered} {
		a.scan(o, s)
	}
	o = a.settled(o.ID)
	require.Equal(t, order.Completed, o.Status)
	require.Equal(t, "delivered", o.FulfillmentAxis)
	require.NoError(t, a.client.GetWorkflow(t.Context(), "order/"+o.ID, "").Get(t.Context(), nil))
}
