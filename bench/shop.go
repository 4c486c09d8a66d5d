package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

const (
	warehouse = "bench"
	// stockUnits is more than any run takes of a good, and within what a receipt may bring.
	stockUnits = 1_000_000
	// lookEvery is how often an order is looked at that was not decided at once.
	lookEvery = 50 * time.Millisecond
	// wait is how long an order may take for what usually comes with an answer.
	waitMax = time.Minute
)

// goods are what is sold. Every order is of one unit of each of the first one, two or three.
var goods = []string{"BENCH-1", "BENCH-2", "BENCH-3"}

// LinesMax is how many lines an order may have.
const LinesMax = 3

// shop plays checkout, warehouse and carrier of plain orders: nothing goes wrong with them.
type shop struct {
	api    *client.ClientWithResponses
	code   string // of the run: its orders' names begin with it
	lines  int    // of each order
	number atomic.Int64
}

// open makes the warehouse and its stock.
func (s *shop) open(ctx context.Context) error {
	t := newTally()
	if _, err := ask(ctx, t, "location", func() (*client.PutLocationResponse, error) {
		return s.api.PutLocationWithResponse(ctx, warehouse, client.LocationRequest{Name: "Bench", Country: "US", Priority: 1})
	}); err != nil {
		return err
	}
	var lines []client.ReceiptLine
	for _, sku := range goods {
		lines = append(lines, client.ReceiptLine{SKU: sku, Quantity: stockUnits})
	}
	_, err := ask(ctx, t, "receipt", func() (*client.ReceiveStockResponse, error) {
		return s.api.ReceiveStockWithResponse(ctx, &client.ReceiveStockParams{IdempotencyKey: s.code + "/stock"},
			client.ReceiptRequest{Location: warehouse, Lines: lines})
	})
	return err
}

// request is an order as a checkout sends it.
func (s *shop) request(externalID string) client.OrderRequest {
	r := client.OrderRequest{ExternalID: externalID, Channel: "bench", Currency: "USD",
		Customer: client.Customer{ID: "bench-customer", Name: "Bench Customer", Email: "bench-customer@example.com"},
		ShipTo: client.Address{Name: "Bench Customer", Line1: "548 Market St", City: "San Francisco", Region: "CA", PostalCode: "94107",
			Country: "US"},
		Shipping: client.OrderRequestShipping{Service: "standard", Amount: 500},
		Payment:  client.PaymentRequest{Gateway: "sandbox", Token: "tok_ok"}, Total: 500}
	for _, sku := range goods[:s.lines] {
		r.Lines = append(r.Lines, client.OrderRequestLine{SKU: sku, Quantity: 1, UnitPrice: 1999, Tax: 165})
		r.Total += 1999 + 165
	}
	return r
}

// play takes one order from its placing to its delivery. Everything is sent as soon as it is possible.
func (s *shop) play(ctx context.Context, t *tally) (err error) {
	p := &play{shop: s, tally: t, name: fmt.Sprintf("%s-%d", s.code, s.number.Add(1))}
	began := time.Now()
	for _, step := range []func(context.Context) error{p.place, p.pick, p.pack, p.ship, p.carry} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("order %s: %w", p.name, err)
		}
	}
	t.completed(p.order.ID, time.Since(began))
	return nil
}

// cancelled takes one order from its placing to its cancellation.
func (s *shop) cancelled(ctx context.Context, t *tally) error {
	p := &play{shop: s, tally: t, name: fmt.Sprintf("%s-%d", s.code, s.number.Add(1))}
	if err := p.place(ctx); err != nil {
		return err
	}
	_, err := ask(ctx, t, "cancel", func() (*client.CancelOrderResponse, error) {
		return p.api.CancelOrderWithResponse(ctx, p.order.ID, &client.CancelOrderParams{IdempotencyKey: p.name + "/cancel"}, client.CancelRequest{})
	})
	return err
}

// play is one order on its way.
type play struct {
	*shop
	*tally
	name  string
	order *client.Order
}

