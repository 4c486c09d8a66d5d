package verify_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/store/verify"
)

// corruption is one way in which a legal database is corrupted, which exactly the invariant id must report, and those in
// also, for they are about the same fact.
type corruption struct {
	id, name string
	plant    string // SQL; see names for what it may call
	subject  string // SQL: what the violation names
	also     []string
}

// neighbor is the legal state nearest to a fault: in the world from the start, or arranged by SQL.
type neighbor struct {
	id, name string
	arrange  string
	there    string // SQL: true when the state is really there
}

func faults() []corruption {
	return slices.Concat(moneyFaults, creditFaults, witnessFaults, stockFaults, unitFaults, orderFaults, returnFaults)
}

func neighbors() []neighbor {
	return slices.Concat(moneyNeighbors, creditNeighbors, stockNeighbors, unitNeighbors, orderNeighbors, returnNeighbors)
}

// within runs in a transaction that is rolled back.
func (d *database) within(t *testing.T, sql string, check func(tx *sqlx.Tx)) {
	t.Helper()
	tx, err := d.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	if sql != "" {
		_, err = tx.ExecContext(t.Context(), sql)
		require.NoError(t, err)
	}
	check(tx)
}

func TestPlantedFaults(t *testing.T) {
	db := open(t)
	for _, f := range faults() {
		t.Run(f.id+" "+f.name, func(t *testing.T) {
			db.within(t, f.plant, func(tx *sqlx.Tx) {
				findings, err := verify.AskIn(t.Context(), tx)
				require.NoError(t, err)
				found := violated(findings)
				wanted := append([]string{f.id}, f.also...)
				slices.Sort(wanted)
				require.Equal(t, wanted, slices.Sorted(maps.Keys(found)), "%v", found)
				var subject string
				require.NoError(t, tx.GetContext(t.Context(), &subject, "SELECT "+f.subject))
				for _, v := range found[f.id] {
					require.Equal(t, subject, v.Subject)
					require.NotContains(t, v.Detail, "%!")
				}
			})
		})
	}
}

func TestLegalNeighbors(t *testing.T) {
	db := open(t)
	for _, n := range neighbors() {
		t.Run(n.id+" "+n.name, func(t *testing.T) {
			db.within(t, n.arrange, func(tx *sqlx.Tx) {
				var there bool
				require.NoError(t, tx.GetContext(t.Context(), &there, "SELECT "+n.there))
				require.True(t, there, "the neighbor is not there")
				findings, err := verify.AskIn(t.Context(), tx)
				require.NoError(t, err)
				require.Empty(t, violated(findings))
			})
		})
	}
}

// Whoever adds an invariant adds a fault that it must find and a neighbor that it must not report.
func TestEveryInvariantIsTested(t *testing.T) {
	planted, near := map[string]bool{}, map[string]bool{}
	for _, f := range faults() {
		planted[f.id] = true
	}
	for _, n := range neighbors() {
		near[n.id] = true
	}
	for _, r := range runFaults {
		planted[r.id] = true
	}
	for _, r := range runNeighbors {
		near[r.id] = true
	}
	for _, l := range logs {
		if l.violation == "" {
			near[l.id] = true
		} else {
			planted[l.id] = true
		}
	}
	var known []string
	for _, i := range verify.Invariants() {
		known = append(known, i.ID)
		require.True(t, planted[i.ID], "no planted fault for %s", i.ID)
		require.True(t, near[i.ID], "no legal neighbor for %s", i.ID)
		require.True(t, strings.HasSuffix(i.Protects, "."), "%s protects no sentence", i.ID)
	}
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(known))), len(known), "two invariants of one id")
	for id := range planted {
		require.Contains(t, known, id)
	}
}
