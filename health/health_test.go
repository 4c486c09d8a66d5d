package health_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/health"
)

func TestAsk(t *testing.T) {
	well := health.Check{Name: "postgresql", Run: func(context.Context) error { return nil }}
	require.Equal(t, health.Readiness{Ready: true, Checks: []health.Result{{Name: "postgresql", OK: true, Detail: "ok"}}}, health.Ask(t.Context(), []health.Check{well}))
	require.True(t, health.Ask(t.Context(), nil).Ready)

	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		start := time.Now()
		answer := health.Ask(t.Context(), []health.Check{well,
			{Name: "temporal", Run: func(context.Context) error { return errors.New("dial tcp 10.0.0.7: refused") }},
			{Name: "worker", Run: func(context.Context) error { return health.Down("no worker polls") }},
			{Name: "broken", Run: func(context.Context) error { panic("oh") }},
			{Name: "stuck", Run: func(context.Context) error { <-stuck; return nil }},
		})
		require.Equal(t, 2*time.Second, time.Since(start), "checks run at once, and none is waited for longer")
		require.Equal(t, health.Readiness{Checks: []health.Result{
			{Name: "postgresql", OK: true, Detail: "ok"}, {Name: "temporal", Detail: "does not work"},
			{Name: "worker", Detail: "no worker polls"}, {Name: "broken", Detail: "does not work"},
			{Name: "stuck", Detail: "did not answer in time"},
		}}, answer)
	})
}
