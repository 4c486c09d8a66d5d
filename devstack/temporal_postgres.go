//go:build unix

package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/waybill-oms/waybill/tools"
)

// TemporalPostgres says which PostgreSQL keeps workflows.
type TemporalPostgres struct {
	// AdminURL is that of a role that may create databases there, such as Postgres.AdminURL. Its database
	// holds the lock by which a second launcher is turned away.
	AdminURL string
	// Database is the name of the one that is kept, by default temporal. There is a second one, temporal_visibility.
	// With Ephemeral both get names of their own, and are dropped by Stop; a launcher that is killed leaves them there.
	Database string
	// Address is the host and port by which the server reaches it instead, such as a proxy's.
	Address string
}

const (
	// temporalConfigDir is the folder of the configuration, in Dir.
	temporalConfigDir = "config"
	// historyShards cannot be changed in databases that exist. More are for more machines.
	historyShards = 4
	// Each of its four services opens so many connections at most. A dev PostgreSQL takes 200 in all.
	workflowConnections, visibilityConnections = 16, 4
)

// postgresServer is the server that is used in production, all of its services in one process.
type postgresServer struct {
	t                   *Temporal
	given               TemporalPostgres
	role                pgRole // of given.AdminURL
	ephemeral, headless bool
	sqlTool, uiServer   string
}

func (s *postgresServer) build(ctx context.Context, fallbackDir string, tell progress) (string, error) {
	builder, err := newTemporalBuilder(fallbackDir, tell)
	if err != nil {
		return "", err
	}
	if s.sqlTool, err = builder.binary(ctx, tools.TemporalSQL); err != nil {
		return "", err
	}
	if !s.headless {
		if s.uiServer, err = builder.binary(ctx, tools.TemporalUI); err != nil {
			return "", err
		}
	}
	return builder.binary(ctx, tools.TemporalServer)
}

func (s *postgresServer) command(options TemporalOptions) (command, error) {
	port := choosePort(options.choose, options.Port)
	s.t.Address = address(port)
	dynamic, err := dynamicConfig(options.DynamicConfig)
	if err != nil {
		return command{}, err
	}
	if err := s.write("dynamic", dynamic); err != nil {
		return command{}, err
	}
	if err := s.write("server", s.config(port)); err != nil {
		return command{}, err
	}
	return s.program(s.t.Binary, "server", "--allow-no-auth"), nil
}

// program runs one of the programs with a file in the configuration folder. The path of the folder also tells later
// where it works.
func (s *postgresServer) program(path, config string, more ...string) command {
	args := append([]string{"--root", s.configDir(), "--config", ".", "--env", config}, more...)
	return command{path: path, args: append(args, "start"), dir: s.t.Dir, env: childEnv(s.t.Dir)}
}

func (s *postgresServer) configDir() string { return filepath.Join(s.t.Dir, temporalConfigDir) }

func (s *postgresServer) configFile(name string) string {
	return filepath.Join(s.configDir(), name+".yaml")
}

// write makes a file of the configuration, which contains passwords. JSON is YAML, too.
func (s *postgresServer) write(name string, config any) error {
	content, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.configDir(), 0o700); err != nil {
		return err
	}
	return writeFileAtomic(s.configFile(name), append(content, '\n'))
}

type object = map[string]any

// config is the server's configuration.
func (s *postgresServer) config(port int) object {
	service := func(port int) object {
		// The port by which its services find each other is kept in a column of 16 bits.
		return object{"rpc": object{"grpcPort": port, "membershipPort": lowPort(), "bindOnIP": loopback}}
	}
	return object{
		"log": object{"stdout": true, "level": "error"},
		"persistence": object{
			"defaultStore": "main", "visibilityStore": "visibility", "numHistoryShards": historyShards,
			"datastores": object{
				"main":       s.store(s.given.Database, workflowConnections),
				"visibility": s.store(visibilityOf(s.given.Database), visibilityConnections),
			},
		},
		"global": object{"membership": object{"maxJoinDuration": "30s", "broadcastAddress": loopback}},
		"services": object{
			"frontend": service(port), "history": service(FreePort(0)), "matching": service(FreePort(0)), "worker": service(FreePort(0)),
		},
		"clusterMetadata": object{
			"failoverVersionIncrement": 10, "masterClusterName": "active", "currentClusterName": "active",
			"clusterInformation": object{"active": object{
				"enabled": true, "initialFailoverVersion": 1, "rpcName": "frontend", "rpcAddress": s.t.Address,
			}},
		},
		"publicClient":        object{"hostPort": s.t.Address},
		"dynamicConfigClient": object{"filepath": s.configFile("dynamic"), "pollInterval": "1h"},
	}
}

// store is how the server reaches a database.
func (s *postgresServer) store(database string, connections int) object {
	address := s.given.Address
	if address == "" {
		address = net.JoinHostPort(s.role.host, s.role.port)
	}
	return object{"sql": object{
		"pluginName": "postgres12", "databaseName": database, "connectAddr": address, "connectProtocol": "tcp",
		"user": s.role.user, "password": s.role.password,
		"maxConns": connections, "maxIdleConns": connections, "maxConnLifetime": "1h",
		"tls": object{"enabled": s.role.tls, "enableHostVerification": s.role.verified, "caFile": s.role.authority},
	}}
}

// pgRole is what a URL of PostgreSQL says, as Temporal's programs have to be told it.
type pgRole struct {
	host, port, user, password string
	// tls, verified and authority follow lib/pq, which encrypts unless it is told not to.
	tls, verified bool
	authority     string
}

func parseRole(address string) (pgRole, error) {
	u, err := url.Parse(address)
	if err != nil {
		return pgRole{}, errors.New("the URL of PostgreSQL cannot be read") // the cause would quote the password
	}
	query := u.Query()
	mode := query.Get("sslmode")
	role := pgRole{
		host: u.Hostname(), port: u.Port(), user: u.User.Username(),
		tls: mode != "disable", verified: mode == "verify-full" || mode == "verify-ca", authority: query.Get("sslrootcert"),
	}
	role.password, _ = u.User.Password()
	if role.port == "" {
		role.port = "5432"
	}
	if role.host == "" || role.user == "" {
		return pgRole{}, errors.New("Temporal needs a URL of PostgreSQL with a host and a user in it, postgres://user:password@host:port/database")
	}
	return role, nil
}

// dynamicConfig is what the dev server sets, and the values that were asked for over it. The dev server asks its store for
// the names of search attributes whenever it needs them (system.forceSearchAttributesCacheRefreshOnRead), one caller after
// the other: for each run of a list, and each time that a run is described or its attributes change. Nobody could live
// with that who has a thousand runs.
func dynamicConfig(wanted map[string]string) (object, error) {
	values := map[string]string{
		"history.hostLevelCacheMaxSize":    "8096",
		"frontend.namespaceRPS.visibility": "100",
		"frontend.persistenceMaxQPS":       "10000",
		"history.persistenceMaxQPS":        "45000",
	}
	maps.Copy(values, wanted)
	config := object{}
	for key, value := range values {
		if !json.Valid([]byte(value)) {
			return nil, fmt.Errorf("dynamic config %s: %q is not JSON", key, value)
		}
		config[key] = []object{{"value": json.RawMessage(value)}}
	}
	return config, nil
}
