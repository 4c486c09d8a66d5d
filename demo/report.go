package demo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// Report is what Waybill says has become of a run's orders. Amounts are minor units of their currency.
type Report struct {
	Code    string  `json:"code"` // every external id of the run begins with it
	Seed    int64   `json:"seed"`
	Seconds float64 `json:"seconds"` // that it took to play the orders

	Wanted   int       `json:"orders_wanted"`
	Played   int       `json:"orders_played"`    // to their end
	CutShort int       `json:"orders_cut_short"` // by an interruption
	Read     int       `json:"orders_read_back"`
	Failures []Failure `json:"failures"`

	Outcomes []Outcome `json:"outcomes"`
	Money    []Money   `json:"money"`
	Units    Units     `json:"units"`
	Stages   []Stage   `json:"stages"`
	Kinds    []Kind    `json:"kinds"`
}

// Outcome is how many orders stand alike.
type Outcome struct {
	Status      client.OrderStatus       `json:"status"`
	Payment     client.PaymentStatus     `json:"payment_status"`
	Fulfillment client.FulfillmentStatus `json:"fulfillment_status"`
	Return      client.ReturnStatus      `json:"return_status"`
	Orders      int                      `json:"orders"`
}

// Kind is one order of a scenario, to look at.
type Kind struct {
	Scenario
	Orders     int      `json:"orders"` // that were played of it
	OrderID    string   `json:"order_id"`
	ExternalID string   `json:"external_id"`
	Stands     string   `json:"stands"`
	Run        bool     `json:"run"`   // it has, or had, a run
	Links      []string `json:"links"` // to the order's run, and those of its returns, in Temporal's web UI
}

// tale is all that the API has to say about one order.
type tale struct {
	order    *client.Order
	timeline []client.TimelineEntry
	returns  []*client.Return
	kind     int // of scenario
}

// Foots reports whether the money and the units add up.
func (r *Report) Foots() bool {
	return len(r.Units.Differences) == 0 && !slices.ContainsFunc(r.Money, func(m Money) bool { return len(m.Differences) > 0 })
}

