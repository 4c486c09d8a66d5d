package sandbox

import (
	"testing"
	"time"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/gateways/gatewaytest"
	"github.com/waybill-oms/waybill/gateways/sandbox/sandboxtest"
)

func TestPaymentsContract(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	gatewaytest.Payments(t, func(*testing.T) gatewaytest.PaymentsUnderTest { return sandboxtest.Payments(s.Payments()) })
	checkBooks(t, s)
}

func TestCarrierContract(t *testing.T) {
	url := devtest.Database(t)
	gatewaytest.Carrier(t, func(t *testing.T) gatewaytest.CarrierUnderTest {
		passed := newClock()
		start := time.Now()
		options := quick
		options.Clock = func() time.Time { return passed.now().Add(time.Since(start)) } // runs, and can be moved
		return sandboxtest.Carrier(open(t, url, options).Carrier(), func() { passed.pass(30 * 24 * time.Hour) })
	})
}

// checkBooks compares what was done to every hold with the ledger's sums, in both directions.
func checkBooks(t *testing.T, s *Sandbox) {
	t.Helper()
	const differing = `
		SELECT count(*) FROM sandbox.authorizations a FULL JOIN (
			SELECT authorization_reference,
				sum(amount) FILTER (WHERE kind = 'authorize') AS authorized,
				coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captured,
				coalesce(sum(amount) FILTER (WHERE kind = 'void'), 0) AS voided,
				coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded
			FROM sandbox.payment_ledger WHERE outcome = 'succeeded' GROUP BY authorization_reference
		) l ON l.authorization_reference = a.reference
		WHERE (a.authorized, a.captured, a.voided, a.refunded)
			IS DISTINCT FROM (l.authorized, l.captured, l.voided, l.refunded)`
	if n := count(t, s, differing); n != 0 {
		t.Errorf("%d holds differ from the ledger", n)
	}
	const unasked = `
		SELECT count(*) FROM sandbox.payment_ledger l
		LEFT JOIN sandbox.requests r ON r.gateway = 'payments' AND r.key = l.key WHERE r.key IS NULL`
	if n := count(t, s, unasked); n != 0 {
		t.Errorf("%d ledger rows without a request", n)
	}
}
