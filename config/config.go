// Package config is Waybill's configuration: small structs that a command takes as its flags, each of which may also
// stand in the environment.
//
// It owns names, defaults, validation, what goes before what, and how a value may be shown. It does not own what is done
// with a value, nor which command takes which.
package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// Config is everything that can be configured. A command takes only the groups that it uses; waybill config takes all.
type Config struct {
	Connections
	Sandbox
	SandboxAddress
	SandboxSecret
	Server
	Secrets
	APIAddress
	Policy
	Logging
	Telemetry
}

// Folder names the data folder of a waybill dev. What is tagged folder is then found there and nowhere else, except on
// the command line: the environment and the defaults may be about another Waybill.
type Folder struct {
	Data string `name:"data" env:"WAYBILL_DATA" group:"Connections:" help:"Data folder of a waybill dev that is running: take addresses, keys and secrets from there." placeholder:"DIR"`
}

// PostgreSQL says where the database is.
type PostgreSQL struct {
	DatabaseURL string `name:"database-url" env:"WAYBILL_DATABASE_URL,DATABASE_URL" folder:"" secret:"url" group:"Connections:" help:"PostgreSQL, as postgres://user:password@host:port/database." placeholder:"URL"`
}

// Check refuses what a driver would take for something else.
func (p *PostgreSQL) Check() error {
	if p.DatabaseURL == "" {
		return nil // whether one is needed, the command knows
	}
	return CheckDatabaseURL(p.DatabaseURL)
}

// Database says where PostgreSQL is, for commands that need nothing else.
type Database struct {
	Folder
	PostgreSQL
}

// CheckDatabaseURL refuses what a driver would take for something else: the localhost of a URL that it cannot read.
func CheckDatabaseURL(address string) error {
	if !isDatabaseURL(address) {
		return fmt.Errorf("the database URL %s", notDatabaseURL)
	}
	return nil
}

const notDatabaseURL = "is not of the form postgres://user:password@host:port/database (in a password, / ? # @ are written as %2F %3F %23 %40)"

func isDatabaseURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return false
	}
	// An @ that is left over was meant to end a password, which another character ended before.
	if u.Fragment != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return false
	}
	return u.Host != "" || u.Query().Get("host") != ""
}

// Connections say where PostgreSQL and Temporal are. Every command that works on a running Waybill takes them.
type Connections struct {
	Database
	Temporal
}

// APIAddress says where the HTTP API is, and what opens it.
type APIAddress struct {
	APIURL string `name:"api-url" env:"WAYBILL_API_URL" folder:"" group:"API:" help:"The HTTP API; that of the waybill dev on this machine when not given." placeholder:"URL"`
	APIKey string `name:"api-key" env:"WAYBILL_API_KEY" folder:"" secret:"text" group:"API:" help:"An API key. Better in the environment: other users see a command line." placeholder:"KEY"`
}

// Check refuses an address that no HTTP client could use.
func (a *APIAddress) Check() error {
	if a.APIURL == "" {
		return nil
	}
	u, err := url.Parse(a.APIURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return errors.New("--api-url (WAYBILL_API_URL) must be of the form http://host:port")
	}
	return nil
}

// API says where the HTTP API is, for commands that use it as any client does.
type API struct {
	Folder
	APIAddress
}

// Server says where the API listens.
type Server struct {
	Listen string `name:"listen" env:"WAYBILL_LISTEN" group:"API:" help:"Address that the API listens on, host:port." default:"127.0.0.1:8080"`
}

// Check refuses an address that nobody can listen on.
func (s *Server) Check() error { return checkListen("--listen (WAYBILL_LISTEN)", s.Listen) }

func checkListen(name, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s must be host:port, such as 127.0.0.1:8080", name)
	}
	return nil
}

// Sandbox says where the sandbox gateways keep their books.
type Sandbox struct {
	SandboxURL string `name:"sandbox-url" env:"WAYBILL_SANDBOX_URL" folder:"" secret:"url" group:"Sandbox gateways:" help:"Database with the sandbox gateways' ledgers; Waybill's own when not given." placeholder:"URL"`
}

// Check refuses what a driver would take for something else.
func (s *Sandbox) Check() error {
	if s.SandboxURL == "" || isDatabaseURL(s.SandboxURL) {
		return nil
	}
	return fmt.Errorf("--sandbox-url (WAYBILL_SANDBOX_URL) %s", notDatabaseURL)
}

// SandboxAddress says where the sandbox gateways are when they are a process of their own.
type SandboxAddress struct {
	SandboxAddress string `name:"sandbox-address" env:"WAYBILL_SANDBOX_ADDRESS" group:"Sandbox gateways:" help:"Address, host:port, at which waybill sandbox serve has the sandbox gateways, and at which a worker asks them, unencrypted. A worker without it has them inside." placeholder:"ADDRESS"`
}

// Check refuses an address that nobody can listen on.
func (s *SandboxAddress) Check() error {
	if s.SandboxAddress == "" {
		return nil
	}
	return checkListen("--sandbox-address (WAYBILL_SANDBOX_ADDRESS)", s.SandboxAddress)
}

// SandboxSecret opens the sandbox gateways when they are a process of their own.
type SandboxSecret struct {
	SandboxSecret string `name:"sandbox-secret" env:"WAYBILL_SANDBOX_SECRET" secret:"text" group:"Sandbox gateways:" help:"Secret with which workers ask the sandbox gateways of another process, 16 characters or more. Better in the environment: other users see a command line." placeholder:"TEXT"`
}

// sandboxSecretMin keeps a secret from being guessed.
const sandboxSecretMin = 16

// Check refuses a secret that is easily guessed. Whether one is needed, the command knows.
func (s *SandboxSecret) Check() error {
	if s.SandboxSecret == "" || len(s.SandboxSecret) >= sandboxSecretMin {
		return nil
	}
	return fmt.Errorf("the sandbox secret (WAYBILL_SANDBOX_SECRET) must have %d characters or more (openssl rand -hex 16)", sandboxSecretMin)
}

// Policy is what the house decides.
type Policy struct {
	PaymentGrace   time.Duration `name:"payment-grace" env:"WAYBILL_PAYMENT_GRACE" group:"Policy:" help:"How long an order waits for a payment that works before it expires." default:"24h"`
	AttentionAfter time.Duration `name:"attention-after" env:"WAYBILL_ATTENTION_AFTER" group:"Policy:" help:"How long a gateway may leave an operation unanswered before an operator is called." default:"10m"`
	BackorderDate  time.Duration `name:"backorder-date" env:"WAYBILL_BACKORDER_DATE" group:"Policy:" help:"How far ahead a backorder promises its goods when the order came without a promise." default:"720h"`
	ReturnPolicy   string        `name:"return-policy" env:"WAYBILL_RETURN_POLICY" group:"Policy:" help:"JSON file with what is promised about returns; 30 days and no fees when not given. Each order keeps what it was placed under." placeholder:"FILE"`

	returns *returns.Policy // of the file
}

// Check refuses what no order could live under, and reads the file.
func (p *Policy) Check() error {
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
	KeySecret string `name:"key-secret" env:"WAYBILL_KEY_SECRET" folder:"" secret:"text" group:"API:" help:"Secret under which API keys are hashed, the same for every process: 32 bytes or more, in hex (openssl rand -hex 32). Better in the environment: other users see a command line." placeholder:"HEX"`
}

// Check refuses a secret that is none. Whether one is needed, the command knows.
func (s *Secrets) Check() error {
	if s.KeySecret == "" {
		return nil
	}
	_, err := s.Key()
	return err
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
