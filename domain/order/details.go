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
)

const (
	// detailsMax bounds the details of a run in bytes. Temporal takes 20,000; what is left is for what the run itself
	// has to say, and for links that grow when they are resolved.
	detailsMax = 15_000
	// rowsMax is how many rows of each table are shown: nobody reads more, and the API has them all.
	rowsMax = 20
)

// RunLink is the address of a run in details, before the run itself has made it one of the web UI.
func RunLink(workflowID string) string { return "run:" + workflowID }

// page is markdown that an operator reads. Names that somebody else chose are put through code or brief, so that none
// of them ends a table's cell or becomes markup.
type page struct{ strings.Builder }

// say adds a paragraph.
func (p *page) say(format string, args ...any) { fmt.Fprintf(p, format+"\n\n", args...) }

// table adds a table under a title, of which only the first rows are shown. The web UI draws no lines between cells and
// trims plain spaces: a wide one keeps them apart.
func (p *page) table(title string, rows [][]string, header ...string) {
	if len(rows) == 0 {
		return
	}
	p.say("**%s**", title)
	line := func(cells []string) { p.WriteString("| " + strings.Join(cells, "\u2003 | ") + " |\n") }
	line(header)
	p.WriteString(strings.Repeat("|:---", len(header)) + "|\n")
	for _, cells := range rows[:min(len(rows), rowsMax)] {
		line(cells)
	}
	p.WriteString("\n")
	if more := len(rows) - rowsMax; more > 0 {
		p.say("… and %d more", more)
	}
}

// text is the page, cut at the end of a line when it is too long. The web UI hides the last line:
// it is empty.
func (p *page) text() string {
	const end = "\n\n\u00a0\n"
	text := strings.TrimSpace(p.String())
	if len(text)+len(end) > detailsMax {
		const cut = "\n\n… cut here: the API has everything"
		text = text[:detailsMax-len(end)-len(cut)]
		text = text[:strings.LastIndexByte(text, '\n')] + cut
	}
	return text + end
}

// attention says first what somebody is called for, what that means and what to do.
func (p *page) attention(o *Order, returnID, code, detail string, since *time.Time) {
	if code == "" {
		return
	}
	g := GuideTo(code)
	p.say("> **Attention: %s**%s", code, moment(" since ", since))
	p.say("%s", brief(detail))
	p.say("**What it means:** %s", g.Meaning)
	p.say("**What to do:** %s", g.For(o.ID, returnID))
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
	p.attention(o, "", o.AttentionCode, o.AttentionDetail, o.AttentionSince)
	p.holds(o)
	p.next(o.alarm())
	p.lines(o)
	p.fulfillments(o)
	p.money(o)
	p.parcels(o)
	p.refunds(o, func(f Refund) bool { return f.ReturnID == "" })
	p.returns(o)
	p.say("**Request Cancellation** %s", o.cancelling())
	p.say("As of %s, version %d. Everything: `GET /v1/orders/%s`, what happened: `GET /v1/orders/%s/timeline`",
		moment("", &o.UpdatedAt), o.Version, o.ID, o.ID)
	return p.text()
}

// waitsFor says on whom an order waits, where, and until when.
func (o *Order) waitsFor() string {
	if o.WaitingFor == WaitingNothing {
		return ""
	}
	at := ""
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

// cancelling says what it would do to cancel the order now.
func (o *Order) cancelling() string {
	if err := o.stillHere(); err != nil {
		return "would be refused: " + fault.As(err).Detail
	}
	if o.Status.Final() {
		return "would change nothing: the order is " + string(o.Status)
	}
	return "cancels the whole order: held money is let go and taken money refunded, stock released, labels voided"
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
		p.say("**Hold %s**%s: the %s is to answer; blocks %s%s", brief(h.Reason), where, h.Owner, strings.Join(h.Blocks, ", "), moment("; until ", h.Deadline))
		if h.Reason == HoldAwaitingPayment {
			p.say("Another way to pay ends it: `POST /v1/orders/%s/payment`", o.ID)
		} else {
			p.say("To release it: the update `release_hold` with `%s`", which)
		}
	}
}

