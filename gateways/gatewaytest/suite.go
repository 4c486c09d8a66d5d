package gatewaytest

import (
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const (
	// callers is how many ask for the same thing at once.
	callers = 8
	// patience bounds the wait for a key that is in use, or for a call whose context has ended. It is a guard
	// against waiting for ever, not a promise about speed.
	patience = time.Minute
)

// check is one clause of a contract about an adapter of type U. It applies when all situations that it needs
// can be brought about.
type check[S comparable, U any] struct {
	name  string
	needs []S
	run   func(*testing.T, U)
}

// runAll runs every check that applies, each on a fresh adapter, and logs why another one does not.
func runAll[S comparable, U any](t *testing.T, checks []check[S, U], absent map[S]string, fresh func(*testing.T) U) {
	for _, c := range checks {
		if situation, reason, missing := firstAbsent(c.needs, absent); missing {
			t.Logf("%s does not apply: no %v, %s", c.name, situation, reason)
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, fresh(t)) })
	}
}

func firstAbsent[S comparable](needs []S, absent map[S]string) (situation S, reason string, missing bool) {
	for _, situation := range needs {
		if reason, ok := absent[situation]; ok {
			return situation, reason, true
		}
	}
	return situation, "", false
}

// undeclared lists what is wrong with a declaration: each situation is either there or absent, with a reason.
func undeclared[S ~string, V any](all []S, there map[S]V, absent map[S]string) []string {
	var wrong []string
	for _, situation := range all {
		_, ok := there[situation]
		reason, not := absent[situation]
		switch {
		case ok && not:
			wrong = append(wrong, fmt.Sprintf("%q is declared both as there and as absent", situation))
		case !ok && !not:
			wrong = append(wrong, fmt.Sprintf("%q is declared neither as there nor as absent", situation))
		case not && reason == "":
			wrong = append(wrong, fmt.Sprintf("%q is declared as absent without a reason", situation))
		}
	}
	return wrong
}

// result is what one of several callers got.
type result[A any] struct {
	answer A
	err    error
}

// atOnce calls ask from as many goroutines at the same moment, each with its number.
func atOnce[A any](n int, ask func(i int) (A, error)) []result[A] {
	results := make([]result[A], n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i].answer, results[i].err = ask(i)
		})
	}
	close(start)
	wg.Wait()
	return results
}

// ended gives what ask returns, and fails when it has not returned after patience.
func ended[A any](t *testing.T, ask func() (A, error)) (A, error) {
	t.Helper()
	done := make(chan result[A], 1)
	go func() {
		answer, err := ask()
		done <- result[A]{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-time.After(patience):
		require.FailNow(t, "the call does not return")
		panic("unreachable")
	}
}

// settled asks until again does not want to any more.
func settled[A any](t *testing.T, ask func() (A, error), again func(error) bool) (A, error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		answer, err := ask()
		if !again(err) {
			return answer, err
		}
		require.True(t, time.Now().Before(deadline), "no other answer than %v", err)
		select {
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// equal compares answers; times are equal when they are the same instant.
func equal(t *testing.T, want, got any, about string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		require.Fail(t, about+" (-want +got):\n"+diff)
	}
}

// newKey is a business key that was never used, also not in an earlier run against a gateway that remembers.
func newKey(step string) string { return step + "/" + rand.Text() }
