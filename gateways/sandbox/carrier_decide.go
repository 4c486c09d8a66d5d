package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/shipping"
)

const (
	carrierName     = "Sandbox Parcel"
	carrierCurrency = "USD"

	// What a label costs, in cents: a base, and a step for every 100 g that is begun. Invented, and different
	// enough that a report shows what was chosen.
	standardCost = 595
	expressCost  = 1495
	per100Grams  = 10
)

// label is one label that was sold.
type label struct {
	Reference      string     `db:"reference"`
	Key            string     `db:"key"`
	OrderID        string     `db:"order_id"`
	ShipmentID     string     `db:"shipment_id"`
	TrackingNumber string     `db:"tracking_number"`
	Service        string     `db:"service"`
	WeightGrams    int64      `db:"weight_grams"`
	PostalCode     string     `db:"postal_code"` // a scripted one, or nothing
	PurchasedAt    time.Time  `db:"purchased_at"`
	VoidedAt       *time.Time `db:"voided_at"`
}

// exists tells a label from the empty one that stands for an unknown reference.
func (l label) exists() bool { return l.Reference != "" }

// decideLabel answers a purchase and gives the label that it made, without its tracking number.
func decideLabel(req shipping.Request, now time.Time) (shipping.Answer, label) {
	answer := shipping.Answer{Outcome: shipping.Succeeded, Reference: reference("sbx_label_", req.Key),
		Carrier: carrierName, Currency: carrierCurrency}
	place := postalCode(req.To.PostalCode)
	switch {
	case req.WeightGrams < 0:
		return refuseLabel(answer, "invalid_weight", "the weight is negative"), label{}
	case req.Service == "":
		return refuseLabel(answer, "invalid_service", "no service was chosen"), label{}
	case strings.TrimSpace(req.To.Line1) == "", !countryLike(req.To.Country):
		return refuseLabel(answer, "address_rejected", "the address lacks its first line or a country code"), label{}
	case place.on[shipping.BuyLabel] == refuse:
		return refuseLabel(answer, place.code, "the test postal code asks for this refusal"), label{}
	}
	answer.Cost = costOf(req)
	return answer, label{Reference: answer.Reference, Key: req.Key, OrderID: req.OrderID, ShipmentID: req.ShipmentID,
		Service: req.Service, WeightGrams: req.WeightGrams, PostalCode: place.Code, PurchasedAt: now}
}

// decideVoidLabel answers a void and gives the label as it is afterwards. Its answer names the label.
func decideVoidLabel(l label, now time.Time) (shipping.Answer, label) {
	answer := shipping.Answer{Outcome: shipping.Succeeded, Reference: l.Reference, Carrier: carrierName,
		Currency: carrierCurrency}
	place := postalCode(l.PostalCode)
	switch {
	case !l.exists():
		return refuseLabel(answer, "unknown_label", "there is no such label"), l
	case l.VoidedAt != nil:
		return refuseLabel(answer, "already_voided", "the label was voided before"), l
	case place.on[shipping.VoidLabel] == refuse:
		return refuseLabel(answer, place.code, "the test postal code asks for this refusal"), l
	}
	l.VoidedAt = &now
	return answer, l
}

func refuseLabel(answer shipping.Answer, code, detail string) shipping.Answer {
	answer.Outcome, answer.Code, answer.Detail = shipping.Refused, code, detail
	return answer
}

func costOf(req shipping.Request) int64 {
	base := int64(standardCost)
	if req.Service == "express" {
		base = expressCost
	}
	begun := req.WeightGrams / 100
	if req.WeightGrams%100 > 0 {
		begun++
	}
	return base + begun*per100Grams
}

func countryLike(code string) bool {
	return len(code) == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z'
}

// trackingNumber is the try-th candidate for a key. Twelve digits are few enough to meet by chance once
// there are a million labels, so a taken one is followed by the next.
func trackingNumber(key string, try int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", try, key))
	return fmt.Sprintf("SBX%012d", binary.BigEndian.Uint64(sum[:8])%1_000_000_000_000)
}

// scansUntil is what has been seen of a parcel by now, oldest first. day is how long a carrier's day takes. A
// voided label ends as cancelled.
func scansUntil(l label, now time.Time, day time.Duration) []shipping.Scan {
	end := now
	if l.VoidedAt != nil && l.VoidedAt.Before(now) {
		end = *l.VoidedAt
	}
	scans := []shipping.Scan{}
	for _, s := range postalCode(l.PostalCode).script() {
		at := l.PurchasedAt.Add(scaled(s.after, day))
		if at.After(end) {
			break
		}
		scans = append(scans, shipping.Scan{Status: s.status, OccurredAt: at.UTC(), Location: s.where})
	}
	if l.VoidedAt != nil {
		cancelled := shipping.Scan{Status: shipping.TrackingCancelled, OccurredAt: l.VoidedAt.UTC(), Location: origin}
		scans = append(scans, cancelled)
	}
	return scans
}

// scaled is a time of a script in a carrier's day of that length. Scripts are whole hours, so that dividing
// first loses less than a microsecond an hour.
func scaled(after, day time.Duration) time.Duration {
	hours := int64(after / time.Hour)
	return time.Duration(hours) * (day / 24)
}
