package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNothingOfAURLIsShownThatMayBeASecret(t *testing.T) {
	for address, shown := range map[string]string{
		"postgres://waybill:CANARY@db:5432/waybill?sslmode=require":        "postgres://waybill:" + hidden + "@db:5432/waybill?sslmode=require",
		"postgres://db/waybill?password=CANARY&user=waybill":               "postgres://db/waybill?password=" + hidden + "&user=waybill",
		"postgres://db/waybill?sslpassword=CANARY":                         "postgres://db/waybill?sslpassword=" + hidden,
		"postgres://db/waybill?options=-c%20secret%3DCANARY":               "postgres://db/waybill?options=" + hidden,
		"postgres://db/waybill?password=%zzCANARY":                         isNotURL,
		"postgres://db/waybill?sslmode=disable;password=CANARY":            isNotURL,
		"postgres://waybill@db/waybill?application_name=a&sslmode=disable": "postgres://waybill@db/waybill?application_name=a&sslmode=disable",
	} {
		require.Equal(t, shown, withoutPassword(address))
	}
}

func TestASecretIsNotReadWithoutEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "long")
	require.NoError(t, os.WriteFile(file, make([]byte, secretMax+1), 0o600))
	_, err := readSecret("WAYBILL_KEY_SECRET_FILE", file)
	require.ErrorContains(t, err, "it is no secret")
	_, err = readSecret("WAYBILL_KEY_SECRET_FILE", "/dev/zero")
	require.ErrorContains(t, err, "it is no secret")
}

func TestAnAddressToListenOn(t *testing.T) {
	require.NoError(t, checkListen("--listen", "127.0.0.1:8080"))
	require.NoError(t, checkListen("--listen", ":0"))
	for _, wrong := range []string{"127.0.0.1", "127.0.0.1:", ":99999", ":abc", ":-1"} {
		require.ErrorContains(t, checkListen("--listen", wrong), "must be host:port", wrong)
	}
}
