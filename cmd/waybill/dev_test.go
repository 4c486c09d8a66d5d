package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/devstack"
)

// dev is a waybill dev that was ready.
type dev struct {
	*program
	dir  string
	info devstack.DevInfo
}

// anyPorts keeps tests that run at the same time off each other's, and the developer's, ports.
var anyPorts = []string{"--port=0", "--temporal-port=0", "--ui-port=0", "--postgres-port=0"}

// startDev starts a waybill dev on a folder and waits until it is ready.
func startDev(t *testing.T, dir string, args ...string) *dev {
	t.Helper()
	return ready(t, start(t, nil, append([]string{"dev", "--data", dir}, args...)...), dir)
}

func ready(t *testing.T, p *program, dir string) *dev {
	t.Helper()
	p.waitFor(t, &p.stdout, "Waybill is ready.")
	info, err := devstack.ReadDevInfo(dir)
	require.NoError(t, err)
	return &dev{program: p, dir: dir, info: info}
}

func (d *dev) client(t *testing.T) *client.ClientWithResponses {
	t.Helper()
	c, err := client.Connect(d.info.APIURL, d.info.APIKey)
	require.NoError(t, err)
	return c
}

// addresses are where it listens, all of them.
func (d *dev) addresses(t *testing.T) []string {
	t.Helper()
	found := []string{d.info.TemporalAddress}
	for _, text := range []string{d.info.APIURL, d.info.TemporalUIURL, d.info.DatabaseURL} {
		address, err := url.Parse(text)
		require.NoError(t, err)
		found = append(found, address.Host)
	}
	return found
}

// gone waits until nothing of it is left: no process of its folder, nobody at its addresses.
func (d *dev) gone(t *testing.T) {
	t.Helper()
	eventually(t, "no process is left in "+d.dir, func() bool { return len(processesOf(t, d.dir)) == 0 })
	for _, address := range d.addresses(t) {
		require.False(t, answers(address), "somebody still listens on %s", address)
	}
}

// processesOf lists what names a folder in its command line or works in it.
func processesOf(t *testing.T, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil { // not Linux
		listed, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
		require.NoError(t, err)
		for line := range strings.Lines(string(listed)) {
			if strings.Contains(line, dir) {
				found = append(found, line)
			}
		}
		return found
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		of := filepath.Join("/proc", entry.Name())
		line, _ := os.ReadFile(filepath.Join(of, "cmdline")) // it may have ended meanwhile
		cwd, _ := os.Readlink(filepath.Join(of, "cwd"))
		if strings.Contains(string(line), dir) || strings.HasPrefix(cwd, dir) {
			found = append(found, fmt.Sprintf("%s %s", entry.Name(), line))
		}
	}
	return found
}

func TestDevGoesOnAfterKillWhereItWas(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			goesOnAfterKill(t, "--temporal-store="+store)
		})
	}
}

func goesOnAfterKill(t *testing.T, args ...string) {
	t.Helper()
	dir := folder(t)
	args = append(args, anyPorts...)
	d := startDev(t, dir, args...)
	requireDevJSON(t, dir)
	tryWhatItSays(t, d)
	placed := theOrder(t, d)
	require.EqualValues(t, "accepted", placed.Status)

	d.signal(t, syscall.SIGKILL)
	require.Equal(t, -int(syscall.SIGKILL), d.exitCode(t))
	d.gone(t)

	again := startDev(t, dir, args...)
	require.Equal(t, d.info.APIKey, again.info.APIKey, "the key of the first run is that of the second")
	fulfill(t, again)
	eventually(t, "the order completes", func() bool { return theOrder(t, again).Status == "completed" })

	again.signal(t, syscall.SIGINT)
	require.Equal(t, 0, again.exitCode(t))
	require.Contains(t, again.stderr.String(), "waybill: stopped\n")
	again.gone(t)
}

// requireDevJSON looks at the file itself, for the sake of programs that are not ours.
func requireDevJSON(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "dev.json")
	stat, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), stat.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var fields map[string]string
	require.NoError(t, json.Unmarshal(text, &fields))
	for _, name := range []string{"api_url", "api_key", "temporal_address", "temporal_ui_url", "database_url"} {
		require.NotEmpty(t, fields[name], name)
	}
	require.Len(t, fields, 5)
}

