package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate makes one that signs itself, and returns the files with it and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600))
	return cert, key
}

func TestTLSIsOnWhereverItHasAMeaning(t *testing.T) {
	cert, key := certificate(t)
	for name, test := range map[string]struct {
		args []string
		on   bool
	}{
		"by default":           {nil, false},
		"asked for":            {[]string{"--temporal-tls"}, true},
		"API key":              {[]string{"--temporal-api-key=k"}, true},
		"client certificate":   {[]string{"--temporal-tls-cert", cert, "--temporal-tls-key", key}, true},
		"authority":            {[]string{"--temporal-tls-ca", cert}, true},
		"name":                 {[]string{"--temporal-tls-server-name=temporal.example.com"}, true},
		"proxy on the machine": {[]string{"--temporal-api-key=k", "--no-temporal-tls", "--temporal-address=localhost:7233"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := parse(t, test.args...)
			require.NoError(t, err)
			require.Equal(t, test.on, c.Encrypted())
			encryption, err := c.TLS()
			require.NoError(t, err)
			require.Equal(t, test.on, encryption != nil)
		})
	}
	t.Setenv("TEMPORAL_TLS", "true")
	c, err := parse(t)
	require.NoError(t, err)
	require.True(t, c.Encrypted())
	t.Setenv("WAYBILL_TEMPORAL_TLS", "false")
	c, err = parse(t)
	require.NoError(t, err)
	require.False(t, c.Encrypted())
}

func TestWrongTLS(t *testing.T) {
	cert, key := certificate(t)
	other, _ := certificate(t)
	nothing := filepath.Join(t.TempDir(), "nothing.pem")
	require.NoError(t, os.WriteFile(nothing, []byte("nothing"), 0o600))
	for name, test := range map[string]struct {
		args   []string
		wanted string
	}{
		"a key without a certificate":  {[]string{"--temporal-tls-key", key}, "go together: set both"},
		"a certificate without a key":  {[]string{"--temporal-tls-cert", cert}, "go together: set both"},
		"another's key":                {[]string{"--temporal-tls-cert", other, "--temporal-tls-key", key}, "private key does not match public key"},
		"no certificate in the file":   {[]string{"--temporal-tls-ca", nothing}, "nothing.pem has no certificate in PEM"},
		"no file":                      {[]string{"--temporal-tls-ca", nothing + "2"}, "--temporal-tls-ca (WAYBILL_TEMPORAL_TLS_CA): open "},
		"turned off all the same":      {[]string{"--no-temporal-tls", "--temporal-tls-ca", cert}, "--temporal-tls-ca has no meaning with --no-temporal-tls"},
		"an API key that all can read": {[]string{"--no-temporal-tls", "--temporal-api-key=hidden", "--temporal-address=temporal.example.com:7233"}, "the Temporal API key would travel to temporal.example.com unencrypted"},
		"an address without a port":    {[]string{"--temporal-address=temporal.example.com"}, "--temporal-address (WAYBILL_TEMPORAL_ADDRESS) must be host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, test.args...)
			require.ErrorContains(t, err, test.wanted)
			require.NotContains(t, err.Error(), "hidden")
		})
	}
}

// A certificate that was renewed in its file is used from the next connection on.
func TestTheClientCertificateIsReadForEveryConnection(t *testing.T) {
	cert, key := certificate(t)
	c, err := parse(t, "--temporal-tls-cert", cert, "--temporal-tls-key", key)
	require.NoError(t, err)
	encryption, err := c.TLS()
	require.NoError(t, err)
	first, err := encryption.GetClientCertificate(&tls.CertificateRequestInfo{})
	require.NoError(t, err)
	newCert, newKey := certificate(t)
	require.NoError(t, os.Rename(newCert, cert))
	require.NoError(t, os.Rename(newKey, key))
	second, err := encryption.GetClientCertificate(&tls.CertificateRequestInfo{})
	require.NoError(t, err)
	require.NotEqual(t, first.Certificate, second.Certificate)
}
