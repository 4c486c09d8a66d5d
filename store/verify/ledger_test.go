package verify_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/store/verify"
)

// Without the sandbox's ledgers there is no witness, and nobody may think that there was.
func TestNoWitness(t *testing.T) {
	db := open(t)
	db.exec(`DROP SCHEMA sandbox CASCADE`)
	findings := db.verify()
	require.Empty(t, violated(findings))
	require.Equal(t, unasked+2, verify.NotChecked(findings))
	for _, id := range []string{"V-M6", "V-M7"} {
		require.Contains(t, finding(t, findings, id).NotChecked, "no ledgers")
	}
}

func TestWitnessElsewhere(t *testing.T) {
	db, witness := open(t), open(t)
	here := finding(t, db.verify(), "V-M6")
	db.exec(`DROP SCHEMA sandbox CASCADE`)
	elsewhere := func(o *verify.Options) { o.SandboxURL = witness.url }
	findings := db.verify(elsewhere)
	require.Empty(t, violated(findings))
	require.Equal(t, here, finding(t, findings, "V-M6"), "the same as in one database")
	require.True(t, finding(t, findings, "V-M7").Holds())

	witness.exec(theirs("capture/shp_nobody", "refused", "0"))
	witness.exec(`UPDATE sandbox.authorizations SET captured = 1 WHERE order_id = ord('accepted')`)
	found := violated(db.verify(elsewhere))
	require.Len(t, found, 2, "%v", found)
	require.Equal(t, "capture/shp_nobody", found["V-M6"][0].Subject)
	require.Len(t, found["V-M7"], 1)
}

// What is written down, sent and applied between the moments of the two databases is no violation.
func TestWitnessIsLater(t *testing.T) {
	db, witness := open(t), open(t)
	f, err := verify.Witness(t.Context(), verify.Options{DatabaseURL: db.url, SandboxURL: witness.url}, func() {
		db.exec(asking("refund", "wrong-capture", "", "1"))
		witness.exec(theirs("refund/rfd_wrong-capture", "refused", "0"))
	})
	require.NoError(t, err)
	require.Empty(t, f.Violations)
	require.Zero(t, f.Count)
}

// A witness that is away leaves its invariants unchecked, and says so; the others are checked.
func TestWitnessAway(t *testing.T) {
	db := open(t)
	findings, err := verify.Run(t.Context(), verify.Options{DatabaseURL: db.url, SandboxURL: db.url + "_which_is_not_there"})
	require.Error(t, err)
	require.Empty(t, violated(findings))
	require.Equal(t, unasked+2, verify.NotChecked(findings))
	require.Contains(t, finding(t, findings, "V-M6").NotChecked, "does not answer")
}

// Books of several pages are walked through side by side, wherever the pages end.
func TestLargeBooks(t *testing.T) {
	const rows = 2*verify.PageSize + 1
	db := open(t)
	before := finding(t, db.verify(), "V-M6")
	db.exec(fmt.Sprintf(`
		INSERT INTO sandbox.carrier_ledger (key, kind, order_id, shipment_id, label_reference, tracking_number, service, cost, currency, outcome, code, detail, reference, applied_at)
		SELECT 'label/many_' || n, 'label', ord('accepted'), 'many_' || n, '', '', '', 0, 'USD', 'refused', 'no', '', '', now() FROM generate_series(1, %d) n`, rows))
	require.EqualValues(t, rows, finding(t, db.verify(), "V-M6").Count, "they have what we have not")
	db.exec(fmt.Sprintf(`
		INSERT INTO operations (key, order_id, kind, payment_id, shipment_id, amount, applied, state, attempts, reference, code, detail, created_at, updated_at)
		SELECT 'label/many_' || n, ord('accepted'), 'label', '', 'many_' || n, 0, 0, 'refused', 0, '', '', '', now(), now() FROM generate_series(1, %d) n`, rows))
	require.Equal(t, before, finding(t, db.verify(), "V-M6"), "both have the same")
	db.exec(`
		ALTER TABLE sandbox.carrier_ledger DISABLE TRIGGER carrier_ledger_append_only;
		DELETE FROM sandbox.carrier_ledger WHERE key LIKE 'label/many_%'`)
	require.EqualValues(t, rows, finding(t, db.verify(), "V-M6").Count, "we have what they have not")
}