func (p *page) lines(o *Order) {
	var rows [][]string
	for _, l := range o.Lines {
		rows = append(rows, []string{code(l.SKU), fmt.Sprint(l.Quantity), l.whereabouts()})
	}
	p.table("Lines", rows, "SKU", "ordered", "now")
}

// whereabouts says where a line's units are.
func (l Line) whereabouts() string {
	return listing(
		part{l.Cancelled, "cancelled"}, part{l.Backordered, "waiting for stock"}, part{l.Open() - l.Backordered, "not shipped"},
		part{l.Shipped - l.Delivered - l.Lost - l.Undelivered, "on the way"}, part{l.Delivered, "delivered"}, part{l.Lost, "lost"},
		part{l.Undelivered, "not delivered, coming back"}, part{l.Returned, "returned"})
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
		rows = append(rows, []string{fmt.Sprintf("%d at %s", f.Number, brief(f.LocationID)), string(f.Status),
			fmt.Sprintf("%d", units), listing(part{picked, "picked"}, part{packed, "packed"}, part{shipped, "shipped"}, part{short, "not found"})})
	}
	p.table("Warehouse", rows, "fulfillment order", "status", "units", "of them")
}

func (p *page) money(o *Order) {
	var rows [][]string
	for _, m := range o.Payments {
		rows = append(rows, []string{fmt.Sprintf("%d on %s", m.Number, m.Gateway), strings.TrimSpace(string(m.Status) + " " + brief(m.RefusalCode)),
			money.Format(m.Open()+m.Capturing, m.Currency), money.Format(m.Captured, m.Currency), money.Format(m.Voided+m.Expired, m.Currency), money.Format(m.Refunded, m.Currency)})
	}
	p.table("Money, "+o.Currency, rows, "payment", "status", "held", "captured", "let go", "refunded")
}

func (p *page) parcels(o *Order) {
	var rows [][]string
	for _, s := range o.Shipments {
		status := string(s.Status)
		if s.TrackingStatus.Exception() {
			status += ", " + string(s.TrackingStatus)
		}
		rows = append(rows, []string{fmt.Sprint(s.Number), status, brief(s.Carrier), code(s.TrackingNumber)})
	}
	p.table("Parcels", rows, "parcel", "status", "carrier", "tracking number")
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
	p.table("Refunds", rows, "refund", "amount", "for what was", "status", "id")
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
	waits := ""
	if r.WaitingFor != WaitingNothing {
		waits = fmt.Sprintf(" · **waits for %s**%s", waited[r.WaitingFor], moment(" until ", r.Deadline))
	}
	p.say("**%s**%s", title(string(r.Status)), waits)
	p.say("return %d of [order %s](%s)", r.Number, code(o.ID), RunLink("order/"+o.ID))
	p.attention(o, r.ID, r.AttentionCode, r.AttentionDetail, r.AttentionSince)
	if r.Status == returns.Requested {
		p.say("**Decide:** `POST /v1/returns/%s/approve` or `…/decline`", r.ID)
	}
	p.next(o.returnAlarm(r))
	var rows [][]string
	for _, l := range r.Lines {
		rows = append(rows, []string{code(l.SKU), fmt.Sprint(l.Quantity), string(l.Reason), listing(part{l.Received, "received"}, part{l.Inspected, "graded"}, part{l.Dismissed, "given up"})})
	}
	p.table("Lines", rows, "SKU", "announced", "because", "now")
	if r.TrackingNumber != "" {
		p.say("Parcel back: %s %s · %s", brief(r.Carrier), code(r.TrackingNumber), r.TrackingStatus)
	}
	p.refunds(o, func(f Refund) bool { return f.ReturnID == r.ID })
	p.say("**Request Cancellation** %s", r.cancelling())
	p.say("As of %s, version %d. Everything: `GET /v1/returns/%s`", moment("", &o.UpdatedAt), o.Version, r.ID)
	return p.text()
}

// cancelling says what it would do to cancel the return now.
func (r Return) cancelling() string {
	if returns.Cancel.Allows(r.Status) {
		return "calls the return off: its label is voided, and its units may be announced again"
	}
	if r.Status.Final() {
		return "would change nothing: the return is " + string(r.Status)
	}
	return "would be refused: the return is " + string(r.Status)
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
