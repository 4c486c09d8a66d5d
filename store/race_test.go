package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
)

// crowdEnv makes this test binary a process of buyers. Its value is a crowd, as JSON.
const crowdEnv = "WAYBILL_STORE_TEST_CROWD"

// crowd is buyers in one process. Each has a store of its own: an allocator and a connection.
type crowd struct {
	DatabaseURL string   `json:"database_url"`
	Orders      []string `json:"orders"`
	Unguarded   bool     `json:"unguarded"`
}

// outcomes counts what came of requests: a status, or the code of a refusal.
type outcomes map[string]int

func (o outcomes) add(other outcomes) {
	for outcome, n := range other {
		o[outcome] += n
	}
}

// buy allocates every order at once, as soon as everybody is ready and start returns.
func (c crowd) buy(ctx context.Context, start func()) (outcomes, error) {
	stores := make([]*Store, len(c.Orders))
	for i := range stores {
		s, err := Open(ctx, c.DatabaseURL, Options{MaxConns: 1})
		if err != nil {
			return nil, err
		}
		defer func() { _ = s.Close() }()
		stores[i] = s
	}
	start()
	return together(len(stores), func(i int) (*order.Order, error) { return stores[i].Allocate(ctx, c.Orders[i], act()) }), nil
}

// together does n things at once. What the database could not do in time is asked for again, as activities do.
func together(n int, do func(i int) (*order.Order, error)) outcomes {
	results := make(chan string)
	for i := range n {
		go func() {
			o, err := do(i)
			for f := fault.As(err); f != nil && f.Kind == fault.Unavailable; f = fault.As(err) {
				o, err = do(i)
			}
			results <- outcomeOf(o, err)
		}()
	}
	all := outcomes{}
	for range n {
		all[<-results]++
	}
	return all
}

func outcomeOf(o *order.Order, err error) string {
	switch f := fault.As(err); {
	case f != nil:
		return f.Code
	case err != nil:
		return err.Error()
	}
	return string(o.Status)
}

