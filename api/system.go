package api

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/health"
)

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
	found := health.Ask(c.Request.Context(), r.options.Checks)
	answer := client.Readiness{Ready: found.Ready, Checks: make([]client.Check, len(found.Checks))}
	for i, check := range found.Checks {
		answer.Checks[i] = client.Check{Name: check.Name, Ok: check.OK, Detail: check.Detail}
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
		c.Header("Retry-After", strconv.Itoa(int(unavailableRetry/time.Second)))
	}
	Reply(c, status, answer)
	return nil
}
