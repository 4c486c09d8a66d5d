package api

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
)

func (s *Service) putLocation(c *gin.Context) error {
	body := Body[client.LocationRequest](c)
	if !shipping.KnownCountry(body.Country) {
		var wrong fault.Fields
		wrong.Add("/country", "unknown_country", "not an ISO 3166-1 alpha-2 country code")
		return wrong.Err()
	}
	created, err := s.Store.PutLocation(c.Request.Context(), store.Location{ID: c.Param("id"), Name: body.Name,
		Country: body.Country, Priority: body.Priority}, s.act(c))
	if err != nil {
		return err
	}
	l, err := s.Store.Location(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	Reply(c, status, client.Location{ID: l.ID, Name: l.Name, Country: l.Country, Priority: l.Priority,
		CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt})
	return nil
}

func (s *Service) receiveStock(c *gin.Context) error {
	body := Body[client.ReceiptRequest](c)
	var changes []store.StockChange
	for _, l := range body.Lines {
		changes = append(changes, store.StockChange{SKU: l.SKU, Quantity: l.Quantity})
	}
	return s.changeStock(c, inventory.Receipt, body.Location, changes, "")
}

func (s *Service) adjustStock(c *gin.Context) error {
	body := Body[client.AdjustmentRequest](c)
	var changes []store.StockChange
	for _, l := range body.Lines {
		changes = append(changes, store.StockChange{SKU: l.SKU, Quantity: l.Quantity})
	}
	return s.changeStock(c, inventory.Adjustment, body.Location, changes, body.Reason)
}

func (s *Service) changeStock(c *gin.Context, kind inventory.Kind, location string, changes []store.StockChange, reason string) error {
	var skus []string
	for _, change := range changes {
		skus = append(skus, change.SKU)
	}
	err := s.Store.ChangeStock(c.Request.Context(), command(c, string(kind), location), kind, location, changes, reason, s.act(c))
	return s.stockChanged(c, location, skus, err)
}

// disposeStock writes down what somebody decided about goods that are not for sale.
func (s *Service) disposeStock(c *gin.Context) error {
	body := Body[client.DispositionRequest](c)
	var lines []inventory.Decided
	var skus []string
	for _, l := range body.Lines {
		lines = append(lines, inventory.Decided{SKU: l.SKU, Quantity: l.Quantity, From: inventory.State(l.From), To: inventory.State(l.To)})
		skus = append(skus, l.SKU)
	}
	err := s.Store.Dispose(c.Request.Context(), command(c, string(inventory.Disposition), body.Location), body.Location, lines, body.Reason, s.act(c))
	return s.stockChanged(c, body.Location, skus, err)
}

// stockChanged answers a change of stock with the levels of its SKUs, each once.
func (s *Service) stockChanged(c *gin.Context, location string, skus []string, err error) error {
	switch {
	case fault.Is(err, "idempotency_key_reused"):
		return s.reusedMeanwhile(c, err)
	case fault.Is(err, "not_found"):
		var wrong fault.Fields
		wrong.Add("/location", "unknown_location", "there is no such location: create it first")
		return wrong.Err()
	case err != nil:
		return err
	}
	answer := client.StockChange{Location: location, Levels: []client.InventoryLevel{}}
	for i, sku := range skus {
		if slices.Contains(skus[:i], sku) {
			continue
		}
		levels, err := s.Store.Levels(c.Request.Context(), store.LevelFilter{SKU: sku, LocationID: location})
		if err != nil {
			return err
		}
		for _, l := range levels {
			answer.Levels = append(answer.Levels, renderLevel(l))
		}
	}
	Reply(c, http.StatusCreated, answer)
	return nil
}

func (s *Service) listInventory(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	q := Params[client.ListInventoryParams](c)
	f := store.LevelFilter{SKU: value(q.SKU), LocationID: value(q.Location), Limit: page.Limit + 1}
	if page.After != nil {
		f.AfterSKU, f.AfterLocation = page.After.Key, page.After.SubKey
	}
	found, err := s.Store.Levels(c.Request.Context(), f)
	if err != nil {
		return err
	}
	answer := client.InventoryPage{Data: make([]client.InventoryLevel, 0, len(found))}
	for i, l := range found {
		if i == page.Limit {
			answer.NextCursor = NextCursor(c, Position{Key: found[i-1].SKU, SubKey: found[i-1].LocationID})
			break
		}
		answer.Data = append(answer.Data, renderLevel(l))
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

func (s *Service) listHolders(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	q := Params[client.ListHoldersParams](c)
	f := store.HolderFilter{SKU: c.Param("sku"), LocationID: value(q.Location), Limit: page.Limit + 1}
	if page.After != nil {
		f.AfterID = page.After.Key
	}
	found, err := s.Store.Holders(c.Request.Context(), f)
	if err != nil {
		return err
	}
	answer := client.HolderPage{Data: make([]client.Holder, 0, len(found))}
	for i, h := range found {
		if i == page.Limit {
			answer.NextCursor = NextCursor(c, Position{Key: found[i-1].ID})
			break
		}
		answer.Data = append(answer.Data, client.Holder{OrderID: h.OrderID, LineID: h.LineID, SKU: h.SKU,
			Location: h.LocationID, Quantity: h.Quantity})
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

func (s *Service) listLedger(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	q := Params[client.ListLedgerParams](c)
	f := store.LedgerFilter{SKU: value(q.SKU), LocationID: value(q.Location), Limit: page.Limit + 1}
	if page.After != nil {
		f.Before, _ = strconv.ParseInt(page.After.Key, 10, 64)
	}
	found, err := s.Store.Ledger(c.Request.Context(), f)
	if err != nil {
		return err
	}
	answer := client.LedgerPage{Data: make([]client.LedgerEntry, 0, len(found))}
	for i, m := range found {
		if i == page.Limit {
			answer.NextCursor = NextCursor(c, Position{Key: strconv.FormatInt(found[i-1].ID, 10)})
			break
		}
		answer.Data = append(answer.Data, renderMovement(m))
	}
	Reply(c, http.StatusOK, answer)
	return nil
}
