package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
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
	"stock_levels_committed_within_on_hand": fault.Conflictf("below_committed", "that would leave less on hand than is committed to orders"),
	"stock_levels_on_hand_not_negative":     fault.Conflictf("below_zero", "that would leave less than nothing on hand"),
	"stock_levels_committed_not_negative":   fault.Conflictf("stock_not_committed", "that would release more than is committed"),
	"payments_captures_within_authorized":   fault.Conflictf("capture_exceeds_authorization", "that would capture more than is authorized"),
	"payments_refunds_within_captured":      fault.Conflictf("refund_exceeds_capture", "that would refund more than was captured"),
	"allocations_close_once":                fault.Conflictf("allocation_closed", "those units were released or shipped already"),
	"order_lines_units_conserved":           fault.Conflictf("units_exceeded", "that would move more units than were ordered"),
	"operations_one_live_per_shipment":      fault.Conflictf("operation_exists", "the parcel has such an operation already"),
}

// classify turns what the driver says into what a caller can act on: a constraint's name into its refusal, a
// lost or silent database into Unavailable. Anything else stays as it is.
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
		case "57014", "55P03", "25P03", "57P01", "57P02", "57P03", "53300", "40001", "40P01":
			return unavailable()
		}
		if strings.HasPrefix(string(pe.Code), "08") {
			return unavailable()
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

func unavailable() *fault.Fault {
	return &fault.Fault{Kind: fault.Unavailable, Code: "database_unavailable",
		Detail: "the database does not answer in time: send the same request again", RetryAfter: time.Second}
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
