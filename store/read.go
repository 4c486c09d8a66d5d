package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
)

// Page asks for at most Limit rows after a cursor's position. The zero position is the beginning.
type Page struct {
	Limit   int
	AfterAt time.Time // of the last row seen, for lists ordered by time
	AfterID string    // of the last row seen
}

// where builds a WHERE clause from conditions whose values are numbered as they come.
type where struct {
	conditions []string
	args       []any
}

// add appends a condition; each ? in it is the value.
func (w *where) add(condition string, value any) {
	w.args = append(w.args, value)
	w.conditions = append(w.conditions, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(w.args))))
}

func (w *where) text(condition, value string) {
	if value != "" {
		w.add(condition, value)
	}
}

// page continues after a (time, id) position, in the direction that op says ("<" for newest first).
func (w *where) page(at, id, op string, p Page) {
	if p.AfterID == "" {
		return
	}
	w.args = append(w.args, p.AfterAt, p.AfterID)
	n := len(w.args)
	w.conditions = append(w.conditions, fmt.Sprintf("(%s, %s) %s ($%d, $%d)", at, id, op, n-1, n))
}

// attention asks for rows that do, or do not, ask for attention; nil: for both.
func (w *where) attention(code string, wanted *bool) {
	switch {
	case wanted == nil:
	case *wanted:
		w.conditions = append(w.conditions, code+" <> ''")
	default:
		w.conditions = append(w.conditions, code+" = ''")
	}
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return plannedEachTime + "WHERE " + strings.Join(w.conditions, " AND ")
}

// OrderFilter narrows a list of orders; zero values do not.
type OrderFilter struct {
	Status, Channel, ExternalID, Customer, SKU, WaitingFor string

	Attention     *bool     // only those that do, or do not, ask for attention
	Query         string    // beginning of an id, an external id, a customer's id, e-mail or name
	CreatedFrom   time.Time // inclusive
	CreatedBefore time.Time // exclusive
	Page          Page
}

// OrderSummary is one row of a list of orders.
type OrderSummary struct {
	ID                string           `db:"id"`
	ExternalID        string           `db:"external_id"`
	Channel           string           `db:"channel"`
	Currency          string           `db:"currency"`
	Total             int64            `db:"total"`
	Test              bool             `db:"test"`
	CustomerID        string           `db:"customer_id"`
	CustomerName      string           `db:"customer_name"`
	CustomerEmail     string           `db:"customer_email"`
	Status            order.Status     `db:"status"`
	PaymentStatus     string           `db:"payment_status"`
	FulfillmentStatus string           `db:"fulfillment_status"`
	ReturnStatus      string           `db:"return_status"`
	WaitingFor        order.WaitingFor `db:"waiting_for"`
	WaitingUntil      *time.Time       `db:"waiting_until"`
	AttentionCode     string           `db:"attention_code"`
	AttentionDetail   string           `db:"attention_detail"`
	AttentionSince    *time.Time       `db:"attention_since"`
	CreatedAt         time.Time        `db:"created_at"`
	UpdatedAt         time.Time        `db:"updated_at"`
}

// Orders lists orders, newest first, ties by id.
func (s *Store) Orders(ctx context.Context, f OrderFilter) ([]OrderSummary, error) {
	query, args := f.query()
	var found []OrderSummary
	err := s.db.SelectContext(ctx, &found, query, args...)
	return found, classify(err)
}

// query is what selects a page of orders. Which index is best depends on the values, so it is planned each time.
func (f OrderFilter) query() (string, []any) {
	w, from, at, key := &where{}, "orders o", "o.created_at", "o.id"
	if f.SKU != "" {
		// From the newest of its lines on: a good that is no longer sold is not to be looked for in every order since.
		from, at, key = "order_lines l JOIN orders o ON o.id = l.order_id", "l.ordered_at", "l.order_id"
		w.add(`l.sku = ? AND NOT EXISTS (SELECT 1 FROM order_lines e
			WHERE e.order_id = l.order_id AND e.sku = l.sku AND e.position < l.position)`, f.SKU)
	}
	w.text("o.status = ?", f.Status)
	w.text("o.channel = ?", f.Channel)
	w.text("o.external_id = ?", f.ExternalID)
	w.text("o.customer ->> 'id' = ?", f.Customer)
	w.text("o.waiting_for = ? AND o.waiting_for <> ''", f.WaitingFor)
	w.attention("o.attention_code", f.Attention)
	if f.Query != "" {
		prefix := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(f.Query) + "%"
		w.add(`(o.id LIKE ? OR o.external_id LIKE ? OR o.customer ->> 'id' LIKE ?
			OR lower(o.customer ->> 'email') LIKE lower(?) OR lower(o.customer ->> 'name') LIKE lower(?))`, prefix)
	}
	if !f.CreatedFrom.IsZero() {
		w.add(at+" >= ?", f.CreatedFrom)
	}
	if !f.CreatedBefore.IsZero() {
		w.add(at+" < ?", f.CreatedBefore)
	}
	w.page(at, key, "<", f.Page)
	return `
		SELECT o.id, o.external_id, o.channel, o.currency, o.total, o.test, o.customer ->> 'id' AS customer_id,
			o.customer ->> 'name' AS customer_name, o.customer ->> 'email' AS customer_email, o.status,
			o.payment_status, o.fulfillment_status, o.return_status, o.waiting_for, o.waiting_until, o.attention_code,
			o.attention_detail, o.attention_since, o.created_at, o.updated_at
		FROM ` + from + ` ` + w.String() + fmt.Sprintf(` ORDER BY %s DESC, %s DESC LIMIT %d`, at, key, f.Page.Limit), w.args
}