// childMain makes the process a crowd, if that is what it was started for: it says when it is ready, starts when
// it is told to, and tells what came of it.
func childMain() {
	told := os.Getenv(crowdEnv)
	if told == "" {
		return
	}
	var c crowd
	err := json.Unmarshal([]byte(told), &c)
	if err == nil && c.Unguarded {
		lockClause, stockLock = "", ""
	}
	var bought outcomes
	if err == nil {
		bought, err = c.buy(context.Background(), func() {
			fmt.Println("ready")
			if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
				os.Exit(1) // the test is over
			}
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(bought)
	os.Exit(0)
}

// unlock takes the row locks away, until the test is over.
func unlock(t *testing.T) {
	orders, stock := lockClause, stockLock
	t.Cleanup(func() { lockClause, stockLock = orders, stock })
	lockClause, stockLock = "", ""
}

// unversion takes the guard away that an order is only written over the version that was read.
func unversion(t *testing.T) {
	guarded := versionClause
	t.Cleanup(func() { versionClause = guarded })
	versionClause = "TRUE OR TRUE" // whatever is asked besides
}

// drop takes constraints away from the test's own database.
func drop(t *testing.T, s *Store, statements ...string) {
	for _, statement := range statements {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

// wait returns when enough transactions stand in front of the gate, and enough behind those.
func wait(t *testing.T, g *devtest.Gate, here, behind int) {
	t.Helper()
	require.Eventually(t, func() bool {
		h, b := g.Waiting()
		return h == here && b == behind
	}, time.Minute, 5*time.Millisecond, "never %d at the gate and %d behind them", here, behind)
}

// buyers is how many want the one unit, half of them in another process.
const buyers = 64

// oneUnit lets two processes race for one unit, with a connection for each buyer. All of them have decided, or wait
// for one who has, before the first may write.
func oneUnit(t *testing.T, s *Store, url string, unguarded bool) (got outcomes) {
	stock(t, s, "nyc", "TEE-M", 1)
	ids := paid(t, s, buyers)
	here := crowd{DatabaseURL: url, Unguarded: unguarded, Orders: ids[:buyers/2]}
	there := crowd{DatabaseURL: url, Unguarded: unguarded, Orders: ids[buyers/2:]}
	told, err := json.Marshal(there)
	require.NoError(t, err)
	child := devtest.StartChild(t, crowdEnv+"="+string(told))
	require.True(t, child.Stdout.Scan())
	require.Equal(t, "ready", child.Stdout.Text())

	gate := devtest.CloseGate(t, url, "orders")
	done := make(chan error, 1)
	go func() {
		var err error
		got, err = here.buy(t.Context(), func() { _, _ = io.WriteString(child.Stdin, "\n") })
		done <- err
	}()
	if unguarded {
		wait(t, gate, buyers, 0)
	} else {
		wait(t, gate, 1, buyers-1)
	}
	gate.Open()
	require.NoError(t, <-done)
	require.True(t, child.Stdout.Scan())
	var others outcomes
	require.NoError(t, json.Unmarshal(child.Stdout.Bytes(), &others))
	got.add(others)
	return got
}

func level(t *testing.T, s *Store) Level {
	t.Helper()
	levels, err := s.Levels(t.Context(), LevelFilter{SKU: "TEE-M"})
	require.NoError(t, err)
	require.Len(t, levels, 1)
	return levels[0]
}

func TestManyBuyersForOneUnit(t *testing.T) {
	t.Run("one gets it", func(t *testing.T) {
		url := devtest.Database(t)
		s := openURL(t, url)
		require.Equal(t, outcomes{"accepted": 1, "rejected": buyers - 1}, oneUnit(t, s, url, false))
		require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 1, Committed: 1}, level(t, s))
	})
	t.Run("without locks the constraint stops all but one", func(t *testing.T) {
		unlock(t)
		url := devtest.Database(t)
		s := openURL(t, url)
		got := oneUnit(t, s, url, true)
		require.Equal(t, 1, got["accepted"], got)
		require.Positive(t, got["below_committed"], got)
		// On a very slow machine the database gives some up at the gate; they come again, and too late.
		require.Equal(t, buyers-1, got["below_committed"]+got["rejected"], got)
		require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 1, Committed: 1}, level(t, s))
	})
	t.Run("without locks and constraint the unit is sold to all", func(t *testing.T) {
		unlock(t)
		url := devtest.Database(t)
		s := openURL(t, url)
		drop(t, s, `ALTER TABLE stock_levels DROP CONSTRAINT stock_levels_committed_within_on_hand`)
		got := oneUnit(t, s, url, true)
		require.Greater(t, got["accepted"], 1, "the test sees an oversell where nothing prevents it: %v", got)
		require.EqualValues(t, got["accepted"], level(t, s).Committed)
	})
}

func openURL(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTwoThousandBuyersForAHundredUnits(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 100)
	const n = 2000
	ids := paid(t, s, n)
	require.Equal(t, outcomes{"accepted": 100, "rejected": n - 100},
		together(n, func(i int) (*order.Order, error) { return s.Allocate(t.Context(), ids[i], act()) }))
	require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 100, Committed: 100}, level(t, s))
}

// paid makes n orders for one unit, each with its money held: what allocation finds.
func paid(t *testing.T, s *Store, n int) (ids []string) {
	t.Helper()
	a := act()
	orders := make([]acted, n)
	for i := range orders {
		p := placement(fmt.Sprint("buyer-", i))
		p.Lines[0].Quantity, p.Total = 1, 1999+330+500
		o := order.Place(p, id.New(id.Order), a)
		o.IdempotencyKey = "key-" + p.ExternalID
		require.NoError(t, answer(o, a))
		orders[i], ids = acted{o, a}, append(ids, o.ID)
	}
	for some := range slices.Chunk(orders, 500) {
		require.NoError(t, s.inTx(t.Context(), func(tx *sqlx.Tx) error { return save(t.Context(), tx, nil, some) }))
	}
	return ids
}
