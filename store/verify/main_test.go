package verify_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	_ "github.com/lib/pq" // the plants are SQL
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/store/verify"
	"github.com/waybill-oms/waybill/workflows"
)

// Every test database is a copy of one in which all the scenarios of world_test.go have been played.
func TestMain(m *testing.M) {
	devtest.Migrate = play
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

// database is a test's own copy of the world.
type database struct {
	*sqlx.DB
	t   testing.TB
	url string
}

func open(t testing.TB) *database {
	t.Helper()
	url := devtest.Database(t)
	db, err := sqlx.Connect("postgres", url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return &database{DB: db, t: t, url: url}
}

func (d *database) exec(sql string) {
	d.t.Helper()
	_, err := d.ExecContext(d.t.Context(), sql)
	require.NoError(d.t, err, sql)
}

func (d *database) text(sql string) string {
	d.t.Helper()
	var s string
	require.NoError(d.t, d.GetContext(d.t.Context(), &s, sql), sql)
	return s
}

// verify asks without Temporal.
func (d *database) verify(change ...func(*verify.Options)) []verify.Finding {
	d.t.Helper()
	o := verify.Options{DatabaseURL: d.url}
	for _, f := range change {
		f(&o)
	}
	findings, err := verify.Run(d.t.Context(), o)
	require.NoError(d.t, err)
	return findings
}

// violated lists the violations by the id of the invariant.
func violated(findings []verify.Finding) map[string][]verify.Violation {
	found := map[string][]verify.Violation{}
	for _, f := range findings {
		if f.Count > 0 {
			found[f.ID] = f.Violations
		}
	}
	return found
}

func finding(t testing.TB, findings []verify.Finding, id string) verify.Finding {
	t.Helper()
	for _, f := range findings {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("no finding %s", id)
	return verify.Finding{}
}

// deadline bounds the making of the template, which belongs to no test.
func deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 3*time.Minute)
}
