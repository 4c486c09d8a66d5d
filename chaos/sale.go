//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// sale is a good of which there is less than people want, at the same time: exactly as many get it as there is.
type sale struct {
	api    *client.ClientWithResponses
	code   string
	units  int
	buyers int

	mu              sync.Mutex
	sold, turned    int
	others, unheard []string // answers that nobody should get, and buyers who never got one
}

const (
	saleLocation = "chaos-sale"
	salePrice    = 1999
	saleAtOnce   = 8
)

// hold puts the good on sale and sends all buyers.
func (s *sale) hold(ctx context.Context) {
	if err := s.open(ctx); err != nil {
		s.others = append(s.others, "before the sale: "+err.Error())
		return
	}
	var buying sync.WaitGroup
	places := make(chan struct{}, saleAtOnce)
	for n := range s.buyers {
		places <- struct{}{}
		buying.Go(func() {
			defer func() { <-places }()
			s.buy(ctx, n)
		})
	}
	buying.Wait()
}

func (s *sale) open(ctx context.Context) error {
	location := client.LocationRequest{Name: "Sale", Country: "US", Priority: 1}
	goods := client.ReceiptRequest{Location: saleLocation, Lines: []client.ReceiptLine{{SKU: s.sku(), Quantity: int64(s.units)}}}
	err := s.persist(ctx, func() error {
		_, err := s.api.PutLocationWithResponse(ctx, saleLocation, location)
		return err
	})
	if err != nil {
		return err
	}
	return s.persist(ctx, func() error {
		_, err := s.api.ReceiveStockWithResponse(ctx, &client.ReceiveStockParams{IdempotencyKey: s.code + "/stock"}, goods)
		return err
	})
}

func (s *sale) sku() string { return "HOT-" + s.code }

// buy orders one unit, and asks until there is a decision.
func (s *sale) buy(ctx context.Context, n int) {
	request := client.OrderRequest{ExternalID: fmt.Sprintf("%s-%d", s.code, n), Channel: "web", Currency: "USD",
		Customer: client.Customer{ID: "c-1", Name: "Ada Example", Email: "ada@example.com"},
		ShipTo:   client.Address{Name: "Ada Example", Line1: "1 Test Street", City: "Testville", Region: "CA", PostalCode: "94107", Country: "US"},
		Lines:    []client.OrderRequestLine{{SKU: s.sku(), Quantity: 1, UnitPrice: salePrice}},
		Shipping: client.OrderRequestShipping{Service: "standard"},
		Payment:  client.PaymentRequest{Gateway: "sandbox", Token: "tok_ok"}, Total: salePrice}
	err := s.persist(ctx, func() error {
		r, err := s.api.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: request.ExternalID}, request)
		if err == nil && r.JSON202 != nil {
			return errUndecided
		}
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.sold++
	case client.CodeOf(err) == "out_of_stock":
		s.turned++
	case client.CodeOf(err) != "":
		s.others = append(s.others, err.Error())
	default:
		s.unheard = append(s.unheard, request.ExternalID)
	}
}

var errUndecided = errors.New("it is stored and not decided")

// persist tries again until there is an answer that stays, or until ctx ends.
func (s *sale) persist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if _, again := client.Again(err); !again || client.Pause(ctx, 500*time.Millisecond) != nil {
			return err
		}
	}
}

// wrong says what did not go as it has to.
func (s *sale) wrong() (list []string) {
	for _, answer := range s.others {
		list = append(list, "somebody was answered: "+answer)
	}
	for _, buyer := range s.unheard {
		list = append(list, buyer+" never heard what became of the order")
	}
	if want := min(s.units, s.buyers); len(list) == 0 && s.sold != want {
		list = append(list, fmt.Sprintf("%d units were there for %d buyers, and %d were sold", s.units, s.buyers, s.sold))
	}
	return list
}