// OrderOf finds the order that a fulfillment order ("ful_…"), a shipment ("shp_…") or a return ("ret_…") belongs to.
// Errors: NotFound.
func (s *Store) OrderOf(ctx context.Context, subject string) (string, error) {
	query := `SELECT order_id FROM fulfillments WHERE id = $1`
	switch prefix, _, _ := strings.Cut(subject, "_"); prefix {
	case id.Shipment:
		query = `SELECT order_id FROM shipments WHERE id = $1`
	case id.Return:
		query = `SELECT order_id FROM returns WHERE id = $1`
	}
	var found []string
	if err := s.db.SelectContext(ctx, &found, query, subject); err != nil {
		return "", classify(err)
	}
	if len(found) == 0 {
		return "", fault.NotFoundf("there is no such fulfillment order, shipment or return")
	}
	return found[0], nil
}

// Subject is what a command is about, as far as that has to be known before its run is asked.
type Subject struct {
	OrderID string
	Settled bool     // the order, or the return, needs no run
	Done    *Command // what was done under the command's key already, if anything was
}

// subjects finds each kind of thing that commands are about, with who settles it. Fulfillment orders are the order's
// run's.
var subjects = map[string]struct{ noun, query string }{
	id.Order:       {"order", aboutSQL("s.id", "s.settled", "orders s")},
	id.Fulfillment: {"fulfillment order", aboutSQL("s.order_id", "o.settled", "fulfillments s JOIN orders o ON o.id = s.order_id")},
	id.Return:      {"return", aboutSQL("s.order_id", "s.settled", "returns s")},
}

func aboutSQL(orderID, settled, from string) string {
	return `SELECT ` + orderID + ` AS order_id, ` + settled + ` AS settled, c.key IS NOT NULL AS done, COALESCE(c.name, '') AS name,
			COALESCE(c.subject, '') AS subject, COALESCE(c.fingerprint, '') AS fingerprint, COALESCE(c.request, 'null') AS request
		FROM ` + from + ` LEFT JOIN commands c ON c.key = $2 WHERE s.id = $1`
}

// Subject looks up what a command is about by its kind (id.Order, id.Fulfillment or id.Return) and id, and the command
// by its key. Errors: NotFound.
func (s *Store) Subject(ctx context.Context, kind, subjectID, key string) (Subject, error) {
	var rows []struct {
		OrderID     string `db:"order_id"`
		Settled     bool   `db:"settled"`
		Done        bool   `db:"done"`
		Name        string `db:"name"`
		Subject     string `db:"subject"`
		Fingerprint string `db:"fingerprint"`
		Request     []byte `db:"request"`
	}
	if err := s.db.SelectContext(ctx, &rows, subjects[kind].query, subjectID, key); err != nil {
		return Subject{}, classify(err)
	}
	if len(rows) == 0 {
		return Subject{}, fault.NotFoundf("there is no such %s", subjects[kind].noun)
	}
	r := rows[0]
	found := Subject{OrderID: r.OrderID, Settled: r.Settled}
	if r.Done {
		found.Done = &Command{Key: key, Name: r.Name, Subject: r.Subject, Fingerprint: r.Fingerprint, Request: r.Request}
	}
	return found, nil
}

// CommandDone looks for a command by its key: its request's fingerprint and body, or found false.
func (s *Store) CommandDone(ctx context.Context, key string) (cmd Command, found bool, err error) {
	var rows []struct {
		Key         string `db:"key"`
		Name        string `db:"name"`
		Subject     string `db:"subject"`
		Fingerprint string `db:"fingerprint"`
		Request     []byte `db:"request"`
	}
	err = s.db.SelectContext(ctx, &rows, `SELECT key, name, subject, fingerprint, request FROM commands WHERE key = $1`, key)
	if err != nil || len(rows) == 0 {
		return Command{}, false, classify(err)
	}
	r := rows[0]
	return Command{Key: r.Key, Name: r.Name, Subject: r.Subject, Fingerprint: r.Fingerprint, Request: r.Request}, true, nil
}

// FulfillmentFilter narrows a list of fulfillment orders; zero values do not.
type FulfillmentFilter struct {
	LocationID, Status string
	Page               Page
}

// FulfillmentRow is one row of a list of fulfillment orders.
type FulfillmentRow struct {
	OrderID string
	order.Fulfillment
}

