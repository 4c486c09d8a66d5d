package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"time"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3/lock"

	"github.com/waybill-oms/waybill/domain/fault"
)

// newLocker makes migrations of several processes wait for each other.
func newLocker() lock.SessionLocker {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		panic(err) // only wrong options can fail
	}
	return locker
}

// refusals tells what a constraint protects, for those that a caller can run into.
var refusals = map[string]*fault.Fault{
	"stock_levels_committed_within_on_hand":   fault.Conflictf("below_committed", "that would leave less on hand than is committed to orders or not for sale"),
	"stock_levels_on_hand_not_negative":       fault.Conflictf("below_zero", "that would leave less than nothing on hand"),
	"stock_levels_committed_not_negative":     fault.Conflictf("stock_not_committed", "that would release more than is committed"),
	"stock_levels_unavailable_not_negative":   fault.Conflictf("stock_not_unavailable", "that would put more on sale than is set apart"),
	"stock_levels_damaged_within_unavailable": fault.Conflictf("stock_not_unavailable", "that would leave more damaged than is set apart"),
	"payments_captures_within_authorized":     fault.Conflictf("capture_exceeds_authorization", "that would capture more than is authorized"),
	"payments_refunds_within_captured":        fault.Conflictf("refund_exceeds_capture", "that would refund more than was captured"),
	"allocations_close_once":                  fault.Conflictf("allocation_closed", "those units were released or shipped already"),
	"allocations_once_per_fulfillment":        fault.Conflictf("allocation_exists", "those units were allocated already"),
	"order_lines_units_conserved":             fault.Conflictf("units_exceeded", "that would move more units than were ordered"),
	"order_lines_returns_within_delivered":    fault.Conflictf("return_exceeds_delivered", "that would return more units than were delivered"),
	"order_lines_refund_within_credit":        fault.Conflictf("refund_exceeds_credit", "that would give more back than is no longer owed"),
	"orders_shipping_credit_within_charge":    fault.Conflictf("credit_exceeds_charge", "that would credit more shipping than was charged"),
	"orders_shipping_refund_within_credit":    fault.Conflictf("refund_exceeds_credit", "that would give more shipping back than is no longer owed"),
	"credits_cancelled_once":                  fault.Conflictf("units_cancelled", "those units were cancelled already"),
	"fulfillment_lines_pkey":                  fault.Conflictf("units_assigned", "those units are in that fulfillment order already"),
	"fulfillment_lines_in_order":              fault.Conflictf("units_exceeded", "that would pick, pack or ship more units than the fulfillment order has"),
	"short_picks_unit_once":                   fault.Conflictf("short_pick_exists", "those units were reported as not found already"),
	"return_lines_pkey":                       fault.Conflictf("units_returned", "those units are in that return already"),
	"return_lines_in_order":                   fault.Conflictf("return_exceeds_delivered", "that would receive or inspect more units than come back"),
	"return_inspections_pkey":                 fault.Conflictf("units_inspected", "those units were inspected already"),
	"refunds_number_once":                     fault.Conflictf("refund_exists", "there is such a refund already"),
	"operations_one_live_per_shipment":        fault.Conflictf("operation_exists", "the parcel has such an operation already"),
	"operations_one_live_per_refund":          fault.Conflictf("operation_exists", "the refund has such an operation already"),
	"operations_one_live_label_per_return":    fault.Conflictf("operation_exists", "the return has such an operation already"),
}

// classify turns what the driver says into what a caller can act on: a constraint's name into its refusal, a
// lost or silent database into Unavailable, and data that the schema refuses otherwise into a refusal that no
// repetition mends. Anything else stays as it is.
func classify(err error) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	var pe *pq.Error
	if errors.As(err, &pe) {
		if f, ok := refusals[pe.Constraint]; ok {
			return f
		}
		switch pe.Code {
		case "57014", "55P03", "25P03", "57P01", "57P02", "57P03", "40001", "40P01":
			return unavailable()
		case "25006", "0A000": // a standby, or a primary that has just become one
			return readOnly()
		}
		switch pe.Code.Class() {
		case "08": // the connection
			return unavailable()
		case "53", "58": // disk, memory or connections used up; a file that cannot be read or written
			return inTrouble(pe)
		}
		if class := pe.Code.Class(); class == "22" || class == "23" {
			return refused(pe)
		}
		return err
	}
	var ne net.Error
	if errors.As(err, &ne) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) {
		return unavailable()
	}
	return err
}

// refused is the answer to a mistake of ours: facts that the schema does not allow, which sending the same again will
// not change. It names the rule, never the data.
func refused(pe *pq.Error) *fault.Fault {
	rule := pe.Constraint
	if rule == "" {
		rule = pe.Code.Name()
	}
	return fault.Conflictf("facts_refused", "the database does not take these facts: %s", rule)
}

func unavailable() *fault.Fault {
	return &fault.Fault{Kind: fault.Unavailable, Code: "database_unavailable",
		Detail: "the database does not answer in time: send the same request again", RetryAfter: time.Second}
}

// inTrouble says in PostgreSQL's own word what somebody has to mend: disk_full, too_many_connections …
func inTrouble(pe *pq.Error) *fault.Fault {
	return &fault.Fault{Kind: fault.Unavailable, Code: "database_unavailable",
		Detail: "the database cannot do it now (" + pe.Code.Name() + "): send the same request again", RetryAfter: 5 * time.Second}
}

func readOnly() *fault.Fault {
	return &fault.Fault{Kind: fault.Unavailable, Code: "database_unavailable",
		Detail: "the database takes no changes: it is a standby", RetryAfter: 5 * time.Second}
}

// again reports whether the whole transaction may be run once more.
func again(err error) bool {
	var pe *pq.Error
	return errors.As(err, &pe) && (pe.Code == "40001" || pe.Code == "40P01")
}

// violates reports whether err is a violation of the named constraint.
func violates(err error, constraint string) bool {
	var pe *pq.Error
	return errors.As(err, &pe) && pe.Constraint == constraint
}
