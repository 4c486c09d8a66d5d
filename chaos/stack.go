//go:build unix

package chaos

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/workflows"
)

// stack is everything that is broken: the servers, Waybill's processes, and the ways between them.
type stack struct {
	options  Options
	dir      string
	secret   string // of API keys
	sandbox  string // secret of the sandbox gateways
	apiKey   string
	net      *network
	parts    map[string]*part
	stop     context.CancelFunc // ends the looking after
	mu       sync.Mutex
	binary   string // the build that is started from now on
	postgres *devstack.Postgres
	temporal *devstack.Temporal
}

// served is a process of Waybill with the address at which it answers.
type served struct {
	*process
	address string
}

// raise brings everything up. What was started before an error is ended by lower.
func (s *stack) raise(ctx context.Context) (err error) {
	if s.net, err = openNetwork(ctx); err != nil {
		return err
	}
	s.parts, s.secret, s.sandbox, s.binary = map[string]*part{}, secret(), secret(), s.options.Binary
	living, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	for _, p := range []*part{
		{name: postgresPart, begin: s.beginPostgres, lead: s.leadToPostgres},
		{name: temporalPart, begin: s.beginTemporal, lead: s.leadToTemporal},
	} {
		if err := s.up(living, p); err != nil {
			return err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for _, name := range slices.Concat([]string{sandboxPart}, workers, apis) {
		if err := s.up(living, &part{name: name, begin: s.starter(name), lead: s.leadTo(name)}); err != nil {
			return err
		}
	}
	return s.awaitReady(ctx)
}

func (s *stack) up(ctx context.Context, p *part) error {
	s.options.Tell("starting " + p.name)
	p.tell = func(format string, args ...any) { s.note(fmt.Sprintf(format, args...)) }
	s.parts[p.name] = p
	return p.up(ctx)
}

// dump has a part that does not answer write into its log what it is doing, with which it ends.
func (s *stack) dump(part string) {
	err := signal(s.parts[part].instance().pids(), syscall.SIGQUIT)
	s.note(fmt.Sprintf("%s writes its goroutines: %v", part, err))
	time.Sleep(time.Second)
}

// note writes down what the parts themselves do not know.
func (s *stack) note(line string) {
	file, err := os.OpenFile(filepath.Join(s.dir, "chaos.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	defer file.Close()
	fmt.Fprintln(file, time.Now().UTC().Format(time.RFC3339Nano), line)
}

// lower ends everything, what was started last first, those that can end at once together.
func (s *stack) lower() error {
	if s.stop != nil {
		s.stop()
	}
	var errs []error
	for _, names := range [][]string{slices.Concat(apis, workers), {sandboxPart}, {temporalPart}, {postgresPart}} {
		var ending sync.WaitGroup
		ends := make([]error, len(names))
		for i, name := range names {
			if p := s.parts[name]; p != nil {
				ending.Go(func() { ends[i] = p.down() })
			}
		}
		ending.Wait()
		errs = append(errs, ends...)
	}
	if s.net != nil {
		errs = append(errs, s.net.close())
	}
	return errors.Join(errs...)
}

// databaseInstance is one life of PostgreSQL.
type databaseInstance struct{ *devstack.Postgres }

func (d databaseInstance) pids() []int {
	pid := d.PID()
	return append([]int{pid}, childrenOf(pid)...)
}
func (d databaseInstance) ended() <-chan struct{} { return d.Done() }
func (d databaseInstance) stop() error            { return d.Stop() }

func (s *stack) beginPostgres(ctx context.Context) (instance, error) {
	settings := map[string]string{"fsync": "off"} // a kill -9 of the server loses nothing that the kernel has
	if s.options.Fsync {
		settings["fsync"] = "on"
	}
	port := 0
	if s.postgres != nil {
		port = s.postgres.Port
	}
	p, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{Dir: filepath.Join(s.dir, "postgres"), Port: port, Settings: settings,
		LogFile: s.log(postgresPart)})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.postgres = p
	s.mu.Unlock()
	return databaseInstance{p}, nil
}

func (s *stack) leadToPostgres(i instance) error {
	return s.net.lead(postgresPart, net.JoinHostPort(loopback, strconv.Itoa(i.(databaseInstance).Port)))
}

// temporalInstance is one life of Temporal.
type temporalInstance struct{ *devstack.Temporal }

func (t temporalInstance) pids() []int            { return []int{t.PID()} }
func (t temporalInstance) ended() <-chan struct{} { return t.Done() }
func (t temporalInstance) stop() error            { return t.Stop() }

func (s *stack) beginTemporal(ctx context.Context) (instance, error) {
	o := devstack.TemporalOptions{Dir: filepath.Join(s.dir, "temporal"), Headless: true, SearchAttributes: workflows.SearchAttributes(),
		LogFile: s.log(temporalPart), Progress: s.options.Tell}
	s.mu.Lock()
	if s.temporal != nil {
		_, port, _ := net.SplitHostPort(s.temporal.Address)
		o.Port, _ = strconv.Atoi(port)
	}
	if !s.options.SQLite {
		o.Postgres = &devstack.TemporalPostgres{AdminURL: s.postgres.AdminURL, Address: s.net.to(temporalPart, postgresPart)}
	}
	s.mu.Unlock()
	t, err := devstack.StartTemporal(ctx, o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.temporal = t
	s.mu.Unlock()
	return temporalInstance{t}, nil
}

func (s *stack) leadToTemporal(i instance) error {
	return s.net.lead(temporalPart, i.(temporalInstance).Address)
}

// prepare makes the schema and a key, with the program itself.
func (s *stack) prepare(ctx context.Context) error {
	env := slices.Concat(s.options.Env, []string{"WAYBILL_DATABASE_URL=" + s.databaseURL(), "WAYBILL_KEY_SECRET=" + s.secret})
	run := func(args ...string) ([]byte, error) {
		return program{binary: s.options.Binary, args: args, env: env}.run(ctx)
	}
	if _, err := run("migrate"); err != nil {
		return err
	}
	output, err := run("keys", "create", "chaos", "--json")
	if err != nil {
		return err
	}
	var made struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(output, &made); err != nil || made.Key == "" {
		return errors.New("waybill keys create has made no key")
	}
	s.apiKey = made.Key
	return nil
}

// databaseURL leads straight to the database, for who is no part of what is broken.
func (s *stack) databaseURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.postgres.URL
}

// databaseURLOf leads to the database by the way of a part.
func (s *stack) databaseURLOf(part string) string {
	u, err := url.Parse(s.databaseURL())
	if err != nil {
		panic(err) // it has served to connect
	}
	u.Host = s.net.to(part, postgresPart)
	return u.String()
}

// temporalAddress leads straight to Temporal.
func (s *stack) temporalAddress() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.temporal.Address
}

// starter starts a process of Waybill at a new address each time.
func (s *stack) starter(name string) func(context.Context) (instance, error) {
	return func(ctx context.Context) (instance, error) {
		address, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		binary := s.binary
		s.mu.Unlock()
		args, env := s.call(name, address)
		p, err := program{binary: binary, args: args, env: slices.Concat(s.options.Env, env), logFile: s.log(name)}.start()
		if err != nil {
			return nil, err
		}
		return served{p, address}, nil
	}
}

// call is how a process of Waybill is started: everything that it needs is at the near end of a way.
func (s *stack) call(name, address string) (args, env []string) {
	switch name {
	case sandboxPart:
		return []string{"sandbox", "serve"}, []string{"WAYBILL_SANDBOX_URL=" + s.databaseURLOf(name),
			"WAYBILL_SANDBOX_ADDRESS=" + address, "WAYBILL_SANDBOX_SECRET=" + s.sandbox}
	case workers[0], workers[1]:
		return []string{"worker"}, []string{"WAYBILL_DATABASE_URL=" + s.databaseURLOf(name),
			"WAYBILL_TEMPORAL_ADDRESS=" + s.net.to(name, temporalPart), "WAYBILL_METRICS_LISTEN=" + address,
			"WAYBILL_SANDBOX_ADDRESS=" + s.net.to(name, sandboxPart), "WAYBILL_SANDBOX_SECRET=" + s.sandbox}
	}
	return []string{"api"}, []string{"WAYBILL_DATABASE_URL=" + s.databaseURLOf(name), "WAYBILL_LISTEN=" + address,
		"WAYBILL_TEMPORAL_ADDRESS=" + s.net.to(name, temporalPart), "WAYBILL_KEY_SECRET=" + s.secret}
}

func (s *stack) leadTo(name string) func(instance) error {
	return func(i instance) error { return s.net.lead(name, i.(served).address) }
}

func (s *stack) log(part string) string { return filepath.Join(s.dir, part+".log") }

// readyWithin bounds a start on a machine that has other work to do; by itself it takes a second.
const readyWithin = 90 * time.Second

// awaitReady waits until every API and worker has all that it needs.
func (s *stack) awaitReady(ctx context.Context) error {
	s.options.Tell("waiting until everything is ready")
	for _, name := range slices.Concat(workers, apis) {
		if err := s.ready(ctx, name); err != nil {
			return fmt.Errorf("%s does not get ready: %w; see %s", name, err, s.log(name))
		}
	}
	return nil
}

func (s *stack) ready(ctx context.Context, name string) error {
	return until(ctx, readyWithin, func(ctx context.Context) error {
		return ask(ctx, "http://"+s.parts[name].instance().(served).address+"/readyz")
	})
}

// answers waits until a process listens, or has ended. Whether all that it needs is there does not matter to who replaces
// another one.
func answers(ctx context.Context, i instance) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-i.ended():
			cancel(errors.New("it has ended"))
		case <-ctx.Done():
		}
	}()
	return until(ctx, readyWithin, func(ctx context.Context) error { return ask(ctx, "http://"+i.(served).address+"/healthz") })
}

// until tries until something works, and says what was wrong last when it never does.
func until(ctx context.Context, limit time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if client.Pause(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

func ask(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := direct.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", request.URL.Path, response.Status)
	}
	return nil
}

// direct goes straight to the loopback address, whatever proxy the environment names.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// secret is one that nobody guesses.
func secret() string {
	bytes := make([]byte, 32)
	_, _ = rand.Read(bytes) // it never fails
	return hex.EncodeToString(bytes)
}
