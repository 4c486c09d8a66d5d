package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// command takes everything, as a command does: embedded.
type command struct {
	config.Connections
	config.Policy
	config.Secrets
	config.Logging
}

func parse(t *testing.T, args ...string) (command, error) {
	t.Helper()
	var c command
	parser := &config.Parser{Folder: aFolder}
	require.NoError(t, parser.New(&c, kong.Name("test")))
	_, err := parser.Parse(args)
	return c, errors.Join(err, parser.FolderError())
}

// aFolder knows one Waybill.
func aFolder(dir string) (map[string]string, error) {
	if dir != "here" {
		return nil, fs.ErrNotExist
	}
	return map[string]string{"database-url": "postgres://folder", "temporal-address": "folder:7233", "api-url": "http://folder"}, nil
}

func TestDefaults(t *testing.T) {
	c, err := parse(t)
	require.NoError(t, err)
	require.Equal(t, order.DefaultPolicy(), c.Order(), "the defaults of the flags are those of the domain")
	require.Equal(t, "127.0.0.1:7233", c.TemporalAddress)
	require.Empty(t, c.Data, "nobody works on a folder that was not named")
	require.Empty(t, c.DatabaseURL)
}

func TestAFlagGoesBeforeTheFolderAndTheFolderBeforeTheEnvironment(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://general")
	t.Setenv("TEMPORAL_ADDRESS", "general:7233")
	t.Setenv("TEMPORAL_NAMESPACE", "general")
	for name, test := range map[string]struct{ env, flag, wanted string }{
		"general environment": {"", "", "postgres://general"},
		"own environment":     {"postgres://own", "", "postgres://own"},
		"folder":              {"postgres://own", "folder", "postgres://folder"},
		"flag":                {"postgres://own", "both", "postgres://flag"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.env != "" {
				t.Setenv("WAYBILL_DATABASE_URL", test.env)
			}
			var args []string
			switch test.flag {
			case "folder":
				args = []string{"--data", "here"}
			case "both":
				args = []string{"--data", "here", "--database-url", "postgres://flag"}
			}
			c, err := parse(t, args...)
			require.NoError(t, err)
			require.Equal(t, test.wanted, c.DatabaseURL)
			if test.flag != "" {
				require.Equal(t, "folder:7233", c.TemporalAddress)
				require.Equal(t, "default", c.TemporalNamespace, "a waybill dev has the default, whatever the environment is about")
			}
		})
	}
}

func TestDatabaseURL(t *testing.T) {
	for _, good := range []string{"postgres://u:p@h:5432/d?sslmode=disable", "postgresql://h/d", "postgres:///d?host=/run/postgresql"} {
		require.NoError(t, config.CheckDatabaseURL(good), good)
	}
	for _, bad := range []string{"mysql://u:hidden@h/d", "hidden", "postgres:hidden", "postgres://u:hid%zzden@h/d", "host=h password=hidden"} {
		err := config.CheckDatabaseURL(bad)
		require.ErrorContains(t, err, "postgres://user:password@host:port/database", bad)
		require.NotContains(t, err.Error(), "hid", "a password is not repeated")
	}
}

func TestPolicyIsPositive(t *testing.T) {
	c, err := parse(t, "--payment-grace", "90s", "--attention-after", "5m", "--backorder-date", "48h")
	require.NoError(t, err)
	require.Equal(t, 90*time.Second, c.Order().PaymentGrace)
	require.Equal(t, 5*time.Minute, c.Order().AttentionAfter)
	require.Equal(t, 48*time.Hour, c.Order().BackorderDate)
	require.Equal(t, order.DefaultPolicy().AbandonAfter, c.Order().AbandonAfter)
	_, err = parse(t, "--payment-grace=0s", "--attention-after=-1m", "--backorder-date=0s")
	require.ErrorContains(t, err, "--payment-grace (WAYBILL_PAYMENT_GRACE) must be more than 0")
	require.ErrorContains(t, err, "--attention-after (WAYBILL_ATTENTION_AFTER) must be more than 0")
	require.ErrorContains(t, err, "--backorder-date (WAYBILL_BACKORDER_DATE) must be more than 0")
	_, err = parse(t, "--attention-after=1h")
	require.ErrorContains(t, err, "--attention-after (WAYBILL_ATTENTION_AFTER) must be 14m0s at most")
}

func TestReturnPolicy(t *testing.T) {
	file := func(change func(*returns.Policy)) string {
		p := returns.Default()
		change(&p)
		body, err := json.Marshal(p)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "returns.json")
		require.NoError(t, os.WriteFile(path, body, 0o600))
		return path
	}
	t.Setenv("WAYBILL_RETURN_POLICY", file(func(p *returns.Policy) { p.Name, p.WindowDays = "generous", 90 }))
	c, err := parse(t)
	require.NoError(t, err)
	require.Equal(t, "generous", c.Order().Returns.Name)
	require.Equal(t, 90, c.Order().Returns.WindowDays)

	c, err = parse(t, "--return-policy", file(func(p *returns.Policy) { p.WindowDays = 14 }))
	require.NoError(t, err)
	require.Equal(t, 14, c.Order().Returns.WindowDays, "the command line goes before the environment")

	wrong := file(func(p *returns.Policy) { p.RestockingPercent = 101 })
	_, err = parse(t, "--return-policy", wrong)
	require.ErrorContains(t, err, "--return-policy (WAYBILL_RETURN_POLICY): "+wrong)
	require.ErrorContains(t, err, "restocking_percent is from 0 to 100")
	_, err = parse(t, "--return-policy", filepath.Join(t.TempDir(), "absent.json"))
	require.ErrorContains(t, err, "--return-policy (WAYBILL_RETURN_POLICY)")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestKeySecret(t *testing.T) {
	key, err := config.Secrets{KeySecret: strings.Repeat("ab", 32)}.Key()
	require.NoError(t, err)
	require.Len(t, key, 32)
	for secret, wanted := range map[string]string{
		"": "no key secret: set WAYBILL_KEY_SECRET", strings.Repeat("ab", 31): "32 bytes or more", strings.Repeat("xy", 32): "in hex",
	} {
		_, err := config.Secrets{KeySecret: secret}.Key()
		require.ErrorContains(t, err, wanted)
		require.NotContains(t, err.Error(), "abab")
		require.ErrorContains(t, err, "openssl rand -hex 32", "it says how to make one")
	}
}

func TestLogging(t *testing.T) {
	for format, wanted := range map[string]string{"text": "level=WARN msg=seen", "json": `"level":"WARN","msg":"seen"`} {
		c, err := parse(t, "--log-level=warn", "--log-format="+format)
		require.NoError(t, err)
		var out bytes.Buffer
		log, err := c.Logger(&out)
		require.NoError(t, err)
		log.Info("unseen")
		log.Warn("seen")
		require.Contains(t, out.String(), wanted)
		require.NotContains(t, out.String(), "unseen")
	}
	_, err := parse(t, "--log-level=loud")
	require.ErrorContains(t, err, `"debug","info","warn","error"`)
}
