package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
)

// Check is one thing that /readyz asks.
type Check struct {
	Name string // a word for programs: postgresql, migrations, temporal, worker
	// Run answers nil when all is well. The detail of a fault is shown to whoever asks; the text of any other error is
	// not.
	Run func(context.Context) error
}

// checkLimit is how long one check may take: whoever probes gives up soon after.
const checkLimit = 2 * time.Second

// system has the operations that the border answers itself.
func (r *router) system() Handlers {
	gather := promhttp.HandlerFor(r.options.Metrics, promhttp.HandlerOpts{})
	return Handlers{
		"getHealth": func(c *gin.Context) error {
			Reply(c, http.StatusOK, client.Health{Status: client.HealthStatusOk})
			return nil
		},
		"getReadiness": r.readiness,
		"getMetrics": func(c *gin.Context) error {
			gather.ServeHTTP(c.Writer, c.Request)
			return nil
		},
		"getDocs": serveDocs,
		"getContract": func(c *gin.Context) error {
			c.Data(http.StatusOK, "application/yaml", bytes.Clone(contractYAML))
			return nil
		},
	}
}

// readiness runs all checks at once and answers 503 when one is not well.
func (r *router) readiness(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), checkLimit)
	defer cancel()
	answer := client.Readiness{Ready: true, Checks: make([]client.Check, len(r.options.Checks))}
	var wait sync.WaitGroup
	for i, check := range r.options.Checks {
		wait.Go(func() { answer.Checks[i] = runCheck(ctx, check) })
	}
	wait.Wait()
	for _, check := range answer.Checks {
		answer.Ready = answer.Ready && check.Ok
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
		c.Header("Retry-After", strconv.Itoa(int(unavailableRetry/time.Second)))
	}
	Reply(c, status, answer)
	return nil
}

// runCheck answers in time also when the check does not.
func runCheck(ctx context.Context, check Check) client.Check {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				done <- errors.New("panic in a check")
			}
		}()
		done <- check.Run(ctx)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = fault.New(fault.Unavailable, "slow", "did not answer in time")
	}
	result := client.Check{Name: check.Name, Ok: err == nil, Detail: "ok"}
	if f := fault.As(err); f != nil {
		result.Detail = f.Detail
	} else if err != nil {
		result.Detail = "does not work"
	}
	return result
}