// tryWhatItSays sends the requests that it prints to try.
func tryWhatItSays(t *testing.T, d *dev) {
	t.Helper()
	d.waitFor(t, &d.stdout, firstRequests())
	require.Contains(t, d.stdout.String(), fmt.Sprintf(`eval "$(%s env --data %s)"`, filepath.Join(built, "waybill"), d.dir))
	for _, r := range first {
		request, err := http.NewRequestWithContext(t.Context(), r.method, d.info.APIURL+r.path, strings.NewReader(r.body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+d.info.APIKey)
		request.Header.Set("Content-Type", "application/json")
		if r.key != "" {
			request.Header.Set("Idempotency-Key", r.key)
		}
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Less(t, answer.StatusCode, 300, "%s %s: %s", r.method, r.path, body)
	}
}

// theOrder is the only one.
func theOrder(t *testing.T, d *dev) *client.Order {
	t.Helper()
	c := d.client(t)
	listed, err := c.ListOrdersWithResponse(t.Context(), &client.ListOrdersParams{})
	require.NoError(t, err)
	require.Len(t, listed.JSON200.Data, 1)
	found, err := c.GetOrderWithResponse(t.Context(), listed.JSON200.Data[0].ID)
	require.NoError(t, err)
	return found.JSON200
}

// fulfill takes the order from the warehouse to the customer.
func fulfill(t *testing.T, d *dev) {
	t.Helper()
	c, ctx, o := d.client(t), t.Context(), theOrder(t, d)
	f := o.Fulfillments[0]
	lines := []client.LineQuantity{{LineID: f.Lines[0].LineID, Quantity: f.Lines[0].Quantity}}
	_, err := c.PickFulfillmentWithResponse(ctx, f.ID, &client.PickFulfillmentParams{IdempotencyKey: "pick"},
		client.PickRequest{Lines: []client.PickedLine{{LineID: lines[0].LineID, Quantity: lines[0].Quantity}}})
	require.NoError(t, err)
	_, err = c.PackFulfillmentWithResponse(ctx, f.ID, &client.PackFulfillmentParams{IdempotencyKey: "pack"},
		client.PackRequest{Parcels: []client.Parcel{{WeightGrams: 500, Lines: lines}}})
	require.NoError(t, err)
	_, err = c.ShipFulfillmentWithResponse(ctx, f.ID, &client.ShipFulfillmentParams{IdempotencyKey: "ship"}, client.ShipRequest{})
	require.NoError(t, err)
	_, err = c.RecordTrackingWithResponse(ctx, theOrder(t, d).Shipments[0].ID, &client.RecordTrackingParams{IdempotencyKey: "delivered"},
		client.TrackingRequest{Status: "delivered", OccurredAt: time.Now().UTC()})
	require.NoError(t, err)
}

func TestTwoDevsSideBySideWhereEveryPortIsTaken(t *testing.T) {
	t.Parallel()
	usual := []string{"8080", "7233", "8233", "5433"}
	for _, port := range usual {
		if busy, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil { // else it is taken as it is
			t.Cleanup(func() { _ = busy.Close() })
		}
	}
	dirs := []string{folder(t), folder(t)}
	starting := []*program{start(t, nil, "dev", "--data", dirs[0]), start(t, nil, "dev", "--data", dirs[1])}
	one, other := ready(t, starting[0], dirs[0]), ready(t, starting[1], dirs[1])
	seen := map[string]bool{}
	for _, address := range append(one.addresses(t), other.addresses(t)...) {
		require.False(t, seen[address], "both use %s", address)
		seen[address] = true
	}
	for _, port := range usual {
		require.Contains(t, one.stderr.String(), "waybill: port "+port+" is taken: ")
		require.False(t, seen["127.0.0.1:"+port])
	}
	tryWhatItSays(t, one)
	listed, err := other.client(t).ListOrdersWithResponse(t.Context(), &client.ListOrdersParams{})
	require.NoError(t, err)
	require.Empty(t, listed.JSON200.Data, "each folder is a Waybill of its own")

	refused := start(t, nil, "dev", "--data", one.dir)
	require.Equal(t, 1, refused.exitCode(t))
	require.Equal(t, fmt.Sprintf("waybill: %s is already in use by process %d: stop that one first, or choose another data folder\n",
		one.dir, one.pid), refused.stderr.String())
	requireDevJSON(t, one.dir)

	apiAndWorkerDrain(t, other)
	secondSignalEndsAtOnce(t, one)
	other.signal(t, syscall.SIGTERM)
	require.Equal(t, 0, other.exitCode(t))
	other.gone(t)
}

// halfARequest is a request that a server waits for.
type halfARequest struct {
	net.Conn
	rest string
}

// beginRequest sends all but the end of a request.
func beginRequest(t *testing.T, apiURL, key string) halfARequest {
	t.Helper()
	address, err := url.Parse(apiURL)
	require.NoError(t, err)
	conn, err := net.Dial("tcp", address.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	body := first[0].body
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: waybill\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", first[0].path, key, len(body))
	require.NoError(t, err)
	begun := make([]byte, len("HTTP/1.1 100"))
	_, err = io.ReadFull(conn, begun)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100", string(begun), "the server waits for the body")
	return halfARequest{conn, body}
}

// apiAndWorkerDrain runs both as processes of their own on what a waybill dev has started.
func apiAndWorkerDrain(t *testing.T, d *dev) {
	t.Helper()
	apiServer := start(t, nil, "api", "--data", d.dir, "--listen", "127.0.0.1:0", "--log-format", "json")
	apiServer.waitFor(t, &apiServer.stderr, "api: serving")
	var line struct{ URL string }
	served, _, _ := strings.Cut(apiServer.stderr.String()[strings.LastIndex(apiServer.stderr.String(), "{"):], "\n")
	require.NoError(t, json.Unmarshal([]byte(served), &line))
	request := beginRequest(t, line.URL, d.info.APIKey)
	apiServer.signal(t, syscall.SIGTERM)
	eventually(t, "the API takes no more requests", func() bool { return !answers(request.RemoteAddr().String()) })
	_, err := io.WriteString(request, request.rest)
	require.NoError(t, err)
	answer, err := io.ReadAll(request)
	require.NoError(t, err)
	require.Contains(t, string(answer), "HTTP/1.1 201 Created", "what was begun is answered")
	require.Equal(t, 0, apiServer.exitCode(t))

	busy := start(t, nil, "api", "--data", d.dir, "--listen", strings.TrimPrefix(d.info.APIURL, "http://"))
	require.Equal(t, 1, busy.exitCode(t))
	require.Contains(t, busy.stderr.String(), "is taken by another program: choose another address with --listen")

	worker := start(t, nil, "worker", "--data", d.dir)
	worker.waitFor(t, &worker.stderr, "worker: polling")
	worker.signal(t, syscall.SIGTERM)
	require.Equal(t, 0, worker.exitCode(t))
}

// secondSignalEndsAtOnce stops a waybill dev that would wait for a request.
func secondSignalEndsAtOnce(t *testing.T, d *dev) {
	t.Helper()
	beginRequest(t, d.info.APIURL, d.info.APIKey)
	d.signal(t, syscall.SIGINT)
	d.waitFor(t, &d.stderr, "stopping; Ctrl-C again ends it at once")
	eventually(t, "it ends", func() bool {
		if !d.hasEnded() {
			d.signal(t, syscall.SIGINT)
		}
		return d.hasEnded()
	})
	require.Equal(t, -int(syscall.SIGINT), d.exitCode(t))
	d.gone(t)
}

func TestEphemeralLeavesNothing(t *testing.T) {
	t.Parallel()
	dir, tmp := folder(t), folder(t)
	require.NoError(t, os.Chmod(tmp, 0o777))
	p := start(t, func(cmd *exec.Cmd) { cmd.Env = append(os.Environ(), "TMPDIR="+tmp) },
		append([]string{"dev", "--ephemeral", "--data", filepath.Join(dir, "new")}, anyPorts...)...)
	d := ready(t, p, filepath.Join(dir, "new"))
	servers := workingFoldersOfChildren(d.pid)
	tryWhatItSays(t, d)
	require.NotContains(t, d.stdout.String(), "the data stays")
	d.signal(t, syscall.SIGINT)
	require.Equal(t, 0, d.exitCode(t))
	d.gone(t)
	requireEmpty(t, dir)
	for _, server := range servers {
		require.NoDirExists(t, server)
	}

	// Without a folder there is one for the time being. That nobody reads what it says is no reason to end otherwise:
	// Ctrl-C ends the other side of a pipe first.
	p = start(t, func(cmd *exec.Cmd) {
		cmd.Env, cmd.Stderr = append(os.Environ(), "TMPDIR="+tmp), brokenPipe(t)
	}, append([]string{"dev", "--ephemeral"}, anyPorts...)...)
	p.waitFor(t, &p.stdout, "Waybill is ready.")
	p.signal(t, syscall.SIGINT)
	require.Equal(t, 0, p.exitCode(t))
	require.NoError(t, os.RemoveAll(filepath.Join(tmp, fmt.Sprintf("waybill-%d", os.Geteuid())))) // where the servers' were
	requireEmpty(t, tmp)

	require.NoError(t, os.Mkdir(filepath.Join(dir, "postgres"), 0o700))
	p = start(t, nil, "dev", "--ephemeral", "--data", dir)
	require.Equal(t, 1, p.exitCode(t))
	require.Contains(t, p.stderr.String(), dir+" is the folder of a Waybill that is kept")
}

func brokenPipe(t *testing.T) *os.File {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, read.Close())
	t.Cleanup(func() { _ = write.Close() })
	return write
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// workingFoldersOfChildren are where the servers keep what they have. Elsewhere than on Linux nobody says.
func workingFoldersOfChildren(pid int) (found []string) {
	children, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range children {
		stat, _ := os.ReadFile(path)
		_, after, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if cwd, err := os.Readlink(filepath.Join(filepath.Dir(path), "cwd")); err == nil {
				found = append(found, cwd)
			}
		}
	}
	return found
}

// A normal user has a home, and neither another user to run PostgreSQL as nor a folder in /var/lib.
func TestDevAsANormalUserInTheirHome(t *testing.T) {
	t.Parallel()
	home := folder(t)
	as := func(cmd *exec.Cmd) {
		cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "XDG_CACHE_HOME=")
	}
	if os.Geteuid() == 0 {
		nobody, err := user.Lookup("nobody")
		require.NoError(t, err)
		uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
		require.NoError(t, err)
		gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
		require.NoError(t, err)
		require.NoError(t, os.Chown(home, int(uid), int(gid)))
		inHome := as
		as = func(cmd *exec.Cmd) {
			inHome(cmd)
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	p := start(t, as, append([]string{"dev"}, anyPorts...)...)
	d := ready(t, p, filepath.Join(home, ".local", "share", "waybill"))
	require.DirExists(t, filepath.Join(d.dir, "postgres", "data"))
	require.NotContains(t, d.stdout.String(), "cannot run as root")
	env := start(t, as, "env")
	require.Equal(t, 0, env.exitCode(t))
	require.Equal(t, fmt.Sprintf("export API='%s'\nexport KEY='%s'\nexport WAYBILL_DATA='%s'\n", d.info.APIURL, d.info.APIKey, d.dir), env.stdout.String())
	require.Contains(t, d.stdout.String(), fmt.Sprintf(`eval "$(%s env)"`, filepath.Join(built, "waybill")))
	d.signal(t, syscall.SIGINT)
	require.Equal(t, 0, d.exitCode(t))
	d.gone(t)
}

// The go command does not tell the program that it runs how it was killed.
func TestKilledGoRunTakesDevWithIt(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	goCommand, err := exec.LookPath("go")
	require.NoError(t, err)
	p := launch(t, exec.Command(goCommand, append([]string{"run", ".", "dev", "--data", dir}, anyPorts...)...))
	d := ready(t, p, dir)
	require.Len(t, processesOf(t, filepath.Join(dir, "temporal")), 1)
	d.signal(t, syscall.SIGKILL)
	require.Equal(t, -int(syscall.SIGKILL), d.exitCode(t))
	d.gone(t)
}

func TestDevInterruptedWhileItStarts(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	require.NoError(t, devstack.WriteDevInfo(dir, devstack.DevInfo{APIURL: "http://127.0.0.1:1"})) // of a run that was killed
	p := start(t, nil, append([]string{"dev", "--data", dir}, anyPorts...)...)
	p.waitFor(t, &p.stderr, "starting Temporal")
	p.signal(t, syscall.SIGINT)
	require.Equal(t, 0, p.exitCode(t))
	require.Contains(t, p.stderr.String(), "waybill: stopped\n")
	require.Empty(t, processesOf(t, dir))
	require.NoFileExists(t, filepath.Join(dir, "dev.json"), "nothing is ready")
}
