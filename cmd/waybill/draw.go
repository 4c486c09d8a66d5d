package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
)

// drawing is an order's life on its way to a terminal.
type drawing struct {
	life
	to    io.Writer
	color bool
	ui    string // where Temporal's web UI is, when that is known
	text  strings.Builder
}

// The styles of a terminal, which are left out where nobody looks.
const (
	bold = "\x1b[1m"
	dim  = "\x1b[2m"
	red  = "\x1b[31m"
)

func (d *drawing) styled(style, text string) string {
	if !d.color || text == "" {
		return text
	}
	return style + text + "\x1b[0m"
}

func (d *drawing) draw() error {
	d.headline()
	d.waits()
	d.moneyTable()
	d.lines()
	d.parcels()
	d.returned()
	d.timeLine()
	_, err := io.WriteString(d.to, d.text.String())
	return err
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.text, format, args...) }

// table writes rows of tab-separated cells under a heading, aligned, or nothing when there are no rows.
func (d *drawing) table(heading string, rows []string) {
	if len(rows) == 0 {
		return
	}
	d.printf("\n%s\n", d.styled(bold, heading))
	var aligned strings.Builder
	w := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, "  "+row)
	}
	_ = w.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(aligned.String()) {
		d.printf("%s\n", strings.TrimRight(line, " \n"))
	}
}

func (d *drawing) amount(minor int64) string { return money.Format(minor, d.Order.Currency) }

func (d *drawing) headline() {
	o := d.Order
	test := ""
	if o.Test {
		test = " · test order"
	}
	d.printf("%s\n", d.styled(bold, fmt.Sprintf("Order %s/%s · %s · %s %s%s", o.Channel, o.ExternalID, o.Status, d.amount(o.Total), o.Currency, test)))
	d.printf("%s\n", d.styled(dim, fmt.Sprintf("%s · placed %s · payment %s · fulfillment %s · returns %s", o.ID, clock(o.CreatedAt),
		o.PaymentStatus, o.FulfillmentStatus, o.ReturnStatus)))
	if d.ui != "" {
		d.printf("%s\n", d.styled(dim, d.ui+"/namespaces/default/workflows/"+url.PathEscape("order/"+o.ID)))
	}
}

// waits says what the order waits for, and what is being done about it.
func (d *drawing) waits() {
	o := d.Order
	d.printf("\n")
	switch {
	case o.WaitingFor != nil:
		d.printf("Waits for %s%s\n", d.styled(bold, string(*o.WaitingFor)), before(" until ", o.WaitingUntil))
	case slices.Contains(over, o.Status):
		d.printf("Waits for nothing: it is over\n")
	default:
		d.printf("Waits for nobody: it is at work\n")
	}
	if o.Attention != nil {
		d.printf("%s %s, since %s\n", d.styled(red, "Attention, "+o.Attention.Code+":"), o.Attention.Detail, clock(o.Attention.Since))
		if todo := order.GuideTo(o.Attention.Code).For(o.ID, ""); todo != "" {
			d.printf("  %s\n", todo)
		}
	}
	for _, h := range o.Holds {
		if h.ReleasedAt == nil {
			where := "the order"
			if h.FulfillmentID != nil {
				where = *h.FulfillmentID
			}
			d.printf("Held: %s (%s), on %s%s\n", h.Reason, h.Owner, where, before(" until ", h.Deadline))
		}
	}
	d.run()
}

// over are the statuses in which nothing more happens to an order but what its returns bring.
var over = []client.OrderStatus{client.OrderStatusCompleted, client.OrderStatusCancelled, client.OrderStatusRejected, client.OrderStatusExpired}

// run says what the order's run is doing, when it could be asked.
func (d *drawing) run() {
	switch p := d.Progress; {
	case p == nil:
		d.printf("%s\n", d.styled(red, "Its run cannot be asked: Temporal or the worker does not answer"))
	case !p.Running && !slices.Contains(over, d.Order.Status):
		d.printf("It has no run at this moment: the next sweep starts one\n")
	default:
		for _, s := range p.Steps {
			d.printf("Under way: %s, since %s\n", s.Name, clock(s.Since))
		}
		if p.NextTimer != nil {
			d.printf("%s\n", d.styled(dim, "The next deadline is "+clock(*p.NextTimer)))
		}
	}
}

func (d *drawing) moneyTable() {
	rows := []string{"\tstatus\theld\tcaptured\tvoided\trefunded\t"}
	for i, p := range d.Order.Payments {
		refusal := ""
		if p.RefusalCode != nil {
			refusal = *p.RefusalCode
		}
		rows = append(rows, fmt.Sprintf("payment %d, %s\t%s\t%s\t%s\t%s\t%s\t%s", i+1, p.Gateway, p.Status, d.amount(p.Authorized-p.Captured-p.Voided),
			d.amount(p.Captured), d.amount(p.Voided), d.amount(p.Refunded), refusal))
	}
	for _, r := range d.Order.Refunds {
		rows = append(rows, fmt.Sprintf("refund %d, %s\t%s\t\t\t\t%s\t", r.Number, r.Cause, r.Status, d.amount(r.Amount)))
	}
	d.table("Money, "+d.Order.Currency, rows)
}

