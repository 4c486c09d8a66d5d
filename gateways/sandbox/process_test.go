package sandbox

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/payment"
)

// TestManyOpenAtOnce: eight start on a database that has nothing, and each finds the schema whole.
func TestManyOpenAtOnce(t *testing.T) {
	url := devtest.Database(t)
	opened := make(chan error)
	for i := range 8 {
		go func() {
			s, err := Open(t.Context(), url, quick)
			if err == nil {
				_, err = s.Payments().Perform(t.Context(), authorize(string(rune('a'+i)), "tok_ok", 1000))
				err = errors.Join(err, s.Close())
			}
			opened <- err
		}()
	}
	for range 8 {
		require.NoError(t, <-opened)
	}
	s := open(t, url, quick)
	require.Equal(t, int64(8), count(t, s, `SELECT count(*) FROM sandbox.authorizations`))
	require.Equal(t, int64(1), count(t, s, `SELECT count(*) FROM sandbox.schema_steps`))
}

// TestOpenKeepsSecrets: what a library says of a URL may quote the URL.
func TestOpenKeepsSecrets(t *testing.T) {
	for _, url := range []string{"postgres://waybill:hunter2@%zz/orders", "hunter2"} {
		_, err := Open(t.Context(), url, Options{})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// TestFirstIsFirstInEveryProcess: a fault that one process met is not given again, there or elsewhere.
func TestFirstIsFirstInEveryProcess(t *testing.T) {
	url := devtest.Database(t)
	one, other := open(t, url, quick), open(t, url, quick)
	for _, token := range []string{"tok_timeout_before", "tok_timeout_after", "tok_error_500", "tok_garbage"} {
		req := authorize("authorize/"+token, token, 1000)
		_, err := one.Payments().Perform(t.Context(), req)
		require.ErrorIs(t, err, payment.ErrUnknown)
		answer := performed(t, other, req)
		require.Equal(t, payment.Succeeded, answer.Outcome)
		require.Equal(t, answer, performed(t, one, req))
	}
	checkBooks(t, one)
}

// TestThreeProcessesApplyOnce: what several ask at once under one key is in the books once.
func TestThreeProcessesApplyOnce(t *testing.T) {
	url := devtest.Database(t)
	processes := []*Sandbox{open(t, url, quick), open(t, url, quick), open(t, url, quick)}
	held := performed(t, processes[0], authorize("authorize/1", "tok_ok", 1000)).Reference
	for round := range 20 {
		req := on(held, "capture/"+string(rune('a'+round)), payment.Capture, 10)
		answers := make(chan payment.Answer, len(processes))
		for _, s := range processes {
			go func() {
				answer, err := s.Payments().Perform(t.Context(), req)
				if err != nil {
					t.Error(err)
				}
				answers <- answer
			}()
		}
		first := <-answers
		require.Equal(t, first, <-answers)
		require.Equal(t, first, <-answers)
	}
	s := processes[0]
	require.Equal(t, int64(200), count(t, s, `SELECT captured FROM sandbox.authorizations WHERE reference = $1`, held))
	require.Equal(t, int64(60), count(t, s, `SELECT sum(attempts) FROM sandbox.requests WHERE kind = 'capture'`))
	checkBooks(t, s)
}

// TestKilledProcess: a real process is killed after its payment was applied and before it heard of it.
func TestKilledProcess(t *testing.T) {
	url := devtest.Database(t)
	s := open(t, url, quick)
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(program)
	command.Env = append(os.Environ(), childEnv+"="+url)
	command.Stderr = os.Stderr
	require.NoError(t, command.Start())
	gone := make(chan error, 1)
	go func() { gone <- command.Wait() }()
	eventually(t, func() bool { return count(t, s, `SELECT count(*) FROM sandbox.payment_ledger`) == 1 }, "not applied")
	select {
	case err := <-gone:
		require.FailNow(t, "the process ended by itself", "%v", err)
	default:
	}
	require.NoError(t, command.Process.Kill())
	require.Error(t, <-gone)

	found, err := s.Payments().Find(t.Context(), childRequest)
	require.NoError(t, err)
	require.Equal(t, int64(1000), found.Amount)
	require.Equal(t, found, performed(t, s, childRequest)) // the second request under its key: no fault any more
	require.Equal(t, int64(1), count(t, s, `SELECT count(*) FROM sandbox.payment_ledger`))
	checkBooks(t, s)
}

// TestFrozenProcessFreesItsRows: a transaction that stops in the middle, as in a stopped process, is ended by
// the database, and the hold goes on.
func TestFrozenProcessFreesItsRows(t *testing.T) {
	t.Parallel() // most of its time is the database's patience
	url := devtest.Database(t)
	frozen, s := open(t, url, quick), open(t, url, quick)
	held := performed(t, s, authorize("authorize/1", "tok_ok", 1000)).Reference
	tx, err := frozen.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, found, err := lockHold(t.Context(), tx, held)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, int64(400), performed(t, s, on(held, "capture/1", payment.Capture, 400)).Amount)
	require.Error(t, tx.Commit())
}

// TestDatabaseGoneIsUnknown: no failure of the database passes for an answer.
func TestDatabaseGoneIsUnknown(t *testing.T) {
	s, err := Open(t.Context(), devtest.Database(t), Options{RequestTimeout: time.Minute})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = s.Payments().Perform(t.Context(), authorize("authorize/1", "tok_ok", 1000))
	require.ErrorIs(t, err, payment.ErrUnknown)
	_, err = s.Payments().Find(t.Context(), payment.Request{Key: "authorize/1"})
	require.ErrorIs(t, err, payment.ErrUnknown)
}

// TestSilentPeer: a connection whose other side says nothing ends by itself, whatever the context does.
func TestSilentPeer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	conn, err := impatientDialer{silence: 10 * time.Millisecond}.DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// TestCancelledWhileWaiting: lib/pq reports a cancelled statement, and the caller hears of its own context. The
// context ends only once the capture waits for the row of the hold.
func TestCancelledWhileWaiting(t *testing.T) {
	s := open(t, devtest.Database(t), Options{RequestTimeout: time.Hour})
	held := performed(t, s, authorize("authorize/1", "tok_ok", 1000)).Reference
	tx, err := s.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	_, _, err = lockHold(t.Context(), tx, held)
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req := on(held, "capture/1", payment.Capture, 400)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Payments().Perform(ctx, req)
		ended <- err
	}()
	eventually(t, func() bool {
		return count(t, s, `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	}, "does not wait")
	cancel()
	err = <-ended
	require.ErrorIs(t, err, payment.ErrUnknown)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, tx.Rollback())
	require.Equal(t, int64(400), performed(t, s, req).Amount)
}
