package config_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/config"
)

// everything takes all there is, as waybill config does: right or wrong.
type everything struct{ config.Config }

// shown is what waybill config shows.
type shown struct {
	parser   *config.Parser
	settings []config.Setting
}

func show(t *testing.T, args ...string) shown {
	t.Helper()
	var all everything
	parser := &config.Parser{Folder: aFolder, Others: map[string]string{"WAYBILL_TEMPORAL_BIN": "a program"}}
	require.NoError(t, parser.New(&all, kong.Name("test")))
	parsed, err := parser.Parse(args)
	require.NoError(t, err, "what is wrong is shown, too")
	settings := parser.Settings(parsed)
	all.Effective(settings)
	return shown{parser, settings}
}

func (s shown) of(t *testing.T, flag string) config.Setting {
	t.Helper()
	for _, setting := range s.settings {
		if setting.Flag == flag {
			return setting
		}
	}
	require.Fail(t, "no setting "+flag)
	return config.Setting{}
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestWhereAValueCameFrom(t *testing.T) {
	t.Setenv("WAYBILL_PAYMENT_GRACE", "48h")
	t.Setenv("WAYBILL_TEMPORAL_NAMESPACE", "")
	t.Setenv("TEMPORAL_NAMESPACE", "general")
	t.Setenv("WAYBILL_LOG_LEVEL", "")
	t.Setenv("WAYBILL_TEMPORAL_TLS", "")
	file := secretFile(t, strings.Repeat("ab", 32)+"\n")
	t.Setenv("WAYBILL_KEY_SECRET_FILE", file)

	s := show(t, "--listen", "0.0.0.0:80")
	for flag, wanted := range map[string][3]string{
		"listen":             {"0.0.0.0:80", "command line", config.FromCommandLine},
		"payment-grace":      {"48h", "$WAYBILL_PAYMENT_GRACE", config.FromEnvironment},
		"temporal-namespace": {"general", "$TEMPORAL_NAMESPACE", config.FromEnvironment}, // an empty variable is not set
		"log-level":          {"info", "default", config.FromDefault},
		"temporal-tls":       {"false", "default", config.FromDefault},
		"key-secret":         {"(set)", "file " + file, config.FromFile},
		"database-url":       {"", "", ""},
	} {
		setting := s.of(t, flag)
		require.Equal(t, wanted, [3]string{setting.Value, setting.From(), setting.Source}, flag)
	}
	require.NoError(t, s.parser.Wrong())

	t.Setenv("DATABASE_URL", "postgres://u:p@general/d")
	require.Equal(t, "$DATABASE_URL", show(t).of(t, "database-url").From())
	t.Setenv("WAYBILL_DATABASE_URL", "postgres://u:p@own/d")
	require.Equal(t, "$WAYBILL_DATABASE_URL", show(t).of(t, "database-url").From())
	s = show(t, "--data", "here")
	require.Equal(t, "postgres://folder", s.of(t, "database-url").Value)
	require.Equal(t, "data folder here", s.of(t, "database-url").From())
	require.Equal(t, "default", s.of(t, "temporal-namespace").From())
	require.Equal(t, "command line", show(t, "--data=here", "--database-url=postgres://u:p@flag/d").of(t, "database-url").From())
	require.ErrorIs(t, show(t, "--data", "nowhere").parser.FolderError(), fs.ErrNotExist)
}

func TestASecretFromAFile(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://general")
	t.Setenv("WAYBILL_DATABASE_URL_FILE", secretFile(t, " postgres://of-the-file\n"))
	c, err := parse(t)
	require.NoError(t, err)
	require.Equal(t, "postgres://of-the-file", c.DatabaseURL, "it goes before the general variable")

	t.Setenv("WAYBILL_DATABASE_URL", "postgres://own")
	_, err = parse(t)
	require.EqualError(t, err, "--database-url: both WAYBILL_DATABASE_URL and WAYBILL_DATABASE_URL_FILE are set: leave one of them out")
	t.Setenv("WAYBILL_DATABASE_URL", "")

	t.Setenv("WAYBILL_DATABASE_URL_FILE", secretFile(t, "\n"))
	_, err = parse(t)
	require.ErrorContains(t, err, "WAYBILL_DATABASE_URL_FILE: ")
	require.ErrorContains(t, err, "is empty")
	t.Setenv("WAYBILL_DATABASE_URL_FILE", filepath.Join(t.TempDir(), "absent"))
	_, err = parse(t)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Setenv("WAYBILL_PAYMENT_GRACE", "soon")
	t.Setenv("WAYBILL_LOG_LEVEL", "loud")
	t.Setenv("WAYBILL_TEMPORAL_TLS", "maybe")
	t.Setenv("WAYBILL_TRACE_RATIO", "2")
	t.Setenv("WAYBILL_OTLP_ENDPOINT", "collector:4318")
	t.Setenv("WAYBILL_METRICS_LISTEN", "9464")
	t.Setenv("WAYBILL_LISTEN", "localhost")
	t.Setenv("WAYBILL_TEMPORAL_ADDRESS", "temporal")
	t.Setenv("WAYBILL_DATABASE_URL", "mysql://h/d")
	t.Setenv("WAYBILL_SANDBOX_URL", "mysql://h/d")
	t.Setenv("WAYBILL_API_URL", "localhost:8080")
	t.Setenv("WAYBILL_KEY_SECRET", "short")
	t.Setenv("WAYBILL_ATTENTION_AFTER", "1h")
	told := show(t).parser.Wrong()
	for _, wanted := range []string{
		`--payment-grace (WAYBILL_PAYMENT_GRACE="soon"): expected duration but got "soon"`,
		`--log-level (WAYBILL_LOG_LEVEL="loud") must be one of debug, info, warn, error`,
		`--temporal-tls (WAYBILL_TEMPORAL_TLS="maybe"): bool value must be true`,
		`--trace-ratio (WAYBILL_TRACE_RATIO) must be from 0 to 1, not 2`,
		`--otlp-endpoint (WAYBILL_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT) must be of the form`,
		`--metrics-listen (WAYBILL_METRICS_LISTEN) must be host:port`,
		`--listen (WAYBILL_LISTEN) must be host:port`,
		`--temporal-address (WAYBILL_TEMPORAL_ADDRESS) must be host:port`,
		`the database URL is not of the form`,
		`--sandbox-url (WAYBILL_SANDBOX_URL) is not of the form`,
		`--api-url (WAYBILL_API_URL) must be of the form`,
		`the key secret (WAYBILL_KEY_SECRET) must be 32 bytes or more`,
		`--attention-after (WAYBILL_ATTENTION_AFTER) must be 14m0s at most`,
	} {
		require.ErrorContains(t, told, wanted)
	}
	require.Len(t, strings.Split(told.Error(), "\n"), 13, "each once")

	_, err := parse(t)
	require.ErrorContains(t, err, `(WAYBILL_PAYMENT_GRACE="soon")`, "a command that is to work does not begin")
	require.ErrorContains(t, err, "the key secret")
	require.NotContains(t, err.Error(), "--otlp-endpoint", "nor is it kept from working by what it does not take")
}

// A canary in everything that is secret, and wherever somebody may put a secret by mistake.
func TestNothingSecretIsShown(t *testing.T) {
	const canary = "CANARY"
	urls := map[string]string{
		"postgres://user:" + canary + "@host:5432/db?sslmode=disable":     "postgres://user:***@host:5432/db?sslmode=disable",
		"postgres://user@host/db?password=" + canary + "&sslmode=require": "postgres://user@host/db?password=***&sslmode=require",
		"postgres:///db?host=/run/postgresql&sslpassword=" + canary:       "postgres:///db?host=%2Frun%2Fpostgresql&sslpassword=***",
		"postgres://user:pa%2F" + canary + "@host/db":                     "postgres://user:***@host/db",
		"postgres://user:12/" + canary + "@host/db":                       "(set, but not a URL)",
		"postgres://user:12#" + canary + "@host/db":                       "(set, but not a URL)",
		"postgres://user:12?" + canary + "@host/db":                       "(set, but not a URL)",
		"host=h user=u password=" + canary:                                "(set, but not a URL)",
		"mysql://user:" + canary + "@host/db":                             "(set, but not a URL)",
		"postgres://user:%zz" + canary + "@host/db":                       "(set, but not a URL)",
	}
	for url, wanted := range urls {
		t.Setenv("WAYBILL_DATABASE_URL", url)
		t.Setenv("WAYBILL_SANDBOX_URL", url)
		t.Setenv("WAYBILL_KEY_SECRET", canary)
		t.Setenv("WAYBILL_API_KEY", canary)
		t.Setenv("WAYBILL_TEMPORAL_API_KEY", canary)
		t.Setenv("WAYBILL_API_URL", "http://user:"+canary+"@host")
		t.Setenv("WAYBILL_OTLP_ENDPOINT", "https://"+canary+"@host")
		t.Setenv("WAYBILL_TEMPORAL_ADDRESS", "user:"+canary+"@host:7233")
		for _, args := range [][]string{nil, {"--database-url", url, "--key-secret", canary, "--api-key", canary, "--temporal-api-key", canary}} {
			s := show(t, args...)
			require.Equal(t, wanted, s.of(t, "database-url").Value)
			require.Equal(t, wanted, s.of(t, "sandbox-url").Value)
			require.Equal(t, "(set)", s.of(t, "temporal-api-key").Value)
			text, err := json.Marshal(s.settings)
			require.NoError(t, err)
			require.NotContains(t, string(text), canary)
			require.Error(t, s.parser.Wrong())
			require.NotContains(t, s.parser.Wrong().Error(), canary)
		}
	}
}

func TestMisspelledVariables(t *testing.T) {
	require.Empty(t, show(t).parser.Unknown())
	t.Setenv("WAYBILL_TEMPORAL_BIN", "/usr/bin/temporal")
	t.Setenv("WAYBILL_KEY_SECRET_FILE", secretFile(t, strings.Repeat("ab", 32)))
	for name, value := range map[string]string{"SERVICE_HOST": "10.0.0.7", "SERVICE_PORT": "8080", "API_SERVICE_PORT_HTTP": "8080", "PORT": "tcp://10.0.0.7:8080",
		"PORT_8080_TCP": "tcp://10.0.0.7:8080", "API_PORT_8080_TCP_PROTO": "tcp", "PORT_8080_TCP_ADDR": "10.0.0.7"} {
		t.Setenv("WAYBILL_"+name, value)
	}
	require.Empty(t, show(t).parser.Unknown(), "these are known, or none of ours")
	t.Setenv("WAYBILL_DATABSE_URL", "postgres://h/d")
	t.Setenv("WAYBILL_TEMPORAL_NAMSPACE", "orders")
	t.Setenv("WAYBILL_SOMETHING_ELSE", "1")
	require.Equal(t, []string{
		"no setting is called WAYBILL_DATABSE_URL: did you mean WAYBILL_DATABASE_URL?",
		"no setting is called WAYBILL_SOMETHING_ELSE",
		"no setting is called WAYBILL_TEMPORAL_NAMSPACE: did you mean WAYBILL_TEMPORAL_NAMESPACE?",
	}, show(t).parser.Unknown())
}