// report reads every order of the run back.
func (r *run) report(ctx context.Context, plays []*play) (*Report, error) {
	report := &Report{Code: r.code, Seed: r.Seed, Wanted: r.Orders, Failures: []Failure{}}
	tales, err := r.readBack(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(plays, func(a, b *play) int { return cmp.Compare(a.number, b.number) })
	found := map[string]int{}
	for _, t := range tales {
		found[t.order.ID]++
	}
	for _, p := range plays {
		if p.cutShort {
			report.CutShort++
			continue
		}
		report.Played++
		if p.failure != nil {
			report.Failures = append(report.Failures, *p.failure)
		} else if n := found[p.order.ID]; n != 1 {
			report.Failures = append(report.Failures, Failure{Scenario: p.scenario.Name, ExternalID: p.externalID(), OrderID: p.order.ID,
				Step: "read back", Expected: "the order, once, in GET /v1/orders", Got: fmt.Sprintf("%d times", n)})
		}
	}
	report.Read = len(tales)
	report.Outcomes, report.Money, report.Units, report.Stages = outcomes(tales), moneyOf(tales), unitsOf(tales), stagesOf(tales)
	report.Kinds, err = r.kinds(ctx, tales)
	return report, err
}

// outcomes counts the orders that stand alike, most first.
func outcomes(tales []tale) []Outcome {
	counted := map[Outcome]int{}
	for _, t := range tales {
		counted[Outcome{t.order.Status, t.order.PaymentStatus, t.order.FulfillmentStatus, t.order.ReturnStatus, 0}]++
	}
	list := []Outcome{}
	for o, n := range counted {
		o.Orders = n
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	return list
}

// kinds picks the first order of each scenario.
func (r *run) kinds(ctx context.Context, tales []tale) ([]Kind, error) {
	byKind := map[int]*Kind{}
	for _, t := range tales { // in the order in which they were placed
		if k := byKind[t.kind]; k != nil {
			k.Orders++
			continue
		}
		k := &Kind{Scenario: scenarios[t.kind], Orders: 1, OrderID: t.order.ID, ExternalID: t.order.ExternalID, Links: []string{}}
		byKind[t.kind] = k
		var back *client.Return
		if len(t.returns) > 0 {
			back = t.returns[0]
		}
		k.Stands = stand(t.order, back)
		progress, err := r.API.GetOrderProgressWithResponse(ctx, t.order.ID)
		if err != nil {
			return nil, err
		}
		of, err := only(progress.JSON200)
		if err != nil {
			return nil, err
		}
		if k.Run = t.hasRun(); k.Run {
			k.Links = r.links(of.WorkflowID, t.returns)
		}
	}
	list := []Kind{}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		list = append(list, *byKind[kind])
	}
	return list, nil
}

// hasRun tells whether a run was ever needed: an order that is plainly short is turned away before any gateway is asked.
func (t tale) hasRun() bool {
	return t.order.Status != client.OrderStatusRejected || len(t.order.Payments) > 0
}

// links lead to runs by their workflow ids: the UI shows the newest run of each.
func (r *run) links(workflowID string, returns []*client.Return) []string {
	list := []string{}
	if r.UI == "" {
		return list
	}
	list = append(list, r.UI+"/workflows/"+url.PathEscape(workflowID))
	for _, back := range returns {
		list = append(list, r.UI+"/workflows/"+url.PathEscape("return/"+back.ID))
	}
	return list
}

// Stage is how long orders took from one event of their timeline to another.
type Stage struct {
	Name    string        `json:"name"`
	Counts  string        `json:"counts"` // which times are in it
	Times   int           `json:"times"`
	Median  time.Duration `json:"median_ns"`
	Slowest time.Duration `json:"slowest_ns"`
	OrderID string        `json:"slowest_order_id"`
}

// stages say what is measured. until is the first such event, or the last one.
var stages = []struct {
	name, counts, from, until string
	last                      bool
}{
	{"placed → accepted", "until money is held and stock is found, on any card", "order.received", "order.accepted", false},
	{"accepted → first pick", "until the first report of a picker, holds included", "order.accepted", "fulfillment.picked", false},
	{"first pick → first parcel shipped", "label, money and hand-over of the first parcel", "fulfillment.picked", "shipment.shipped", false},
	{"first shipped → last delivered", "until the last scan at a door, later parcels included", "shipment.shipped", "shipment.delivered", true},
}

func stagesOf(tales []tale) []Stage {
	list := []Stage{}
	for _, s := range stages {
		stage := Stage{Name: s.name, Counts: s.counts}
		var took []time.Duration
		for _, t := range tales {
			from, until := event(t.timeline, s.from, false), event(t.timeline, s.until, s.last)
			if from != nil && until != nil {
				took = stage.take(took, until.Sub(*from), t.order.ID)
			}
		}
		list = append(list, stage.done(took))
	}
	refunds := Stage{Name: "return requested → refunded", Counts: "until the return's last refund is paid, also elsewhere"}
	var took []time.Duration
	for _, t := range tales {
		for _, back := range t.returns {
			from, until := ofReturn(t.timeline, back.ID, "return.requested"), ofReturn(t.timeline, back.ID, "payment.refunded")
			if from != nil && until != nil {
				took = refunds.take(took, until.Sub(*from), t.order.ID)
			}
		}
	}
	return append(list, refunds.done(took))
}

func (s *Stage) take(took []time.Duration, d time.Duration, orderID string) []time.Duration {
	if d >= s.Slowest {
		s.Slowest, s.OrderID = d, orderID
	}
	return append(took, d)
}

func (s *Stage) done(took []time.Duration) Stage {
	slices.Sort(took)
	if s.Times = len(took); s.Times > 0 {
		s.Median = took[(len(took)-1)/2]
	}
	return *s
}

// event is when something of a type happened, first or last; nil when it did not.
func event(timeline []client.TimelineEntry, of string, last bool) (at *time.Time) {
	for _, e := range timeline {
		if e.Type == of && (at == nil || last) {
			at = &e.At
		}
	}
	return at
}

// ofReturn is when something of a type last happened to a return.
func ofReturn(timeline []client.TimelineEntry, returnID, of string) (at *time.Time) {
	for _, e := range timeline {
		if e.Type == of && e.ReturnID != nil && *e.ReturnID == returnID {
			at = &e.At
		}
	}
	return at
}
