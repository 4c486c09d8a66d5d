// Package config is Waybill's configuration: small structs that a command takes as its flags, each of which may also
// stand in the environment.
//
// It owns names, defaults, validation and what goes before what. It does not own what is done with a value.
package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// Database says where PostgreSQL is.
type Database struct {
	DatabaseURL string `name:"database-url" env:"WAYBILL_DATABASE_URL,DATABASE_URL" group:"Connections:" help:"PostgreSQL, as postgres://user:password@host:port/database." placeholder:"URL"`
	Data        string `name:"data" env:"WAYBILL_DATA" group:"Connections:" help:"Data folder of a waybill dev that is running: take addresses from there." placeholder:"DIR"`

	given map[string]bool
}

// AfterApply remembers which flags stand on the command line itself.
func (d *Database) AfterApply(parsed *kong.Context) error {
	d.given = map[string]bool{}
	for _, part := range parsed.Path {
		if part.Flag != nil && !part.Resolved {
			d.given[part.Flag.Name] = true
		}
	}
	return nil
}

// Take takes an address from the data folder. A flag on the command line goes before it; the environment and the
// defaults, which may be about something else, do not.
func (d *Database) Take(flag string, address *string, found string) {
	if !d.given[flag] {
		*address = found
	}
}

// CheckDatabaseURL refuses what a driver would take for something else: the localhost of a URL that it cannot read.
func CheckDatabaseURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || (u.Host == "" && u.Query().Get("host") == "") {
		return errors.New("the database URL is not of the form postgres://user:password@host:port/database")
	}
	return nil
}

// Temporal says where Temporal is, and what in it is Waybill's.
type Temporal struct {
	TemporalAddress   string `name:"temporal-address" env:"WAYBILL_TEMPORAL_ADDRESS,TEMPORAL_ADDRESS" group:"Connections:" help:"Temporal's gRPC address, host:port." default:"127.0.0.1:7233"`
	TemporalNamespace string `name:"temporal-namespace" env:"WAYBILL_TEMPORAL_NAMESPACE,TEMPORAL_NAMESPACE" group:"Connections:" help:"Temporal namespace." default:"default"`
	TaskQueue         string `name:"task-queue" env:"WAYBILL_TASK_QUEUE" group:"Connections:" help:"Temporal task queue of Waybill's workers." default:"waybill"`
}

// Connections say where PostgreSQL and Temporal are. Every command that works on a running Waybill takes them.
type Connections struct {
	Database
	Temporal
}

// Policy is what the house decides.
type Policy struct {
	PaymentGrace   time.Duration `name:"payment-grace" env:"WAYBILL_PAYMENT_GRACE" group:"Policy:" help:"How long an order waits for a payment that works before it expires." default:"24h"`
	AttentionAfter time.Duration `name:"attention-after" env:"WAYBILL_ATTENTION_AFTER" group:"Policy:" help:"How long a gateway may leave an operation unanswered before an operator is called." default:"10m"`
	BackorderDate  time.Duration `name:"backorder-date" env:"WAYBILL_BACKORDER_DATE" group:"Policy:" help:"How far ahead a backorder promises its goods when the order came without a promise." default:"720h"`
	ReturnPolicy   string        `name:"return-policy" env:"WAYBILL_RETURN_POLICY" group:"Policy:" help:"JSON file with what is promised about returns; 30 days and no fees when not given. Each order keeps what it was placed under." placeholder:"FILE"`

	returns *returns.Policy // of the file
}

// AfterApply validates.
func (p *Policy) AfterApply() error {
	return errors.Join(p.readReturnPolicy(),
		positive("--payment-grace (WAYBILL_PAYMENT_GRACE)", p.PaymentGrace),
		positive("--attention-after (WAYBILL_ATTENTION_AFTER)", p.AttentionAfter),
		positive("--backorder-date (WAYBILL_BACKORDER_DATE)", p.BackorderDate),
		atMost("--attention-after (WAYBILL_ATTENTION_AFTER)", p.AttentionAfter, attentionMax))
}

// readReturnPolicy reads the file at once: a mistake in it is told before anything starts.
func (p *Policy) readReturnPolicy() error {
	if p.ReturnPolicy == "" {
		return nil
	}
	body, err := os.ReadFile(p.ReturnPolicy)
	if err != nil {
		return fmt.Errorf("--return-policy (WAYBILL_RETURN_POLICY): %w", err)
	}
	policy, err := returns.Parse(body)
	if err != nil {
		return fmt.Errorf("--return-policy (WAYBILL_RETURN_POLICY): %s: %w", p.ReturnPolicy, err)
	}
	p.returns = &policy
	return nil
}

// attentionMax: after 15 minutes of doubt verify calls it a violation that nobody was called.
const attentionMax = 14 * time.Minute

func atMost(name string, d, limit time.Duration) error {
	if d > limit {
		return fmt.Errorf("%s must be %s at most: waybill verify counts longer doubts as violations", name, limit)
	}
	return nil
}

func positive(name string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s must be more than 0, such as 90s, 10m or 24h", name)
	}
	return nil
}

// Order is the policy as the domain knows it.
func (p Policy) Order() order.Policy {
	policy := order.DefaultPolicy()
	policy.PaymentGrace, policy.AttentionAfter, policy.BackorderDate = p.PaymentGrace, p.AttentionAfter, p.BackorderDate
	if p.returns != nil {
		policy.Returns = *p.returns
	}
	return policy
}

// Secrets are never printed.
type Secrets struct {
	KeySecret string `name:"key-secret" env:"WAYBILL_KEY_SECRET" help:"Secret under which API keys are hashed, the same for every process: 32 bytes or more, in hex (openssl rand -hex 32). Better in the environment: other users see a command line." placeholder:"HEX"`
}

// Key decodes the key secret.
func (s Secrets) Key() ([]byte, error) {
	if s.KeySecret == "" {
		return nil, errors.New("no key secret: set WAYBILL_KEY_SECRET to 32 random bytes in hex (openssl rand -hex 32)")
	}
	key, err := hex.DecodeString(s.KeySecret)
	if err != nil || len(key) < 32 {
		return nil, errors.New("the key secret (WAYBILL_KEY_SECRET) must be 32 bytes or more, in hex (openssl rand -hex 32)")
	}
	return key, nil
}

// Logging says what is logged, and how.
type Logging struct {
	LogLevel  string `name:"log-level" env:"WAYBILL_LOG_LEVEL" group:"Logging:" help:"What to log: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat string `name:"log-format" env:"WAYBILL_LOG_FORMAT" group:"Logging:" help:"How to log: ${enum}." enum:"text,json" default:"text"`
}

// Logger makes the process's logger.
func (l Logging) Logger(to io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.LogLevel)); err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options)), nil
	}
	return slog.New(slog.NewTextHandler(to, options)), nil
}
