package order

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

const (
	// detailsMax bounds the details of a run in bytes, before they are laid out. Temporal takes 20,000; what is left is
	// for Page, for what the run itself has to say, and for links that grow when they are resolved.
	detailsMax = 12_000
	// rowsMax is how many rows of each table are shown: nobody reads more, and the API has them all.
	rowsMax = 20
)

// RunLink is the address of a run in details, before the run itself has made it one of the web UI.
func RunLink(workflowID string) string { return "run:" + workflowID }

// page is markdown that an operator reads, with marks for whatever is always the same: every activity's result carries
// it, and Page puts the words there. Names that somebody else chose are put through code or brief, so that none of them
// ends a table's cell or becomes markup, and no line begins with one, so that none is taken for a mark.
type page struct {
	strings.Builder
	ids bool // somebody has to do something, for which he needs the ids of lines and parcels
}

// say adds a paragraph.
func (p *page) say(format string, args ...any) { fmt.Fprintf(p, format+"\n\n", args...) }

// row is a row of a table, with the id of what it is about where somebody needs it.
func (p *page) row(id string, cells ...string) []string {
	if p.ids {
		cells = append(cells, code(id))
	}
	return cells
}

// table adds the first rows of one of the tables. Of is what its title is to say beside.
func (p *page) table(name, of string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	p.WriteString(mark(name, len(rows[0])) + of + "\n")
	for _, cells := range rows[:min(len(rows), rowsMax)] {
		p.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	p.WriteString("\n")
	if more := len(rows) - rowsMax; more > 0 {
		p.say("… and %d more", more)
	}
}

// text is the page, cut at the end of a line when it is too long.
func (p *page) text() string {
	text := strings.TrimSpace(p.String())
	if len(text) > detailsMax {
		const cut = "\n\n… cut here: the API has everything"
		text = text[:detailsMax-len(cut)]
		text = text[:strings.LastIndexByte(text, '\n')] + cut
	}
	return text
}

// attention says first what somebody is called for, what that means and what to do.
func (p *page) attention(code, detail string, since *time.Time, ended bool) {
	if code != "" {
		p.ids = !ended
		p.say("> **Attention: %s**%s\n>\n> %s", code, moment(" since ", since), brief(detail))
		p.say(markGuide)
	}
}

// next says what happens by itself if nobody does anything.
func (p *page) next(a alarm) {
	if a.at != nil {
		p.say("**By itself:** %s, %s", brief(a.what), moment("", a.at))
	}
}

// details is what an operator sees first when he opens the run of an order.
func (o *Order) details() string {
	var p page
	p.say("**%s**%s", title(string(o.Status)), o.waitsFor())
	axes := fmt.Sprintf("payment %s · fulfillment %s", o.PaymentAxis, o.FulfillmentAxis)
	if len(o.Returns) > 0 {
		axes += " · return " + o.ReturnAxis
	}
	p.say("%s", axes)
	p.attention(o.AttentionCode, o.AttentionDetail, o.AttentionSince, o.Settled)
	p.holds(o)
	p.next(o.alarm())
	p.lines(o)
	p.fulfillments(o)
	p.money(o)
	p.parcels(o)
	p.refunds(o, func(f Refund) bool { return f.ReturnID == "" })
	p.returns(o)
	if !o.Settled { // else the run has ended
		p.say("%s", o.cancelling())
	}
	p.say("%s", moment(markEnd, &o.UpdatedAt))
	return p.text()
}

// waitsFor says on whom an order waits, where, and until when.
func (o *Order) waitsFor() string {
	if o.WaitingFor == WaitingNothing {
		return ""
	}
	at := ""
	if o.WaitingFor == WaitingOperator && o.AttentionCode == "" {
		at = " to answer a hold"
	}
	if o.WaitingFor == WaitingWarehouse {
		var places []string
		for _, f := range o.Fulfillments {
			if !f.Status.Ended() && !slices.Contains(places, brief(f.LocationID)) {
				places = append(places, brief(f.LocationID))
			}
		}
		at = " at " + strings.Join(places[:min(len(places), 5)], ", ")
	}
	return fmt.Sprintf(" · **waits for %s**%s%s", waited[o.WaitingFor], at, moment(" until ", o.WaitingUntil))
}

// waited are the words for whom one waits for.
var waited = map[WaitingFor]string{WaitingPayment: "a payment", WaitingStock: "stock", WaitingWarehouse: "the warehouse",
	WaitingCarrier: "the carrier", WaitingCustomer: "the customer", WaitingOperator: "an operator", WaitingGateway: "a gateway"}

// cancelling says what it would do to cancel the order now, and how to cancel what can be when the whole cannot.
func (o *Order) cancelling() string {
	if o.Status.Final() {
		return "**Request Cancellation** would change nothing: the order is " + string(o.Status)
	}
	err := o.stillHere()
	if err == nil {
		return markCancel
	}
	refused := "**Request Cancellation** would be refused: " + fault.As(err).Detail
	var rest []string
	for _, l := range o.Lines {
		if l.Open() > 0 {
			rest = append(rest, fmt.Sprintf(`{"line_id":"%s","quantity":%d}`, l.ID, l.Open()))
		}
	}
	if len(rest) == 0 || len(rest) > 10 || !fault.Is(err, "already_shipped") {
		return refused
	}
	return refused + ". What has not left is cancelled by the update `cancel` with `{\"lines\":[" + strings.Join(rest, ",") + "]}`"
}

func (p *page) holds(o *Order) {
	shown := 0
	for _, h := range o.Holds {
		if !h.Active() || shown == 10 {
			continue
		}
		shown++
		where, which := "", fmt.Sprintf(`{"hold_id":"%s"}`, h.ID)
		if f := o.Fulfillment(h.FulfillmentID); f != nil {
			where, which = fmt.Sprintf(" of fulfillment order %d", f.Number), fmt.Sprintf(`{"hold_id":"%s","fulfillment_id":"%s"}`, h.ID, f.ID)
		}
		p.say("**Hold %s**%s, for the %s to answer; blocks %s%s", brief(h.Reason), where, h.Owner, strings.Join(h.Blocks, ", "), moment("; until ", h.Deadline))
		if h.Reason == HoldAwaitingPayment {
			p.say("Another way to pay ends it: `POST /v1/orders/%s/payment`", o.ID)
		} else {
			p.say("Once it is answered: the update `release_hold` with `%s`", which)
		}
	}
}

func (p *page) lines(o *Order) {
	var rows [][]string
	for _, l := range o.Lines {
		rows = append(rows, p.row(l.ID, code(l.SKU), fmt.Sprint(l.Quantity), l.whereabouts(o.broughtBack(l.ID))))
	}
	p.table(tableLines, "", rows)
}

// whereabouts says where a line's units are. Back is how many the carrier brought back that nobody took.
func (l Line) whereabouts(back int64) string {
	return listing(
		part{l.Cancelled, "cancelled"}, part{l.Backordered, "waiting for stock"}, part{l.Open() - l.Backordered, "not shipped"},
		part{l.Shipped - l.Delivered - l.Lost - l.Undelivered, "on the way"}, part{l.Delivered, "delivered"}, part{l.Lost, "lost"},
		part{l.Undelivered - back, "not delivered, coming back"}, part{back, "not delivered, back here"},
		part{l.Returned - back, "of them returned"})
}

// broughtBack counts the units of a line that nobody took, and that are back here.
func (o *Order) broughtBack(lineID string) (units int64) {
	for _, r := range o.Returns {
		for _, l := range r.Lines {
			if l.LineID == lineID && l.Reason == returns.Undeliverable {
				units += l.Received
			}
		}
	}
	return units
}

// part is so many of what.
type part struct {
	n    int64
	what string
}

// listing names the parts that there are.
func listing(parts ...part) string {
	var said []string
	for _, p := range parts {
		if p.n != 0 {
			said = append(said, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(said, ", ")
}

func (p *page) fulfillments(o *Order) {
	var rows [][]string
	for _, f := range o.Fulfillments {
		var units, picked, packed, shipped, short int64
		for _, l := range f.Lines {
			units, picked, packed, shipped, short = units+l.Quantity-l.Cancelled, picked+l.Picked, packed+l.Packed, shipped+l.Shipped, short+l.Short
		}
		rows = append(rows, p.row(f.ID, fmt.Sprintf("%d at %s", f.Number, brief(f.LocationID)), string(f.Status),
			fmt.Sprintf("%d", units), listing(part{picked, "picked"}, part{packed, "packed"}, part{shipped, "shipped"}, part{short, "not found"})))
	}
	p.table(tableWarehouse, "", rows)
}

func (p *page) money(o *Order) {
	var rows [][]string
	for _, m := range o.Payments {
		rows = append(rows, []string{fmt.Sprintf("%d on %s", m.Number, m.Gateway), m.outcome(),
			money.Format(m.Open()+m.Capturing, m.Currency), money.Format(m.Captured, m.Currency), money.Format(m.Voided+m.Expired, m.Currency), money.Format(m.Refunded, m.Currency)})
	}
	p.table(tableMoney, ", "+o.Currency, rows)
}

// outcome says what became of a payment: its status ends where the money is held, its balances tell the rest.
func (m Payment) outcome() string {
	switch {
	case m.Status != PaymentAuthorized:
		return strings.TrimSpace(string(m.Status) + " " + brief(m.RefusalCode))
	case m.Refunded > 0 && m.Refunded >= m.Captured:
		return "refunded"
	case m.Refunded > 0:
		return "partially refunded"
	case m.Open()+m.Capturing > 0 && m.Captured > 0:
		return "partially captured"
	case m.Captured > 0:
		return "captured"
	case m.Open()+m.Capturing > 0:
		return "authorized"
	case m.Expired > 0:
		return "expired"
	}
	return "voided"
}

func (p *page) parcels(o *Order) {
	var rows [][]string
	for _, s := range o.Shipments {
		status := string(s.Status)
		if s.TrackingStatus == shipping.TrackingCancelled { // every other exception has a status of its own
			status += ", says the carrier: " + string(s.TrackingStatus)
		}
		rows = append(rows, p.row(s.ID, fmt.Sprint(s.Number), status, brief(s.Carrier), code(s.TrackingNumber)))
	}
	p.table(tableParcels, "", rows)
}

func (p *page) refunds(o *Order, mine func(Refund) bool) {
	var rows [][]string
	for _, f := range o.Refunds {
		if !mine(f) {
			continue
		}
		status := string(f.Status)
		if op := o.last(string(payment.Refund), f.ID); op != nil && f.Status == RefundRefused {
			status += ", " + brief(op.Code)
		}
		rows = append(rows, []string{fmt.Sprint(f.Number), o.format(f.Amount), f.Cause, status, code(f.ID)})
	}
	p.table(tableRefunds, "", rows)
}

func (p *page) returns(o *Order) {
	for _, r := range o.Returns[:min(len(o.Returns), 10)] {
		call := ""
		if r.AttentionCode != "" {
			call = " · **attention: " + r.AttentionCode + "**"
		}
		p.say("[Return %d](%s): %s%s", r.Number, RunLink("return/"+r.ID), r.Status, call)
	}
}

// returnDetails is what an operator sees first when he opens the run of a return.
func (o *Order) returnDetails(r *Return) string {
	var p page
	p.say("**%s**%s", title(string(r.Status)), r.waitsFor())
	p.say("return %d of [order %s](%s)", r.Number, code(o.ID), RunLink("order/"+o.ID))
	p.attention(r.AttentionCode, r.AttentionDetail, r.AttentionSince, r.Settled)
	p.next(o.returnAlarm(r))
	if e := o.Estimate(*r); e.Refund > 0 && !r.Status.Final() {
		p.say("**Pays back** up to %s %s, if all of it comes back as new", money.Format(e.Refund, o.Currency), o.Currency)
	}
	p.returned(r)
	p.refunds(o, func(f Refund) bool { return f.ReturnID == r.ID })
	if !r.Settled { // else the run has ended
		p.say("%s", r.cancelling())
	}
	p.say("%s", moment(markEnd, &o.UpdatedAt))
	return p.text()
}

// waitsFor says on whom a return waits, until when, and for what.
func (r Return) waitsFor() string {
	switch {
	case r.WaitingFor == WaitingNothing:
		return ""
	case r.Status == returns.Requested:
		return " · **waits for an operator** to decide: the update `approve` or `decline`"
	case r.WaitingFor == WaitingOperator:
		return " · **waits for an operator**" // whose deadline is that of something else
	}
	return fmt.Sprintf(" · **waits for %s**%s", waited[r.WaitingFor], moment(" until ", r.Deadline))
}

// returned says what of a return came back, how, and what was found of it.
func (p *page) returned(r *Return) {
	gone := "given up"
	if r.Returnless {
		gone = "left with the customer"
	}
	var lines, graded, unexpected [][]string
	for _, l := range r.Lines {
		lines = append(lines, []string{code(l.SKU), fmt.Sprint(l.Quantity), string(l.Reason), listing(part{l.Received, "received"}, part{l.Inspected, "graded"}, part{l.Dismissed, gone})})
	}
	for _, i := range r.Inspections {
		graded = append(graded, []string{code(i.SKU), fmt.Sprint(i.Quantity), string(i.Grade), fmt.Sprintf("%d %%", i.Percent), string(i.Stock), brief(i.LocationID)})
	}
	p.table(tableReturn, "", lines)
	for _, u := range r.Unexpected {
		unexpected = append(unexpected, []string{code(u.SKU), fmt.Sprint(u.Quantity), brief(u.LocationID)})
	}
	p.table(tableGraded, "", graded)
	p.table(tableUnexpected, "", unexpected)
	if r.TrackingNumber != "" {
		seen := ""
		if r.Status == returns.Approved || r.Status == returns.InTransit { // later it is here, whatever was scanned last
			seen = strings.TrimSuffix(" · "+string(r.TrackingStatus), " · ")
		}
		p.say("Parcel back: %s %s%s", brief(r.Carrier), code(r.TrackingNumber), seen)
	}
}

// cancelling says what it would do to cancel the return now.
func (r Return) cancelling() string {
	if returns.Cancel.Allows(r.Status) {
		return markCancel
	}
	if r.Status.Final() {
		return "**Request Cancellation** would change nothing: the return is " + string(r.Status)
	}
	return "**Request Cancellation** would be refused: the return is " + string(r.Status)
}

// moment is a time for a person, after a word, or nothing.
func moment(word string, at *time.Time) string {
	if at == nil {
		return ""
	}
	return word + at.UTC().Format("2006-01-02 15:04 MST")
}

// title is a status as a headline begins.
func title(status string) string {
	status = strings.ReplaceAll(status, "_", " ")
	return strings.ToUpper(status[:1]) + status[1:]
}

// code is a name that somebody chose, as code: nothing in it is markup.
func code(name string) string {
	if name == "" {
		return ""
	}
	return "`" + strings.NewReplacer("`", "'", "|", "/").Replace(oneLine(name, 60)) + "`"
}

// brief is a text that somebody wrote, without markup.
func brief(text string) string {
	return strings.NewReplacer("<", "&lt;", "*", "\\*", "[", "\\[", "`", "'", "|", "/").Replace(oneLine(text, 300))
}

// oneLine is a text without line breaks, cut when it is longer than so many characters.
func oneLine(text string, most int) string {
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) <= most {
		return string(letters)
	}
	return string(letters[:most-1]) + "…"
}
