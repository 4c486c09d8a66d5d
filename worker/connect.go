package worker

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/waybill-oms/waybill/telemetry"
)

// Connection says which Temporal it is, and how the way there is secured.
type Connection struct {
	Address   string // host:port of its gRPC service
	Namespace string
	TLS       *tls.Config // nil: not encrypted
	APIKey    string      // sent with every call; it needs TLS, unless the way leads no farther than this machine
	Log       *slog.Logger
	Telemetry *telemetry.Telemetry // carries traces, and shows what the SDK measures; it may be nil
}

// Connect opens a connection to Temporal that logs through slog. An error says what to look at.
func Connect(ctx context.Context, to Connection) (client.Client, error) {
	interceptors, err := to.Telemetry.Interceptors(to.Log)
	if err != nil {
		return nil, err
	}
	options := client.Options{HostPort: to.Address, Namespace: to.Namespace, Logger: sdklog.NewStructuredLogger(telemetry.Logger(to.Log)),
		Interceptors: interceptors, MetricsHandler: to.Telemetry.SDK()}
	// Without TLSDisabled an API key alone would turn TLS on: whether it is on is the caller's decision, made once.
	options.ConnectionOptions = client.ConnectionOptions{TLS: to.TLS, TLSDisabled: to.TLS == nil}
	if to.APIKey != "" {
		options.Credentials = client.NewAPIKeyStaticCredentials(to.APIKey)
	}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s: %w%s", to.Address, err, advice(err, to))
	}
	return c, nil
}

// hungUp is how it looks when the server ended a connection that had just begun. Its reason may come too late to be read:
// with TLS 1.3 a client takes itself for connected before the server has looked at its certificate.
var hungUp = []string{"error reading server preface", "EOF", "connection reset", "broken pipe"}

// advice is what to look at after an error whose text alone does not tell. gRPC has made text of the causes: there are
// no types left to go by.
func advice(err error, to Connection) string {
	says := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(err.Error(), part) {
				return true
			}
		}
		return false
	}
	switch {
	case says("first record does not look like a TLS handshake"):
		return ": there is no TLS at this address: leave out what turned it on (an API key, a certificate), or say --no-temporal-tls (WAYBILL_TEMPORAL_TLS=false)"
	case says("certificate signed by unknown authority", "failed to verify certificate"):
		return ": the server's certificate is not trusted: --temporal-tls-ca (WAYBILL_TEMPORAL_TLS_CA) names the authority that signed it, --temporal-tls-server-name the host that it is for, when that is not the address"
	case says("certificate required", "bad certificate", "unknown certificate authority"), to.TLS != nil && says(hungUp...):
		return ": the server does not accept the client certificate, or wants one: check --temporal-tls-cert and --temporal-tls-key (WAYBILL_TEMPORAL_TLS_CERT, WAYBILL_TEMPORAL_TLS_KEY), and that the namespace trusts its authority"
	case says("Unauthenticated", "unauthorized", "Unauthorized", "PermissionDenied"):
		return ": check the API key (WAYBILL_TEMPORAL_API_KEY), and that it is for the namespace " + to.Namespace
	case to.TLS == nil && says(hungUp...):
		return ": the server may expect TLS: set --temporal-tls (WAYBILL_TEMPORAL_TLS=true)"
	}
	return ""
}