func (p *play) place(ctx context.Context) error {
	request := p.request(p.name)
	r, err := ask(ctx, p.tally, "place", func() (*client.PlaceOrderResponse, error) {
		return p.api.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: p.name + "/place"}, request)
	})
	if err != nil {
		return err
	}
	switch {
	case r.JSON201 != nil:
		p.order = r.JSON201
	case r.JSON202 != nil:
		p.count("place: 202 decided later")
		p.order = r.JSON202
	default:
		return errors.New("place: the order was there before")
	}
	return p.until(ctx, "accepted", func() bool { return len(p.order.Fulfillments) == 1 })
}

// until looks at the order until it is as it has to be. Most often it is already.
func (p *play) until(ctx context.Context, what string, is func() bool) error {
	for began := time.Now(); !is(); {
		if time.Since(began) > waitMax {
			return fmt.Errorf("not %s within %s: %s", what, waitMax, p.order.Status)
		}
		if err := client.Pause(ctx, lookEvery); err != nil {
			return err
		}
		r, err := ask(ctx, p.tally, "look", func() (*client.GetOrderResponse, error) { return p.api.GetOrderWithResponse(ctx, p.order.ID) })
		if err != nil {
			return err
		}
		p.order = r.JSON200
	}
	return nil
}

func (p *play) pick(ctx context.Context) error {
	f := p.order.Fulfillments[0]
	var lines []client.PickedLine
	for _, l := range f.Lines {
		lines = append(lines, client.PickedLine{LineID: l.LineID, Quantity: l.Quantity})
	}
	_, err := ask(ctx, p.tally, "pick", func() (*client.PickFulfillmentResponse, error) {
		return p.api.PickFulfillmentWithResponse(ctx, f.ID, &client.PickFulfillmentParams{IdempotencyKey: p.name + "/pick"},
			client.PickRequest{Lines: lines})
	})
	return err
}

func (p *play) pack(ctx context.Context) error {
	f := p.order.Fulfillments[0]
	var lines []client.LineQuantity
	for _, l := range f.Lines {
		lines = append(lines, client.LineQuantity{LineID: l.LineID, Quantity: l.Quantity})
	}
	r, err := ask(ctx, p.tally, "pack", func() (*client.PackFulfillmentResponse, error) {
		return p.api.PackFulfillmentWithResponse(ctx, f.ID, &client.PackFulfillmentParams{IdempotencyKey: p.name + "/pack"},
			client.PackRequest{Parcels: []client.Parcel{{WeightGrams: 500, Lines: lines}}})
	})
	if err != nil {
		return err
	}
	p.order.Shipments = cmp.Or(r.JSON200, r.JSON202).Shipments
	return p.until(ctx, "labeled", func() bool { return p.parcel() == client.ShipmentStatusLabeled })
}

func (p *play) ship(ctx context.Context) error {
	r, err := ask(ctx, p.tally, "ship", func() (*client.ShipFulfillmentResponse, error) {
		return p.api.ShipFulfillmentWithResponse(ctx, p.order.Fulfillments[0].ID, &client.ShipFulfillmentParams{IdempotencyKey: p.name + "/ship"}, struct{}{})
	})
	if err != nil {
		return err
	}
	p.order.Shipments = cmp.Or(r.JSON200, r.JSON202).Shipments
	return p.until(ctx, "shipped", func() bool { return p.parcel() == client.ShipmentStatusShipped })
}

func (p *play) parcel() client.ShipmentStatus {
	if len(p.order.Shipments) != 1 {
		return ""
	}
	return p.order.Shipments[0].Status
}

// carry scans the parcel until it is delivered, which completes the order.
func (p *play) carry(ctx context.Context) error {
	for _, status := range []client.TrackingStatus{client.TrackingStatusPickedUp, client.TrackingStatusInTransit,
		client.TrackingStatusOutForDelivery, client.TrackingStatusDelivered} {
		scanned := client.TrackingRequest{Status: status, OccurredAt: time.Now().UTC()}
		if _, err := ask(ctx, p.tally, "scan", func() (*client.RecordTrackingResponse, error) {
			return p.api.RecordTrackingWithResponse(ctx, p.order.Shipments[0].ID,
				&client.RecordTrackingParams{IdempotencyKey: p.name + "/" + string(status)}, scanned)
		}); err != nil {
			return err
		}
	}
	return nil
}
