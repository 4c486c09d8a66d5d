// Package config is Waybill's configuration: one struct, filled from the environment and from flags.
//
// It owns names, defaults and validation. It does not own what is done with a value.
package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
)

// Connections say where PostgreSQL and Temporal are. Every command that works on a running Waybill takes them.
type Connections struct {
	DatabaseURL       string `name:"database-url" env:"WAYBILL_DATABASE_URL,DATABASE_URL" help:"PostgreSQL, as postgres://user:password@host:port/database." placeholder:"URL"`
	TemporalAddress   string `name:"temporal-address" env:"WAYBILL_TEMPORAL_ADDRESS,TEMPORAL_ADDRESS" help:"Temporal's gRPC address, host:port." default:"127.0.0.1:7233"`
	TemporalNamespace string `name:"temporal-namespace" env:"WAYBILL_TEMPORAL_NAMESPACE,TEMPORAL_NAMESPACE" help:"Temporal namespace." default:"default"`
	TaskQueue         string `name:"task-queue" env:"WAYBILL_TASK_QUEUE" help:"Temporal task queue that workers poll." default:"waybill"`
	Data              string `name:"data" env:"WAYBILL_DATA" help:"Data folder of a waybill dev; its dev.json says where everything is when nothing else does." placeholder:"DIR"`
}

// Policy is what the house decides.
type Policy struct {
	PaymentGrace   time.Duration `name:"payment-grace" env:"WAYBILL_PAYMENT_GRACE" help:"How long an order waits for a payment that works before it expires." default:"24h"`
	AttentionAfter time.Duration `name:"attention-after" env:"WAYBILL_ATTENTION_AFTER" help:"How long a gateway may leave an operation unanswered before an operator is called." default:"10m"`
}

// Order is the policy as the domain knows it.
func (p Policy) Order() order.Policy {
	policy := order.DefaultPolicy()
	if p.PaymentGrace > 0 {
		policy.PaymentGrace = p.PaymentGrace
	}
	if p.AttentionAfter > 0 {
		policy.AttentionAfter = p.AttentionAfter
	}
	return policy
}

// Secrets are never printed.
type Secrets struct {
	KeySecret string `name:"key-secret" env:"WAYBILL_KEY_SECRET" help:"Secret under which API keys are hashed: 32 bytes or more, in hex (openssl rand -hex 32)." placeholder:"HEX"`
}

// Key decodes the key secret.
func (s Secrets) Key() ([]byte, error) {
	if s.KeySecret == "" {
		return nil, errors.New("no key secret: set WAYBILL_KEY_SECRET to 32 random bytes in hex (openssl rand -hex 32)")
	}
	key, err := hex.DecodeString(s.KeySecret)
	if err != nil || len(key) < 32 {
		return nil, errors.New("WAYBILL_KEY_SECRET must be 32 bytes or more, in hex (openssl rand -hex 32)")
	}
	return key, nil
}

// Logging says what is logged, and how.
type Logging struct {
	LogLevel  string `name:"log-level" env:"WAYBILL_LOG_LEVEL" help:"What to log: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat string `name:"log-format" env:"WAYBILL_LOG_FORMAT" help:"How to log: ${enum}." enum:"text,json" default:"text"`
}

// Logger makes the process's logger.
func (l Logging) Logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.LogLevel)); err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options)), nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options)), nil
}
