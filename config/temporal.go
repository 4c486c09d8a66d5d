package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// Temporal says where Temporal is, how the way there is secured, and what in it is Waybill's. The second names in the
// environment are those of Temporal's own tools.
type Temporal struct {
	TemporalAddress   string `name:"temporal-address" env:"WAYBILL_TEMPORAL_ADDRESS,TEMPORAL_ADDRESS" folder:"" group:"Connections:" help:"Temporal's gRPC address, host:port." default:"127.0.0.1:7233"`
	TemporalNamespace string `name:"temporal-namespace" env:"WAYBILL_TEMPORAL_NAMESPACE,TEMPORAL_NAMESPACE" folder:"" group:"Connections:" help:"Temporal namespace." default:"default"`
	TaskQueue         string `name:"task-queue" env:"WAYBILL_TASK_QUEUE" folder:"" group:"Connections:" help:"Temporal task queue of Waybill's workers." default:"waybill"`
	TemporalTLS       *bool  `name:"temporal-tls" env:"WAYBILL_TEMPORAL_TLS,TEMPORAL_TLS" folder:"" negatable:"" group:"Temporal Cloud and TLS:" help:"Encrypt the way to Temporal. On by itself with an API key and with any of the flags below."`
	TemporalTLSCert   string `name:"temporal-tls-cert" env:"WAYBILL_TEMPORAL_TLS_CERT,TEMPORAL_TLS_CLIENT_CERT_PATH" folder:"" group:"Temporal Cloud and TLS:" help:"Client certificate, in PEM. It is read again for every connection, so it may be renewed in place." placeholder:"FILE"`
	TemporalTLSKey    string `name:"temporal-tls-key" env:"WAYBILL_TEMPORAL_TLS_KEY,TEMPORAL_TLS_CLIENT_KEY_PATH" folder:"" group:"Temporal Cloud and TLS:" help:"Private key of the client certificate, in PEM." placeholder:"FILE"`
	TemporalTLSCA     string `name:"temporal-tls-ca" env:"WAYBILL_TEMPORAL_TLS_CA,TEMPORAL_TLS_SERVER_CA_CERT_PATH" folder:"" group:"Temporal Cloud and TLS:" help:"Certificates of the authorities that may sign the server's, in PEM; those that this machine trusts when not given." placeholder:"FILE"`
	TemporalTLSName   string `name:"temporal-tls-server-name" env:"WAYBILL_TEMPORAL_TLS_SERVER_NAME,TEMPORAL_TLS_SERVER_NAME" folder:"" group:"Temporal Cloud and TLS:" help:"Name that the server's certificate is for, when it is not the host of the address." placeholder:"HOST"`
	TemporalAPIKey    string `name:"temporal-api-key" env:"WAYBILL_TEMPORAL_API_KEY,TEMPORAL_API_KEY" folder:"" secret:"text" group:"Temporal Cloud and TLS:" help:"API key of Temporal Cloud. Better in the environment: other users see a command line." placeholder:"KEY"`
}

// Encrypted tells whether the way to Temporal is encrypted.
func (t *Temporal) Encrypted() bool {
	if t.TemporalTLS != nil {
		return *t.TemporalTLS
	}
	return t.TemporalAPIKey != "" || t.setForTLS() != ""
}

// setForTLS is a flag that has no meaning without TLS, or "".
func (t *Temporal) setForTLS() string {
	for _, flag := range []struct{ name, value string }{{"--temporal-tls-cert", t.TemporalTLSCert}, {"--temporal-tls-key", t.TemporalTLSKey},
		{"--temporal-tls-ca", t.TemporalTLSCA}, {"--temporal-tls-server-name", t.TemporalTLSName}} {
		if flag.value != "" {
			return flag.name
		}
	}
	return ""
}

// Check refuses what could not connect, and what would give an API key away.
func (t *Temporal) Check() error {
	var errs []error
	host, port, err := net.SplitHostPort(strings.TrimPrefix(t.TemporalAddress, "dns:///"))
	if err != nil || host == "" || port == "" {
		errs = append(errs, errors.New("--temporal-address (WAYBILL_TEMPORAL_ADDRESS) must be host:port, such as temporal.example.com:7233"))
	} else if t.TemporalAPIKey != "" && !t.Encrypted() && !isLoopback(host) {
		// On the machine itself a proxy may add the encryption.
		errs = append(errs, fmt.Errorf("the Temporal API key would travel to %s unencrypted: leave --no-temporal-tls (WAYBILL_TEMPORAL_TLS=false) out", host))
	}
	if flag := t.setForTLS(); flag != "" && !t.Encrypted() {
		errs = append(errs, fmt.Errorf("%s has no meaning with --no-temporal-tls (WAYBILL_TEMPORAL_TLS=false): leave one of them out", flag))
	}
	_, err = t.TLS()
	return errors.Join(append(errs, err)...)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// TLS is how the way to Temporal is encrypted, nil when it is not. Mistakes in the files are told at once.
func (t *Temporal) TLS() (*tls.Config, error) {
	if !t.Encrypted() {
		return nil, nil //nolint:nilnil // that is what not encrypted is for the connection, too
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.TemporalTLSName}
	return c, errors.Join(t.trust(c), t.identify(c))
}

func (t *Temporal) trust(c *tls.Config) error {
	if t.TemporalTLSCA == "" {
		return nil
	}
	text, err := os.ReadFile(t.TemporalTLSCA)
	if err != nil {
		return fmt.Errorf("--temporal-tls-ca (WAYBILL_TEMPORAL_TLS_CA): %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("--temporal-tls-ca (WAYBILL_TEMPORAL_TLS_CA): %s has no certificate in PEM", t.TemporalTLSCA)
	}
	return nil
}

func (t *Temporal) identify(c *tls.Config) error {
	if t.TemporalTLSCert == "" && t.TemporalTLSKey == "" {
		return nil
	}
	if t.TemporalTLSCert == "" || t.TemporalTLSKey == "" {
		return errors.New("--temporal-tls-cert and --temporal-tls-key (WAYBILL_TEMPORAL_TLS_CERT, WAYBILL_TEMPORAL_TLS_KEY) go together: set both")
	}
	cert, key := t.TemporalTLSCert, t.TemporalTLSKey
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			err = fmt.Errorf("--temporal-tls-cert, --temporal-tls-key (WAYBILL_TEMPORAL_TLS_CERT, WAYBILL_TEMPORAL_TLS_KEY): %w", err)
		}
		return &pair, err
	}
	_, err := load(nil)
	c.GetClientCertificate = load
	return err
}
