package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

func (s *Service) listFulfillments(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	q := Params[client.ListFulfillmentsParams](c)
	found, err := s.Store.Fulfillments(c.Request.Context(), store.FulfillmentFilter{LocationID: value(q.Location),
		Status: string(value(q.Status)), Page: after(page)})
	if err != nil {
		return err
	}
	answer := client.FulfillmentPage{Data: make([]client.Fulfillment, 0, len(found))}
	for i, f := range found {
		if i == page.Limit {
			answer.NextCursor = NextCursor(c, Position{At: found[i-1].CreatedAt, Key: found[i-1].ID})
			break
		}
		answer.Data = append(answer.Data, renderFulfillment(f.OrderID, f.Fulfillment))
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

func (s *Service) pickFulfillment(c *gin.Context) error {
	var lines []order.PickedUnits
	for _, l := range Body[client.PickRequest](c).Lines {
		lines = append(lines, order.PickedUnits{LineID: l.LineID, Quantity: l.Quantity, Reason: string(l.Reason)})
	}
	o, err := s.commandFulfillment(c, workflows.UpdatePick, func(caller activities.Caller) any {
		return activities.PickCommand{Caller: caller, FulfillmentID: c.Param("id"), Lines: lines}
	}, func(o *order.Order) error { return o.Pick(c.Param("id"), lines, s.act(c)) })
	if err != nil {
		return err
	}
	return s.replyFulfillment(c, o, http.StatusOK)
}

func (s *Service) packFulfillment(c *gin.Context) error {
	var parcels []order.Parcel
	for _, p := range Body[client.PackRequest](c).Parcels {
		parcels = append(parcels, order.Parcel{WeightGrams: p.WeightGrams, Lines: unitsOf(p.Lines)})
	}
	o, err := s.commandFulfillment(c, workflows.UpdatePack, func(caller activities.Caller) any {
		return activities.PackCommand{Caller: caller, FulfillmentID: c.Param("id"), Parcels: parcels}
	}, func(o *order.Order) error { return o.Pack(c.Param("id"), parcels, s.act(c)) })
	if err != nil {
		return err
	}
	status := http.StatusOK
	for _, p := range o.Shipments {
		if p.FulfillmentID == c.Param("id") && p.Status == order.ShipmentPacked {
			status = http.StatusAccepted
		}
	}
	return s.replyFulfillment(c, o, status)
}

// shipFulfillment answers what became of the parcels: all shipped, one still asked for, or one held.
func (s *Service) shipFulfillment(c *gin.Context) error {
	o, err := s.commandFulfillment(c, workflows.UpdateShip, func(caller activities.Caller) any {
		return activities.ShipCommand{Caller: caller, FulfillmentID: c.Param("id")}
	}, func(o *order.Order) error { return o.Ship(c.Param("id"), s.act(c)) })
	if err != nil {
		return err
	}
	status := http.StatusOK
	for _, p := range o.Shipments {
		switch {
		case p.FulfillmentID != c.Param("id"):
		case p.Status == order.ShipmentHeld && !p.ShipRequested:
			code := order.AttentionCaptureRefused
			if o.AttentionCode == order.AttentionGatewayMismatch {
				code = o.AttentionCode
			}
			f := fault.Conflictf(code, "parcel %d is held: its money could not be captured. Do not hand it over; send another payment token, or ship again", p.Number)
			f.OrderID = o.ID
			return f
		case p.ShipRequested:
			status = http.StatusAccepted
		}
	}
	return s.replyFulfillment(c, o, status)
}

func (s *Service) commandFulfillment(c *gin.Context, name string, build func(activities.Caller) any, decide func(*order.Order) error) (*order.Order, error) {
	return s.send(c, id.Fulfillment, c.Param("id"), name, build, decide)
}

func (s *Service) replyFulfillment(c *gin.Context, o *order.Order, status int) error {
	f := o.Fulfillment(c.Param("id"))
	if f == nil {
		return notFound("fulfillment order")
	}
	Reply(c, status, renderFulfillmentDetail(o, *f))
	return nil
}

func unitsOf(lines []client.LineQuantity) []order.UnitsOf {
	units := make([]order.UnitsOf, len(lines))
	for i, l := range lines {
		units[i] = order.UnitsOf{LineID: l.LineID, Quantity: l.Quantity}
	}
	return units
}
