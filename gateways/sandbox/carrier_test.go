package sandbox

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func buy(key, code string) shipping.Request {
	return shipping.Request{Key: key, Kind: shipping.BuyLabel, OrderID: "order-1", ShipmentID: "shipment-1",
		Service: "standard", WeightGrams: 1250, To: shipping.Address{Name: "Ada Example", Line1: "1 Test Street",
			City: "Testville", PostalCode: code, Country: "DE"}}
}

func bought(t *testing.T, s *Sandbox, req shipping.Request) shipping.Answer {
	t.Helper()
	answer, err := s.Carrier().Perform(t.Context(), req)
	require.NoError(t, err)
	return answer
}

// TestEveryPostalCode: every script is in the domain's terms, runs forward, and tells its label's fate.
func TestEveryPostalCode(t *testing.T) {
	ends := map[string]shipping.Tracking{
		"00020": shipping.Delivered, "00021": shipping.Delivered, "00022": shipping.Delivered,
		"00023": shipping.Delivered, "00024": shipping.ReturnToSender, "00025": shipping.Lost,
		"00026": shipping.Delivered, "00027": shipping.InTransit,
	}
	seen := map[string]bool{}
	for _, place := range PostalCodes() {
		require.False(t, seen[place.Code], "%s is there twice", place.Code)
		seen[place.Code] = true
		require.Regexp(t, `^0\d{4}$`, place.Code)
		require.NotEmpty(t, place.Effect)
		at, since := shipping.Pending, time.Time{}
		for _, s := range place.script() {
			scan := shipping.Scan{Status: s.status, OccurredAt: time.Time{}.Add(s.after)}
			require.True(t, at.Advances(since, scan), "%s: %s does not follow %s", place.Code, s.status, at)
			require.Zero(t, s.after%time.Hour, "%s: scripts are whole hours", place.Code)
			at, since = scan.Status, scan.OccurredAt
		}
		want, scripted := ends[place.Code]
		if !scripted {
			want = shipping.Delivered
		}
		require.Equal(t, want, at, place.Code)
	}
}

func TestScansFollowTheClock(t *testing.T) {
	at := newClock()
	options := quick
	options.Clock = at.now
	options.CarrierDay = 24 * time.Minute // an hour is a minute
	s := open(t, devtest.Database(t), options)
	number := bought(t, s, buy("label/1", "00022")).TrackingNumber
	purchased := at.now().UTC().Truncate(time.Microsecond)
	scan := func(status shipping.Tracking, after time.Duration, where string) shipping.Scan {
		return shipping.Scan{Status: status, OccurredAt: purchased.Add(after), Location: where}
	}
	all := []shipping.Scan{
		scan(shipping.PickedUp, 4*time.Minute, "Origin depot"),
		scan(shipping.InTransit, 12*time.Minute, "Sorting center"),
		scan(shipping.OutForDelivery, 44*time.Minute, "Destination depot"),
		scan(shipping.DeliveryFailed, 48*time.Minute, "Delivery address"),
		scan(shipping.OutForDelivery, 68*time.Minute, "Destination depot"),
		scan(shipping.Delivered, 72*time.Minute, "Delivery address"),
	}
	seen := func() []shipping.Scan {
		scans, err := s.Carrier().Track(t.Context(), number)
		require.NoError(t, err)
		return scans
	}
	require.Empty(t, seen())
	at.pass(4 * time.Minute)
	require.Equal(t, all[:1], seen())
	at.pass(44*time.Minute - time.Microsecond)
	require.Equal(t, all[:3], seen())
	at.pass(time.Microsecond)
	require.Equal(t, all[:4], seen())
	at.pass(time.Hour)
	require.Equal(t, all, seen())
}

// TestVoidedLabelStopsMoving: the scans until then stay, nothing follows.
func TestVoidedLabelStopsMoving(t *testing.T) {
	at := newClock()
	options := quick
	options.Clock = at.now
	s := open(t, devtest.Database(t), options)
	label := bought(t, s, buy("label/1", "94107"))
	at.pass(5 * time.Hour)
	void := shipping.Request{Key: "void/1", Kind: shipping.VoidLabel, OrderID: "order-1", Label: label.Reference}
	require.Equal(t, label.Reference, bought(t, s, void).Reference)
	at.pass(30 * 24 * time.Hour)
	scans, err := s.Carrier().Track(t.Context(), label.TrackingNumber)
	require.NoError(t, err)
	require.Len(t, scans, 2)
	require.Equal(t, shipping.PickedUp, scans[0].Status)
	require.Equal(t, shipping.TrackingCancelled, scans[1].Status)
	require.Equal(t, scans[0].OccurredAt.Add(time.Hour), scans[1].OccurredAt)
}

