package inventory

// State is what may be done with goods that are here.
type State string

const (
	Available      State = "available"       // may be sold
	QualityControl State = "quality_control" // may not be sold until somebody has decided
	Damaged        State = "damaged"         // may not be sold as they are
	Scrapped       State = "scrapped"        // are not here any more
)

// Decided is what somebody decided about units of one SKU that are not for sale, without a return that says so.
type Decided struct {
	SKU      string
	Quantity int64
	From, To State
}

// Movement is what the decision does to the levels of a location, or false when it is none: only goods in quality
// control and damaged ones are decided about, and they become something else.
func (d Decided) Movement(locationID string) (m Movement, ok bool) {
	m = Movement{SKU: d.SKU, LocationID: locationID, Kind: Disposition, Quantity: d.Quantity}
	switch d.From {
	case QualityControl:
	case Damaged:
		m.Damaged = -d.Quantity
	default:
		return Movement{}, false
	}
	switch d.To {
	case Damaged:
		m.Damaged = d.Quantity
	case Available:
		m.Unavailable = -d.Quantity
	case Scrapped:
		m.Unavailable, m.OnHand = -d.Quantity, -d.Quantity
	default:
		return Movement{}, false
	}
	return m, d.To != d.From
}
