package worker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/worker"
)

// authority signs certificates, as that of a company or of Temporal Cloud does.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(signed)
	require.NoError(t, err)
	return authority{cert, key}
}

// sign makes a certificate that is good for a host, and for a client.
func (a authority) sign(t *testing.T, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	signed, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// files writes a certificate and its key as an operator has them.
func files(t *testing.T, pair tls.Certificate) (cert, key string) {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	return pemFile(t, "CERTIFICATE", pair.Certificate[0]), pemFile(t, "PRIVATE KEY", private)
}

func pemFile(t *testing.T, kind string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
	return path
}

const tlsHost = "temporal.example.com"

// encrypted stands before a Temporal server and wants a client certificate, as Temporal Cloud does.
func encrypted(t *testing.T, server, client authority, behind string) (address string) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{server.sign(t, tlsHost)},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: client.pool(), NextProtos: []string{"h2"}})
	require.NoError(t, err)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() {
		cancel()
		require.NoError(t, listener.Close())
		running.Wait()
	})
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { forward(ctx, conn, behind) })
		}
	})
	return listener.Addr().String()
}

// forward carries bytes both ways until one side has enough.
func forward(ctx context.Context, conn net.Conn, to string) {
	defer conn.Close()
	behind, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		return
	}
	defer behind.Close()
	stop := context.AfterFunc(ctx, func() { _, _ = conn.Close(), behind.Close() })
	defer stop()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(conn, behind)
		_ = conn.Close()
	}()
	_, _ = io.Copy(behind, conn)
	_ = behind.Close()
	<-back
}

func TestMutualTLS(t *testing.T) {
	servers, clients := newAuthority(t), newAuthority(t)
	plain := devtest.Temporal(t).Address
	address := encrypted(t, servers, clients, plain)
	mine := []tls.Certificate{clients.sign(t, "waybill")}

	connect := func(address string, encryption *tls.Config) (client.Client, error) {
		return worker.Connect(t.Context(), worker.Connection{Address: address, Namespace: "default", TLS: encryption, Log: slog.New(slog.DiscardHandler)})
	}
	cert, key := files(t, mine[0])
	configured := config.Temporal{TemporalTLSName: tlsHost, TemporalTLSCA: pemFile(t, "CERTIFICATE", servers.cert.Raw), TemporalTLSCert: cert, TemporalTLSKey: key}
	encryption, err := configured.TLS()
	require.NoError(t, err)
	c, err := connect(address, encryption)
	require.NoError(t, err)
	_, err = c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
	require.NoError(t, err)
	c.Close()

	for name, test := range map[string]struct {
		address string
		tls     *tls.Config
		advice  string
	}{
		"another authority": {address, &tls.Config{ServerName: tlsHost, RootCAs: clients.pool(), Certificates: mine}, "--temporal-tls-ca (WAYBILL_TEMPORAL_TLS_CA) names the authority"},
		"another host":      {address, &tls.Config{RootCAs: servers.pool(), Certificates: mine}, "--temporal-tls-server-name the host that it is for"},
		"no certificate":    {address, &tls.Config{ServerName: tlsHost, RootCAs: servers.pool()}, "check --temporal-tls-cert and --temporal-tls-key"},
		"a certificate of another authority": {address, &tls.Config{ServerName: tlsHost, RootCAs: servers.pool(),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				stranger := servers.sign(t, "waybill")
				return &stranger, nil
			}}, "check --temporal-tls-cert and --temporal-tls-key"},
		"not encrypted":            {address, nil, "the server may expect TLS: set --temporal-tls"},
		"encrypted without reason": {plain, &tls.Config{RootCAs: servers.pool()}, "there is no TLS at this address"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connect(test.address, test.tls)
			require.ErrorContains(t, err, "connect to Temporal at "+test.address)
			require.ErrorContains(t, err, test.advice)
		})
	}
}

// keeper is a server that lets in who knows its key, and remembers what else was said.
type keeper struct {
	workflowservice.UnimplementedWorkflowServiceServer
	key  string
	seen chan []string
}

func (k *keeper) GetSystemInfo(ctx context.Context, _ *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	got, _ := metadata.FromIncomingContext(ctx)
	k.seen <- got.Get("authorization")
	if got := got.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+k.key {
		return nil, status.Error(codes.Unauthenticated, "Request unauthorized.")
	}
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func TestAPIKey(t *testing.T) {
	servers := newAuthority(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&[]tls.Certificate{servers.sign(t, tlsHost)}[0])))
	k := &keeper{key: "the-key", seen: make(chan []string, 10)}
	workflowservice.RegisterWorkflowServiceServer(server, k)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
	})
	connect := func(key string) error {
		c, err := worker.Connect(t.Context(), worker.Connection{Address: listener.Addr().String(), Namespace: "orders.a1b2c",
			TLS: &tls.Config{ServerName: tlsHost, RootCAs: servers.pool()}, APIKey: key, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			c.Close()
		}
		return err
	}
	require.NoError(t, connect("the-key"))
	require.Equal(t, []string{"Bearer the-key"}, <-k.seen)
	err = connect("another-key")
	require.ErrorContains(t, err, "check the API key (WAYBILL_TEMPORAL_API_KEY), and that it is for the namespace orders.a1b2c")
	require.NotContains(t, err.Error(), "another-key")
	require.Equal(t, []string{"Bearer another-key"}, <-k.seen)
}
