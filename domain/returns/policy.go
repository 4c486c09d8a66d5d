package returns

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

//go:embed policy.json
var defaultPolicy []byte

// Policy is what a shop promises about returns. It is data, frozen on each order when it is placed: what was
// promised then holds, whatever the policy is now. Money is in minor units, by currency code.
type Policy struct {
	Name              string           `json:"name"`
	WindowDays        int              `json:"window_days"`        // from delivery
	TransitDays       int              `json:"transit_days"`       // after these, a parcel counts as delivered though no scan says so
	ExpiresAfterDays  int              `json:"expires_after_days"` // from approval, when the goods do not come
	AutoApprove       bool             `json:"auto_approve"`       // no operator has to say yes
	Label             bool             `json:"label"`              // we buy the label for the way back
	ReturnlessUpTo    map[string]int64 `json:"returnless_up_to"`   // worth no parcel: refunded and kept by the customer
	LabelFee          map[string]int64 `json:"label_fee"`          // taken off the refund once, unless it is our fault
	RestockingPercent int64            `json:"restocking_percent"` // taken off each unit, unless it is our fault
	OurFault          []Reason         `json:"our_fault"`          // refunded in full, whatever the grade, and without fees
	Grades            map[Grade]Rule   `json:"grades"`
}

// Reason is why goods come back.
type Reason string

const (
	ChangedMind    Reason = "changed_mind"
	DoesNotFit     Reason = "does_not_fit"
	Damaged        Reason = "damaged"
	Defective      Reason = "defective"
	WrongItem      Reason = "wrong_item"
	NotAsDescribed Reason = "not_as_described"
	ArrivedLate    Reason = "arrived_late"
	Undeliverable  Reason = "undeliverable" // the carrier brought it back; no customer can give this one
	Other          Reason = "other"
)

// Reasons lists those that a customer may give.
func Reasons() []Reason {
	return []Reason{ChangedMind, DoesNotFit, Damaged, Defective, WrongItem, NotAsDescribed, ArrivedLate, Other}
}

// Grade is what an inspection finds.
type Grade string

const (
	GradeA Grade = "A" // as new
	GradeB Grade = "B" // opened
	GradeC Grade = "C" // to be refurbished
	GradeD Grade = "D" // scrap
	GradeX Grade = "X" // missing: announced, and not in the parcel
)

// Grades lists them in their order.
func Grades() []Grade { return []Grade{GradeA, GradeB, GradeC, GradeD, GradeX} }

// Stock is what becomes of graded goods.
type Stock string

const (
	StockAvailable      Stock = "available"       // sold again
	StockOpenBox        Stock = "open_box"        // sold again under another SKU
	StockQualityControl Stock = "quality_control" // here, and not for sale
	StockDamaged        Stock = "damaged"         // here, and never for sale
	StockNone           Stock = "none"            // not here
)

// Rule is what a grade means: for the stock, and for the money. The two are decided apart.
type Rule struct {
	Stock         Stock  `json:"stock"`
	RefundPercent int64  `json:"refund_percent"`       // of what the unit was sold for, tax included
	SKUSuffix     string `json:"sku_suffix,omitempty"` // open_box only: appended to the SKU
}

// Default is the policy that holds when nobody configured one.
func Default() Policy {
	p, err := Parse(defaultPolicy)
	if err != nil {
		panic(err) // embedded, and tested
	}
	return p
}

// Parse reads a policy file, strictly. Errors say what is wrong and where.
func Parse(body []byte) (Policy, error) {
	var p Policy
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("return policy: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Policy{}, errors.New("return policy: more than one JSON document")
	}
	return p, p.validate()
}

// daysMax is a hundred years: what is longer was meant otherwise, and ends in a year that cannot be written.
const daysMax = 36500

func (p Policy) validate() error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("return policy: "+format, args...)) }
	if p.Name == "" {
		bad("name is empty: orders remember which policy was promised by its name")
	}
	if p.WindowDays < 0 || p.TransitDays < 0 || p.ExpiresAfterDays < 1 {
		bad("window_days and transit_days are 0 or more, expires_after_days is 1 or more")
	}
	if max(p.WindowDays, p.TransitDays, p.ExpiresAfterDays) > daysMax {
		bad("window_days, transit_days and expires_after_days are at most %d", daysMax)
	}
	if p.RestockingPercent < 0 || p.RestockingPercent > 100 {
		bad("restocking_percent is from 0 to 100")
	}
	for _, amounts := range []map[string]int64{p.ReturnlessUpTo, p.LabelFee} {
		for currency, amount := range amounts {
			if amount < 0 {
				bad("an amount in %s is negative", currency)
			}
		}
	}
	for _, r := range p.OurFault {
		if !slices.Contains(append(Reasons(), Undeliverable), r) {
			bad("our_fault: there is no reason %q", r)
		}
	}
	for _, g := range Grades() {
		rule, ok := p.Grades[g]
		switch {
		case !ok:
			bad("grade %s has no rule", g)
		case rule.RefundPercent < 0 || rule.RefundPercent > 100:
			bad("grade %s: refund_percent is from 0 to 100", g)
		case !slices.Contains([]Stock{StockAvailable, StockOpenBox, StockQualityControl, StockDamaged, StockNone}, rule.Stock):
			bad("grade %s: stock %q is none of available, open_box, quality_control, damaged, none", g, rule.Stock)
		case (rule.Stock == StockOpenBox) != (rule.SKUSuffix != ""):
			bad("grade %s: sku_suffix goes with open_box, and only with it", g)
		case (g == GradeX) != (rule.Stock == StockNone) || g == GradeX && rule.RefundPercent != 0:
			bad("grade X, and no other, is missing: stock none, refund_percent 0")
		}
	}
	if len(p.Grades) > len(Grades()) {
		bad("grades are A, B, C, D and X")
	}
	return errors.Join(wrong...)
}

// AtOurFault reports whether a reason is ours to pay for.
func (p Policy) AtOurFault(r Reason) bool { return slices.Contains(p.OurFault, r) }

// Percent is the share of a unit's price that is given back: by grade, less the restocking fee; all of it for what
// is our fault. Missing goods give nothing back, whoever's fault it is.
func (p Policy) Percent(g Grade, r Reason) int64 {
	switch {
	case g == GradeX:
		return 0
	case p.AtOurFault(r):
		return 100
	}
	return max(p.Grades[g].RefundPercent-p.RestockingPercent, 0)
}

// WindowEnds is until when goods delivered at this time may be announced as coming back.
func (p Policy) WindowEnds(delivered time.Time) time.Time {
	return delivered.AddDate(0, 0, p.WindowDays)
}

// PresumedDelivered is when a parcel that was handed over counts as delivered though no scan says so.
func (p Policy) PresumedDelivered(handedOver time.Time) time.Time {
	return handedOver.AddDate(0, 0, p.TransitDays)
}

// Expires is until when the goods of a return that was approved at this time have to be here.
func (p Policy) Expires(approved time.Time) time.Time {
	return approved.AddDate(0, 0, p.ExpiresAfterDays)
}

// Share is a percentage of one unit's worth, in whole minor units. The rest stays with the shop.
func Share(value, percent int64) int64 { return value/100*percent + value%100*percent/100 }