// Fulfillments lists fulfillment orders, oldest first, ties by id: the order in which a warehouse works.
func (s *Store) Fulfillments(ctx context.Context, f FulfillmentFilter) ([]FulfillmentRow, error) {
	w := &where{}
	w.text("location_id = ?", f.LocationID)
	w.text("status = ?", f.Status)
	w.page("created_at", "id", ">", f.Page)
	var orderIDs []struct {
		ID      string `db:"id"`
		OrderID string `db:"order_id"`
	}
	err := s.db.SelectContext(ctx, &orderIDs, `SELECT id, order_id FROM fulfillments `+w.String()+
		fmt.Sprintf(` ORDER BY created_at, id LIMIT %d`, f.Page.Limit), w.args...)
	if err != nil {
		return nil, classify(err)
	}
	ids := make([]string, len(orderIDs))
	for i, r := range orderIDs {
		ids[i] = r.OrderID
	}
	orders, err := load(ctx, s.db, ids)
	if err != nil {
		return nil, classify(err)
	}
	byID := map[string]*order.Order{}
	for _, o := range orders {
		byID[o.ID] = o
	}
	rows := make([]FulfillmentRow, 0, len(orderIDs))
	for _, r := range orderIDs {
		if found := byID[r.OrderID].Fulfillment(r.ID); found != nil {
			rows = append(rows, FulfillmentRow{OrderID: r.OrderID, Fulfillment: *found})
		}
	}
	return rows, nil
}

// Level is the stock of one SKU at one location, in units.
type Level struct {
	SKU         string `db:"sku"`
	LocationID  string `db:"location_id"`
	OnHand      int64  `db:"on_hand"`
	Committed   int64  `db:"committed"`
	Unavailable int64  `db:"unavailable"` // here, and not for sale: damaged, or in quality control
	Damaged     int64  `db:"damaged"`
}

// QualityControl is what is here and not for sale until somebody has decided what becomes of it.
func (l Level) QualityControl() int64 { return l.Unavailable - l.Damaged }

// Available is what new orders can have.
func (l Level) Available() int64 { return l.OnHand - l.Committed - l.Unavailable }

// LevelFilter narrows a list of levels; AfterSKU and AfterLocation continue it.
type LevelFilter struct {
	SKU, LocationID         string
	AfterSKU, AfterLocation string
	Limit                   int // 0: all
}

// Levels lists stock by SKU, then location.
func (s *Store) Levels(ctx context.Context, f LevelFilter) ([]Level, error) {
	w := &where{}
	w.text("sku = ?", f.SKU)
	w.text("location_id = ?", f.LocationID)
	if f.AfterSKU != "" {
		w.args = append(w.args, f.AfterSKU, f.AfterLocation)
		w.conditions = append(w.conditions, fmt.Sprintf("(sku, location_id) > ($%d, $%d)", len(w.args)-1, len(w.args)))
	}
	limit := ""
	if f.Limit > 0 {
		limit = fmt.Sprintf(" LIMIT %d", f.Limit)
	}
	var found []Level
	err := s.db.SelectContext(ctx, &found, `SELECT sku, location_id, on_hand, committed, unavailable, damaged FROM stock_levels `+
		w.String()+` ORDER BY sku, location_id`+limit, w.args...)
	return found, classify(err)
}

// LedgerRow is one movement of stock.
type LedgerRow struct {
	ID          int64     `db:"id"`
	SKU         string    `db:"sku"`
	LocationID  string    `db:"location_id"`
	Kind        string    `db:"kind"`
	Quantity    int64     `db:"quantity"`
	OnHand      int64     `db:"on_hand"`
	Committed   int64     `db:"committed"`
	Unavailable int64     `db:"unavailable"`
	Damaged     int64     `db:"damaged"` // of Unavailable
	OrderID     string    `db:"order_id"`
	LineID      string    `db:"line_id"`
	ReturnID    string    `db:"return_id"`
	Reference   string    `db:"reference"`
	Reason      string    `db:"reason"`
	At          time.Time `db:"at"`
}

// LedgerFilter narrows the stock ledger; Before continues it.
type LedgerFilter struct {
	SKU, LocationID, OrderID string
	Before                   int64 // 0: from the newest on
	Limit                    int
}

// Ledger lists movements of stock, newest first.
func (s *Store) Ledger(ctx context.Context, f LedgerFilter) ([]LedgerRow, error) {
	w := &where{}
	w.text("sku = ?", f.SKU)
	w.text("location_id = ?", f.LocationID)
	w.text("order_id = ?", f.OrderID)
	if f.Before > 0 {
		w.add("id < ?", f.Before)
	}
	var found []LedgerRow
	err := s.db.SelectContext(ctx, &found, `
		SELECT id, sku, location_id, kind, quantity, on_hand, committed, unavailable, damaged,
			order_id, line_id, return_id, reference, reason, at
		FROM stock_ledger `+w.String()+fmt.Sprintf(` ORDER BY id DESC LIMIT %d`, f.Limit), w.args...)
	return found, classify(err)
}
