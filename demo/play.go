package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// play is one order, and everybody who has to do with it.
type play struct {
	*run
	number   int // of the order, within the run
	scenario *Scenario

	request client.OrderRequest
	sells   good    // what its lines begin with
	units   []int64 // of each line
	stock   []int64 // what each warehouse has of the order's own good; nil when it takes the run's goods
	free    bool    // nothing has to be paid

	order *client.Order  // as last seen
	back  *client.Return // as last seen
	only  string         // the fulfillment order that is worked on, when it is one of several
	keys  int            // how many were used
	at    string         // what is being done

	err      error
	failure  *Failure
	cutShort bool
}

// firstNumber makes external ids look like those of a shop that has been there for a while.
const firstNumber = 1001

// newPlay makes the order with a number. It depends on the seed and the number alone, whatever is played beside it.
func (r *run) newPlay(i int) *play {
	random := rand.New(rand.NewPCG(uint64(r.Seed), uint64(i))) //nolint:gosec // nobody's secret
	p := &play{run: r, number: firstNumber + i, scenario: &scenarios[i%len(scenarios)]}
	var m market
	p.request, m = basket(random)
	p.request.ExternalID = p.externalID()
	p.sells, p.units = one(random, goods), []int64{2 + random.Int64N(2)}
	for _, want := range p.scenario.wants {
		want(p)
	}
	for i, units := range p.units {
		g := p.sells
		if i > 0 {
			g = beside(p.sells, i)
		}
		sku := r.sku(g)
		if p.stock != nil {
			sku = p.ownSKU()
		}
		l := line(random, m, g, sku, units)
		if p.free {
			l.UnitPrice, l.Discount, l.Tax, p.request.Shipping.Amount = 0, 0, 0, 0
		}
		p.request.Lines = append(p.request.Lines, l)
	}
	if gross := p.request.Lines[0].UnitPrice; random.IntN(5) == 0 && p.request.PricesIncludeTax {
		p.request.Discount = gross / 10 // a voucher
	}
	foot(&p.request)
	return p
}

// beside is another good of the same warehouse, so that one fulfillment order serves both.
func beside(g good, nth int) good {
	var others []good
	for _, other := range goods {
		if other.warehouse == g.warehouse && other.sku != g.sku {
			others = append(others, other)
		}
	}
	return others[nth%len(others)]
}

func (p *play) externalID() string { return fmt.Sprintf("%s-%d", p.code, p.number) }

// ownSKU is a good that only this order takes: how much there is of it is up to the scenario.
func (p *play) ownSKU() string { return fmt.Sprintf("%s-%d", p.sku(p.sells), p.number) }

func (p *play) orderID() string {
	if p.order == nil {
		return ""
	}
	return p.order.ID
}

// key names the next request, and what is being done with it.
func (p *play) key(doing string) string {
	p.at = doing
	p.keys++
	return fmt.Sprintf("%s/%d-%s", p.externalID(), p.keys, doing)
}

// read looks at the order again.
func (p *play) read(ctx context.Context) error { return p.load(ctx, p.order.ID) }

func (p *play) load(ctx context.Context, id string) error {
	r, err := p.API.GetOrderWithResponse(ctx, id)
	if err != nil {
		return err
	}
	p.order, err = only(r.JSON200)
	return err
}

// readBack looks at the return again.
func (p *play) readBack(ctx context.Context) error {
	r, err := p.API.GetReturnWithResponse(ctx, p.back.ID)
	if err != nil {
		return err
	}
	p.back, err = only(r.JSON200)
	return err
}

// until looks at the order, and at its return if there is one, until it is as expected.
func (p *play) until(ctx context.Context, expected string, is func() bool) error {
	for began, wait := time.Now(), 20*time.Millisecond; ; wait = min(wait*3/2, pauseMin) {
		if err := p.read(ctx); err != nil {
			return err
		}
		if p.back != nil {
			if err := p.readBack(ctx); err != nil {
				return err
			}
		}
		if is() {
			return nil
		}
		if time.Since(began) > p.Patience {
			return &unexpected{expected, stand(p.order, p.back)}
		}
		if err := client.Pause(ctx, wait); err != nil {
			return err
		}
	}
}

// refusal is what a command should have been refused with.
func refusal(code string, err error) error {
	switch client.CodeOf(err) {
	case code:
		return nil
	case "":
		if err != nil {
			return err
		}
		return &unexpected{"a refusal: " + code, "it was done"}
	}
	return &unexpected{"a refusal: " + code, err.Error()}
}

// stand says where an order is, and its return if there is one, in the API's own words.
func stand(o *client.Order, back *client.Return) string {
	text := fmt.Sprintf("%s, %s, %s", o.Status, o.PaymentStatus, o.FulfillmentStatus)
	text += waits(o.WaitingFor, o.Attention)
	if back != nil {
		text += fmt.Sprintf("; return %s", back.Status) + waits(back.WaitingFor, back.Attention)
	}
	return text
}

func waits(on *client.WaitingFor, attention *client.Attention) (text string) {
	if on != nil {
		text = fmt.Sprintf(", waits for %s", *on)
	}
	if attention != nil {
		text += ", attention: " + attention.Code
	}
	return text
}
