package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/demo"
)

// TestDemoPlaysOnAWaybillDev, which it finds by its folder, and ends in good order when it is interrupted.
func TestDemoPlaysOnAWaybillDev(t *testing.T) {
	t.Parallel()
	d := startDev(t, folder(t), anyPorts...)

	p := start(t, nil, "demo", "--data", d.dir, "-n", "3", "--seed", "7", "--json")
	require.Equal(t, 0, p.exitCode(t), p.stderr.String())
	var report demo.Report
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &report))
	require.Equal(t, []int{3, 3, 0}, []int{report.Played, report.Read, len(report.Failures)})
	require.Equal(t, d.info.TemporalUIURL+"/namespaces/default/workflows/order%2F"+report.Kinds[0].OrderID, report.Kinds[0].Links[0])
	require.Contains(t, p.stderr.String(), "waybill: 3 of 3 orders played, 0 not as expected\n")
	require.NotContains(t, p.stdout.String()+p.stderr.String(), d.info.APIKey)

	again := start(t, nil, "demo", "--data", d.dir, "-n", "3", "--seed", "7")
	require.Equal(t, 1, again.exitCode(t))
	require.Contains(t, again.stderr.String(), "seed 7 was played here before: choose another --seed, or none")

	elsewhere := start(t, nil, "demo", "--data", d.dir, "-n", "1", "--ui-url", "https://temporal.example.com/", "--ui-namespace", "shop")
	require.Equal(t, 0, elsewhere.exitCode(t), elsewhere.stderr.String())
	require.Contains(t, elsewhere.stdout.String(), "https://temporal.example.com/namespaces/shop/workflows/order%2Ford_")

	long := start(t, nil, "demo", "--data", d.dir, "-n", "5000")
	eventually(t, "orders are played", func() bool {
		placed, err := d.client(t).ListOrdersWithResponse(t.Context(), nil)
		return err == nil && placed.JSON200 != nil && len(placed.JSON200.Data) > 8
	})
	long.signal(t, syscall.SIGINT)
	require.Equal(t, 1, long.exitCode(t))
	require.Contains(t, long.stderr.String(), "waybill: interrupted\n")
	require.Contains(t, long.stdout.String(), "Interrupted: ")
	require.Contains(t, long.stdout.String(), "It foots to the cent")

	nobody := start(t, nil, "demo", "--api-url", d.info.APIURL, "--api-key", "wb_nonsense")
	require.Equal(t, 1, nobody.exitCode(t))
	require.True(t, strings.HasPrefix(nobody.stderr.String(), "waybill: the API does not know this API key"), nobody.stderr.String())
}
