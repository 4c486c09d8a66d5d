package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// sendBack is a customer who asks to send units of the first line back.
func sendBack(units int64, why client.ReturnReason) step {
	return func(ctx context.Context, p *play) error {
		asked := client.ReturnRequest{Lines: []client.ReturnRequestLine{{LineID: p.order.Lines[0].ID, Quantity: units, Reason: why}}}
		r, err := p.API.RequestReturnWithResponse(ctx, p.order.ID, &client.RequestReturnParams{IdempotencyKey: p.key("ask")}, asked)
		if err != nil {
			return err
		}
		p.back, err = only(r.JSON201)
		return err
	}
}

// approve says yes, and waits for the label.
func approve(ctx context.Context, p *play) error {
	if err := p.approve(ctx, false); err != nil {
		return err
	}
	return p.until(ctx, "a return with a label", func() bool { return p.back.Label != nil })
}

// waive leaves the goods with the customer.
func waive(ctx context.Context, p *play) error { return p.approve(ctx, true) }

func (p *play) approve(ctx context.Context, returnless bool) error {
	r, err := p.API.ApproveReturnWithResponse(ctx, p.back.ID, &client.ApproveReturnParams{IdempotencyKey: p.key("approve")},
		client.ReturnApproveRequest{Returnless: returnless})
	if err != nil {
		return err
	}
	p.back, err = only(r.JSON200)
	return err
}

func decline(ctx context.Context, p *play) error {
	_, err := p.API.DeclineReturnWithResponse(ctx, p.back.ID, &client.DeclineReturnParams{IdempotencyKey: p.key("decline")},
		client.ReturnDeclineRequest{Reason: "It was worn, and the tags are gone."})
	return err
}

// carryBack scans the parcel on its way back.
func carryBack(through ...client.TrackingStatus) step {
	return func(ctx context.Context, p *play) error {
		for _, status := range through {
			if _, err := p.API.RecordReturnTrackingWithResponse(ctx, p.back.ID, &client.RecordReturnTrackingParams{IdempotencyKey: p.key("scan-back")},
				client.TrackingRequest{Status: status, OccurredAt: time.Now().UTC()}); err != nil {
				return err
			}
		}
		return nil
	}
}

// receive books all that was announced.
func receive(ctx context.Context, p *play) error {
	return p.unpack(ctx, client.ReturnReceiveRequest{Lines: p.announced()})
}

// receiveOne books one unit of what was announced.
func receiveOne(ctx context.Context, p *play) error {
	return p.unpack(ctx, client.ReturnReceiveRequest{Lines: []client.LineQuantity{{LineID: p.back.Lines[0].LineID, Quantity: 1}}})
}

// receiveWithMore books what was announced, and something that nobody announced.
func receiveWithMore(ctx context.Context, p *play) error {
	stranger := client.ReceiptLine{SKU: p.sku(beside(p.sells, 0)), Quantity: 1}
	return p.unpack(ctx, client.ReturnReceiveRequest{Lines: p.announced(), Unexpected: []client.ReceiptLine{stranger}})
}

func (p *play) announced() []client.LineQuantity {
	return []client.LineQuantity{{LineID: p.back.Lines[0].LineID, Quantity: p.back.Lines[0].Quantity}}
}

func (p *play) unpack(ctx context.Context, request client.ReturnReceiveRequest) error {
	r, err := p.API.ReceiveReturnWithResponse(ctx, p.back.ID, &client.ReceiveReturnParams{IdempotencyKey: p.key("receive-back")}, request)
	if err != nil {
		return err
	}
	p.back, err = only(r.JSON200)
	return err
}

// inspect grades units of the return, which has to give so many percent of their price back.
func inspect(units int64, grade client.Grade, percent int) step {
	return func(ctx context.Context, p *play) error {
		if err := p.grade(ctx, units, grade); err != nil {
			return err
		}
		if !slices.ContainsFunc(p.back.Inspections, func(i client.Inspection) bool {
			return i.Quantity == units && i.Grade == grade && i.RefundPercent == percent
		}) {
			return &unexpected{fmt.Sprintf("%d units of grade %s, with %d %% given back", units, grade, percent), fmt.Sprintf("%+v", p.back.Inspections)}
		}
		return nil
	}
}

// giveUp says that units will not come any more.
func giveUp(units int64) step {
	return func(ctx context.Context, p *play) error {
		if err := p.grade(ctx, units, client.GradeX); err != nil {
			return err
		}
		if got := p.back.Lines[0].Dismissed; got != units {
			return &unexpected{fmt.Sprintf("%d units given up", units), fmt.Sprintf("%d", got)}
		}
		return nil
	}
}

func (p *play) grade(ctx context.Context, units int64, grade client.Grade) error {
	graded := client.InspectedLine{LineID: p.back.Lines[0].LineID, Quantity: units, Grade: grade}
	r, err := p.API.InspectReturnWithResponse(ctx, p.back.ID, &client.InspectReturnParams{IdempotencyKey: p.key("inspect")},
		client.ReturnInspectRequest{Lines: []client.InspectedLine{graded}})
	if err != nil {
		return err
	}
	p.back, err = only(r.JSON200)
	return err
}

// broughtBack is the return that the carrier's last scan opened.
func broughtBack(ctx context.Context, p *play) error {
	p.at = "look for the return"
	err := p.until(ctx, "a return that the carrier began", func() bool { return p.order.ReturnStatus != client.ReturnStatusNone })
	if err != nil {
		return err
	}
	list, err := p.API.ListReturnsWithResponse(ctx, &client.ListReturnsParams{OrderID: &p.order.ID})
	if err != nil {
		return err
	}
	page, err := only(list.JSON200)
	if err != nil {
		return err
	}
	if len(page.Data) != 1 {
		return &unexpected{"one return", fmt.Sprintf("%d", len(page.Data))}
	}
	r, err := p.API.GetReturnWithResponse(ctx, page.Data[0].ID)
	if err != nil {
		return err
	}
	p.back, err = only(r.JSON200)
	return err
}

// refundRefused waits until the gateway has said no.
func refundRefused(ctx context.Context, p *play) error {
	p.at = "wait for the refund"
	return p.until(ctx, "a refund that the gateway refuses", func() bool {
		return len(p.order.Refunds) > 0 && p.order.Refunds[0].Status == client.RefundStatusRefused
	})
}