func (d *drawing) lines() {
	rows := []string{"SKU\tordered\tcancelled\tbackordered\topen\tshipped\tdelivered\tlost\treturned\ttotal"}
	for _, l := range d.Order.Lines {
		rows = append(rows, fmt.Sprintf("%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", l.SKU, l.Quantity, some(l.Cancelled), some(l.Backordered),
			some(l.Open), some(l.Shipped), some(l.Delivered), some(l.Lost), some(l.Returned), d.amount(l.Total)))
	}
	d.table("Units", rows)
}

// parcels are drawn as the way that each went.
func (d *drawing) parcels() {
	from := map[string]string{}
	var rows []string
	for _, f := range d.Order.Fulfillments {
		from[f.ID] = f.Location
		if f.Status == client.FulfillmentOrderStatusCancelled || len(f.Lines) == 0 {
			continue
		}
		var units, picked, packed, short int64
		for _, l := range f.Lines {
			units, picked, packed, short = units+l.Quantity-l.Cancelled, picked+l.Picked, packed+l.Packed, short+l.Short
		}
		row := fmt.Sprintf("%s\t%s\t%d of %d picked\t%d packed", f.Location, f.Status, picked, units, packed)
		if short > 0 {
			row += fmt.Sprintf("\t%d not found", short)
		}
		rows = append(rows, row)
	}
	d.table("Warehouses", rows)
	rows = nil
	for i, s := range d.Order.Shipments {
		var units []string
		for _, l := range s.Lines {
			units = append(units, fmt.Sprintf("%d × %s", l.Quantity, l.SKU))
		}
		way := from[s.FulfillmentID]
		for _, stop := range []struct {
			name string
			at   *client.NullableTime
		}{{"handed over", s.HandedOverAt}, {"first scan", s.FirstScanAt}, {"delivered", s.DeliveredAt}} {
			if stop.at != nil {
				way += " ─▶ " + stop.name + " " + stop.at.UTC().Format("Jan 2 15:04")
			}
		}
		if s.DeliveredAt == nil && s.HandedOverAt != nil && s.TrackingStatus != nil {
			way += " ─▶ " + string(*s.TrackingStatus)
		}
		rows = append(rows, fmt.Sprintf("%d\t%s\t%s\t%s\t%s", i+1, s.Status, strings.Join(units, ", "),
			strings.TrimSpace(given(s.Carrier)+" "+given(s.TrackingNumber)), way))
	}
	d.table("Parcels", rows)
}

func (d *drawing) returned() {
	var rows []string
	for _, r := range d.Returns {
		var announced, received, inspected, refunded int64
		for _, l := range r.Lines {
			announced, received, inspected = announced+l.Quantity, received+l.Received, inspected+l.Inspected
		}
		for _, f := range r.Refunds {
			if f.Status == client.RefundStatusSucceeded {
				refunded += f.Amount
			}
		}
		waits := ""
		if r.WaitingFor != nil {
			waits = "waits for " + string(*r.WaitingFor)
		}
		rows = append(rows, fmt.Sprintf("%d\t%s\t%d announced, %d received, %d graded\t%s refunded\t%s", r.Number, r.Status, announced, received,
			inspected, d.amount(refunded), waits))
	}
	d.table("Returns", rows)
}

// timeLine lists everything that happened, and how long after the event before it.
func (d *drawing) timeLine() {
	var rows []string
	var last time.Time
	day := ""
	for _, e := range d.Timeline {
		if today := e.At.UTC().Format("2006-01-02"); today != day {
			day = today
			rows = append(rows, day+"\t\t\t\t")
		}
		after := ""
		if !last.IsZero() && e.At.Sub(last) >= time.Millisecond {
			after = "+" + span(e.At.Sub(last))
		}
		last = e.At
		amount := ""
		if e.Amount != nil {
			amount = d.amount(*e.Amount)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s", e.At.UTC().Format("15:04:05"), after, glyph(e.Type)+" "+e.Type, amount, e.Detail))
	}
	d.table("Time line", rows)
}

// glyph tells the subjects of events apart at a glance.
func glyph(kind string) string {
	switch subject, _, _ := strings.Cut(kind, "."); subject {
	case "payment":
		return "$"
	case "fulfillment":
		return "▤"
	case "shipment":
		return "▶"
	case "return":
		return "◀"
	}
	return "●"
}

// span is a duration as people say it: two units at most.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") }

func before(words string, at *time.Time) string {
	if at == nil {
		return ""
	}
	return words + clock(*at)
}

func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// some leaves zeros out: what is there stands out.
func some(n int64) string {
	if n == 0 {
		return "·"
	}
	return fmt.Sprint(n)
}
