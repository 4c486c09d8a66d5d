package verify_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/store/verify"
)

// logs are what clients and receivers may have written down. In a line {key}, {id} and {other} stand for the key and the
// id of an order, and the id of another one; {first} and {second} for the positions of its first events.
var logs = []struct {
	id, name  string
	lines     []string
	subject   string
	violation string // part of it; empty where there is none to be found
}{
	{id: "V-O1", name: "an order that is there", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/orders","key":"{key}","status":202,"order_id":"{id}"}`,
		`{"at":"2026-11-01T10:00:01Z","method":"POST","path":"/v1/orders","key":"{key}","status":201,"order_id":"{id}"}`}},
	{id: "V-O1", name: "nobody was told that it is done", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/orders","key":"lost","status":503,"order_id":""}`,
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/orders","key":"lost","status":0,"order_id":""}`,
		`{"at":"2026-11-01T10:00:00Z","method":"PUT","path":"/v1/locations/nyc","key":"","status":200,"order_id":""}`}},
	{id: "V-O1", name: "its writer died in the middle of a line", lines: []string{`{"at":"2026-11-01T10:00:00Z","meth`}},
	{id: "V-O1", name: "an order that was lost", subject: "lost", violation: "nothing is there under its key", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/orders","key":"lost","status":201,"order_id":"{id}"}`, ""}},
	{id: "V-O1", name: "a command that was lost", subject: "pick-17", violation: "nothing is there under its key", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/fulfillments/ful_1/pick","key":"pick-17","status":200,"order_id":"{id}"}`, ""}},
	{id: "V-O1", name: "another order", subject: "{key}", violation: "under its key there is {id}", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/orders","key":"{key}","status":201,"order_id":"{other}"}`, ""}},
	{id: "V-O1", name: "two orders under one key", subject: "{key}", violation: "with {other}", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/orders","key":"{key}","status":201,"order_id":"{id}"}`,
		`{"at":"2026-11-01T10:00:00Z","method":"POST","path":"/v1/orders","key":"{key}","status":201,"order_id":"{other}"}`, ""}},

	{id: "V-E1", name: "has read nothing yet", lines: []string{}},
	{id: "V-E3", name: "what came twice", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","position":1,"type":"order.received","order_id":"ord_a","sequence":1}`,
		`{"at":"2026-11-01T10:00:01Z","position":2,"type":"order.authorized","order_id":"ord_a","sequence":2}`,
		`{"at":"2026-11-01T10:00:02Z","position":1,"type":"order.received","order_id":"ord_a","sequence":1}`, ""}},
	{id: "V-E3", name: "the end before the beginning", subject: "ord_a", violation: "event 2 came at 2026-11-01 10:00:00, and the last one before it was 0", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","position":2,"type":"order.authorized","order_id":"ord_a","sequence":2}`,
		`{"at":"2026-11-01T10:00:01Z","position":1,"type":"order.received","order_id":"ord_a","sequence":1}`, ""}},
	{id: "V-E1", name: "an event that there is not", subject: "position 999999999", violation: "there is no such event", lines: []string{
		`{"at":"2026-11-01T10:00:00Z","position":999999999,"type":"order.received","order_id":"ord_a","sequence":1}`, ""}},
}

func (d *database) logged(line string) string {
	key, id := d.text(`SELECT idempotency_key FROM orders WHERE id = ord('accepted')`), d.text(`SELECT ord('accepted')`)
	return strings.NewReplacer("{key}", key, "{id}", id, "{other}", d.text(`SELECT ord('packed')`)).Replace(line)
}

func keep(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLogsOfOthers(t *testing.T) {
	db := open(t)
	for _, l := range logs {
		t.Run(l.id+" "+l.name, func(t *testing.T) {
			path := keep(t, db.logged(strings.Join(l.lines, "\n")))
			found := violated(db.verify(func(o *verify.Options) {
				if l.id == "V-O1" {
					o.ClientLog = path
				} else {
					o.ReceiverLog = path
				}
			}))[l.id]
			if l.violation == "" {
				require.Empty(t, found)
				return
			}
			require.NotEmpty(t, found)
			require.Equal(t, db.logged(l.subject), found[0].Subject)
			require.Contains(t, found[0].Detail, db.logged(l.violation))
		})
	}
}

// A receiver that has read everything finds everything; one event less, or another one, is found out.
func TestReceiverOfTheWholeFeed(t *testing.T) {
	db := open(t)
	const feed = `SELECT json_build_object('at', at, 'position', position, 'type', type, 'order_id', order_id, 'sequence', sequence) FROM events WHERE position IS NOT NULL ORDER BY position`
	var all []string
	require.NoError(t, db.SelectContext(t.Context(), &all, feed))
	require.Greater(t, len(all), 100)
	of := func(lines ...string) map[string][]verify.Violation {
		path := keep(t, strings.Join(lines, "\n")+"\n")
		findings := db.verify(func(o *verify.Options) { o.ReceiverLog = path })
		require.Empty(t, finding(t, findings, "V-E1").NotChecked)
		return violated(findings)
	}
	require.Empty(t, of(all...))
	require.Empty(t, of(all[:len(all)/2]...), "it has not read on yet")

	missed := of(append(append([]string{}, all[:40]...), all[41:]...)...)
	require.Equal(t, "position 41", missed["V-E1"][0].Subject)
	require.Contains(t, missed["V-E1"][0].Detail, "has never seen it")
	require.Len(t, missed["V-E1"], 1)

	other := append([]string{}, all...)
	other[40] = strings.Replace(other[40], `"sequence" : `, `"sequence" : 9`, 1)
	require.Contains(t, of(other...)["V-E1"][0].Detail, "was received; the event is")
}

// A log that cannot be read is an error, not a log without complaints.
func TestLogThatIsNone(t *testing.T) {
	db := open(t)
	for name, change := range map[string]func(*verify.Options){
		"line 2":       func(o *verify.Options) { o.ClientLog = keep(t, "{}\nnonsense\n") },
		"no such file": func(o *verify.Options) { o.ReceiverLog = filepath.Join(t.TempDir(), "none") },
	} {
		_, err := verify.Run(t.Context(), func() verify.Options { o := verify.Options{DatabaseURL: db.url}; change(&o); return o }())
		require.ErrorContains(t, err, name)
	}
}
