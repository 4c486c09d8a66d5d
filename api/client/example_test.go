package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// place places an order for as long as ctx allows. It may be called again after a crash, with the same order: the key
// is made of the order's id, so whatever an earlier call did is found and not done twice.
func place(ctx context.Context, api *client.ClientWithResponses, order client.OrderRequest) (*client.Order, error) {
	params := &client.PlaceOrderParams{IdempotencyKey: "place-" + order.ExternalID}
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		placed, err := api.PlaceOrderWithResponse(ctx, params, order)
		var refusal *client.Error
		switch {
		case err == nil && placed.JSON202 == nil:
			return firstOf(placed.JSON201, placed.JSON200), nil // accepted
		case err == nil: // stored: it cannot be lost any more, and asking again tells the decision
		case errors.As(err, &refusal) && refusal.RetryAfter > 0: // 429 or 503
			pause = max(pause, refusal.RetryAfter)
		case errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError:
			return nil, err // 402, 409 and the like: asking again gives the same answer
		} // everything else, such as no answer at all: nobody knows what became of it
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("order %s: not decided in time: %w", order.ExternalID, ctx.Err())
		}
	}
}

func firstOf(orders ...*client.Order) *client.Order {
	for _, o := range orders {
		if o != nil {
			return o
		}
	}
	return nil
}

func Example() {
	api, err := client.Connect(os.Getenv("API"), os.Getenv("KEY"),
		client.WithHTTPClient(&http.Client{Timeout: 20 * time.Second}))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	order, err := place(ctx, api, client.OrderRequest{
		ExternalID: "1001", Channel: "web", Currency: "USD",
		Customer: client.Customer{ID: "c-17", Name: "Ada Lovelace", Email: "ada@example.com"},
		ShipTo: client.Address{Name: "Ada Lovelace", Line1: "548 Market St", City: "San Francisco",
			Region: "CA", PostalCode: "94107", Country: "US"},
		Lines:    []client.OrderRequestLine{{SKU: "TEE-M", Quantity: 2, UnitPrice: 1999, Tax: 330}},
		Shipping: client.OrderRequestShipping{Service: "standard", Amount: 500},
		Payment:  client.PaymentRequest{Gateway: "sandbox", Token: "tok_ok"},
		Total:    4828, // cents
	})
	var refusal *client.Error
	switch {
	case err == nil:
		fmt.Println("thank you: order", order.ID, "is", order.Status)
	case !errors.As(err, &refusal):
		fmt.Println("we will write to you:", err)
	case refusal.NextAction != nil:
		fmt.Println("your bank wants to see you:", refusal.NextAction.URL)
	case refusal.Status == http.StatusPaymentRequired:
		fmt.Println("another way to pay, please:", refusal.Code, "for order", refusal.OrderID)
	case refusal.Code == "out_of_stock":
		fmt.Println("sold out:", refusal.Shortages)
	default:
		fmt.Println("our mistake:", err)
	}
}