func TestTrackingNumberFollowsFromTheKey(t *testing.T) {
	one := open(t, devtest.Database(t), quick)
	other := open(t, devtest.Database(t), quick)
	answer := bought(t, one, buy("label/1", "94107"))
	require.Regexp(t, `^SBX\d{12}$`, answer.TrackingNumber)
	require.Equal(t, answer, bought(t, other, buy("label/1", "94107")))
	require.NotEqual(t, answer.TrackingNumber, bought(t, one, buy("label/2", "94107")).TrackingNumber)
}

// TestTakenTrackingNumberIsNotGivenAgain puts another parcel on the number that a key would get.
func TestTakenTrackingNumberIsNotGivenAgain(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	other := bought(t, s, buy("label/other", "94107"))
	_, err := s.db.ExecContext(t.Context(), `UPDATE sandbox.labels SET tracking_number = $1 WHERE reference = $2`,
		trackingNumber("label/1", 0), other.Reference)
	require.NoError(t, err)
	require.Equal(t, trackingNumber("label/1", 1), bought(t, s, buy("label/1", "94107")).TrackingNumber)
}

func TestLabelCosts(t *testing.T) {
	for _, c := range []struct {
		service string
		grams   int64
		cents   int64
	}{
		{"standard", 0, 595}, {"standard", 1, 605}, {"standard", 100, 605}, {"standard", 101, 615},
		{"standard", 1250, 725}, {"express", 1250, 1625}, {"whatever", 100, 605},
	} {
		require.Equal(t, c.cents, costOf(shipping.Request{Service: c.service, WeightGrams: c.grams}), "%+v", c)
	}
	require.Positive(t, costOf(shipping.Request{WeightGrams: 1<<63 - 1}))
}

// TestNoAddressIsKept: neither what was sold nor what was refused leaves personal data in the books.
func TestNoAddressIsKept(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	for i, code := range []string{"00001", "00003", "00020", "canary-code", ""} {
		req := buy("label/"+string(rune('a'+i)), code)
		req.To.Name, req.To.Line1, req.To.City = "canary-name", "canary-street", "canary-city"
		_, err := s.Carrier().Perform(t.Context(), req)
		if code != "00003" {
			require.NoError(t, err)
		}
	}
	for _, table := range []string{"requests", "carrier_ledger", "labels"} {
		require.Positive(t, count(t, s, `SELECT count(*) FROM sandbox.`+table))
		require.Zero(t, count(t, s, `SELECT count(*) FROM sandbox.`+table+` x WHERE x::text LIKE '%canary%'`), table)
	}
}

// TestLabelLedger: who bought and voided what, under which key.
func TestLabelLedger(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	label := bought(t, s, buy("label/1", "94107"))
	bought(t, s, buy("label/2", "00001"))
	void := shipping.Request{Kind: shipping.VoidLabel, OrderID: "order-1", ShipmentID: "shipment-1", Label: label.Reference}
	for _, key := range []string{"void/1", "void/1", "void/2"} {
		void.Key = key
		bought(t, s, void)
	}
	var rows []struct {
		Key     string `db:"key"`
		Label   string `db:"label_reference"`
		Outcome string `db:"outcome"`
		Code    string `db:"code"`
		Cost    int64  `db:"cost"`
	}
	require.NoError(t, s.db.SelectContext(t.Context(), &rows,
		`SELECT key, label_reference, outcome, code, cost FROM sandbox.carrier_ledger ORDER BY key`))
	require.Len(t, rows, 4)
	for i, want := range []struct{ key, label, outcome, code string }{
		{"label/1", label.Reference, "succeeded", ""}, {"label/2", "", "refused", "address_rejected"},
		{"void/1", label.Reference, "succeeded", ""}, {"void/2", label.Reference, "refused", "already_voided"},
	} {
		require.Equal(t, want, struct{ key, label, outcome, code string }{rows[i].Key, rows[i].Label, rows[i].Outcome, rows[i].Code})
	}
	require.Equal(t, label.Cost, rows[0].Cost)
	require.Equal(t, int64(2), count(t, s, `SELECT attempts FROM sandbox.requests WHERE gateway = 'carrier' AND key = 'void/1'`))
}
