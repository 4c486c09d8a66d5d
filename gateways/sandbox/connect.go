package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

const (
	// silenceMin is the least time that a connection may be silent: enough for a process that waits for
	// another one to build the schema.
	silenceMin = 5 * time.Second

	// idleInTransaction frees the rows of a process that was frozen in the middle of a transaction.
	idleInTransaction = "5s"

	// connectionsMax suits a stand-in: no connection is held while a scripted fault keeps a caller waiting,
	// so eight carry several hundred operations a second, and the database keeps its slots for Waybill.
	connectionsMax = 8
)

// errURL says that the database URL cannot be read.
var errURL = errors.New("the database URL cannot be read")

// connect makes the sandbox's own pool. It opens no connection yet. silence bounds one read or write on a
// connection: lib/pq does not hear its context while the network is silent, so a black-holed database would
// hold a caller for as long as TCP keeps trying.
func connect(url string, silence time.Duration) (*sqlx.DB, error) {
	config, err := pq.NewConfig(url)
	if err != nil {
		return nil, errURL // the library's text may quote the URL with its password
	}
	if config.ApplicationName == "" {
		config.ApplicationName = "waybill-sandbox"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = silence
	}
	if config.Runtime == nil {
		config.Runtime = map[string]string{}
	}
	config.Runtime["idle_in_transaction_session_timeout"] = idleInTransaction
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, errURL
	}
	connector.Dialer(impatientDialer{silence: silence})
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(connectionsMax)
	db.SetMaxIdleConns(connectionsMax)
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// impatientDialer opens connections that give up on a silent peer.
type impatientDialer struct {
	net.Dialer
	silence time.Duration
}

func (d impatientDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	return d.impatient(net.DialTimeout(network, address, timeout))
}

func (d impatientDialer) Dial(network, address string) (net.Conn, error) {
	return d.impatient(d.Dialer.Dial(network, address))
}

func (d impatientDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.impatient(d.Dialer.DialContext(ctx, network, address))
}

func (d impatientDialer) impatient(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return impatientConn{Conn: conn, silence: d.silence}, nil
}

type impatientConn struct {
	net.Conn
	silence time.Duration
}

func (c impatientConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c impatientConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
