package sandbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/payment"
)

func authorize(key, token string, amount int64) payment.Request {
	return payment.Request{Key: key, Kind: payment.Authorize, OrderID: "order-1", Amount: amount, Currency: "EUR", Token: token}
}

func on(reference, key string, kind payment.Kind, amount int64) payment.Request {
	return payment.Request{Key: key, Kind: kind, OrderID: "order-1", Amount: amount, Currency: "EUR", Authorization: reference}
}

// performed gives an answer that has to come.
func performed(t *testing.T, s *Sandbox, req payment.Request) payment.Answer {
	t.Helper()
	answer, err := s.Payments().Perform(t.Context(), req)
	require.NoError(t, err)
	return answer
}

// TestEveryToken: what its table says of a token is what happens to the first request of each kind.
func TestEveryToken(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	const works, unknown = "succeeded", "unknown"
	type firsts struct{ authorize, capture, void, refund string }
	plain := firsts{works, works, works, works}
	want := map[string]firsts{
		"tok_ok":                     plain,
		"tok_short_window":           plain,
		"tok_declined":               {authorize: "card_declined"},
		"tok_insufficient_funds":     {authorize: "insufficient_funds"},
		"tok_action_required":        {authorize: "action_required"},
		"tok_capture_refused":        {works, "capture_refused", works, "amount_too_large"},
		"tok_capture_refused_once":   {works, "capture_refused", works, "amount_too_large"},
		"tok_refund_refused":         {works, works, works, "refund_refused"},
		"tok_timeout_before":         {unknown, works, works, works},
		"tok_timeout_after":          {unknown, works, works, works},
		"tok_capture_timeout_before": {works, unknown, works, "amount_too_large"},
		"tok_capture_timeout_after":  {works, unknown, works, works},
		"tok_void_timeout_after":     {works, works, unknown, works},
		"tok_refund_timeout_after":   {works, works, works, unknown},
		"tok_key_in_use":             {"key in use", works, works, works},
		"tok_slow":                   plain,
		"tok_rate_limited":           {"rate limited", works, works, works},
		"tok_error_500":              {unknown, works, works, works},
		"tok_garbage":                {unknown, works, works, works},
		"tok_wrong_amount":           plain,
		"tok_capture_wrong_amount":   plain,
	}
	require.Len(t, want, len(Tokens()))
	for _, token := range Tokens() {
		t.Run(token.Name, func(t *testing.T) {
			var got firsts
			hold := authorize("authorize/"+token.Name, token.Name, 1000)
			got.authorize = heard(t, s, hold)
			var held payment.Answer
			eventually(t, func() bool { // the hold itself, past what its first request met
				var err error
				held, err = s.Payments().Perform(t.Context(), hold)
				return err == nil
			}, "no answer")
			if held.Outcome == payment.Succeeded {
				got.capture = heard(t, s, on(held.Reference, "capture/"+token.Name, payment.Capture, 400))
				got.refund = heard(t, s, on(held.Reference, "refund/"+token.Name, payment.Refund, 100))
				got.void = heard(t, s, on(held.Reference, "void/"+token.Name, payment.Void, 0))
			}
			require.Equal(t, want[token.Name], got)
		})
	}
	checkBooks(t, s)
}

// heard is what a caller is told by one request, in a word.
func heard(t *testing.T, s *Sandbox, req payment.Request) string {
	t.Helper()
	answer, err := s.Payments().Perform(t.Context(), req)
	var limited *payment.RateLimited
	switch {
	case errors.As(err, &limited):
		return "rate limited"
	case errors.Is(err, payment.ErrKeyInUse):
		return "key in use"
	case errors.Is(err, payment.ErrUnknown):
		return "unknown"
	}
	require.NoError(t, err)
	if answer.Outcome == payment.Refused {
		return answer.Code
	}
	return string(answer.Outcome)
}

func TestLedgerKeepsWhatWasDone(t *testing.T) {
	at := newClock()
	options := quick
	options.Clock = at.now
	s := open(t, devtest.Database(t), options)
	answer := performed(t, s, authorize("authorize/1", "tok_wrong_amount", 1000))
	require.Equal(t, "card_declined", performed(t, s, authorize("authorize/2", "tok_declined", 700)).Code)

	type row struct {
		Key           string     `db:"key"`
		Kind          string     `db:"kind"`
		OrderID       string     `db:"order_id"`
		Authorization string     `db:"authorization_reference"`
		Requested     int64      `db:"requested_amount"`
		Amount        int64      `db:"amount"`
		Currency      string     `db:"currency"`
		Outcome       string     `db:"outcome"`
		Code          string     `db:"code"`
		Reference     string     `db:"reference"`
		CaptureBefore *time.Time `db:"capture_before"`
		AppliedAt     time.Time  `db:"applied_at"`
	}
	var rows []row
	require.NoError(t, s.db.SelectContext(t.Context(), &rows, `
		SELECT key, kind, order_id, authorization_reference, requested_amount, amount, currency, outcome, code,
			reference, capture_before, applied_at
		FROM sandbox.payment_ledger ORDER BY key`))
	now := at.now().UTC().Truncate(time.Microsecond)
	for i := range rows {
		rows[i].AppliedAt = rows[i].AppliedAt.UTC()
		if rows[i].CaptureBefore != nil {
			utc := rows[i].CaptureBefore.UTC()
			rows[i].CaptureBefore = &utc
		}
	}
	before := now.Add(7 * 24 * time.Hour)
	require.Equal(t, []row{
		{Key: "authorize/1", Kind: "authorize", OrderID: "order-1", Authorization: answer.Reference, Requested: 1000,
			Amount: 999, Currency: "EUR", Outcome: "succeeded", Reference: answer.Reference, CaptureBefore: &before, AppliedAt: now},
		{Key: "authorize/2", Kind: "authorize", OrderID: "order-1", Requested: 700, Currency: "EUR", Outcome: "refused",
			Code: "card_declined", Reference: "sbx_auth_" + rows[1].Reference[len("sbx_auth_"):], AppliedAt: now},
	}, rows)
	require.Equal(t, before, answer.CaptureBefore)
}

func TestEveryRequestIsCounted(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	req := authorize("authorize/1", "tok_ok", 1000)
	for range 3 {
		performed(t, s, req)
	}
	other := req
	other.Amount++
	_, err := s.Payments().Perform(t.Context(), other)
	require.ErrorIs(t, err, payment.ErrKeyReused)
	for range 2 {
		_, err := s.Payments().Find(t.Context(), payment.Request{Key: req.Key})
		require.NoError(t, err)
	}
	const query = `SELECT attempts * 100 + lookups FROM sandbox.requests WHERE gateway = 'payments' AND key = $1`
	require.Equal(t, int64(402), count(t, s, query, req.Key))
	require.Equal(t, int64(1), count(t, s, `SELECT count(*) FROM sandbox.payment_ledger`))
}

func TestHoldLapses(t *testing.T) {
	at := newClock()
	options := quick
	options.Clock = at.now
	s := open(t, devtest.Database(t), options)
	week := performed(t, s, authorize("authorize/week", "tok_ok", 1000))
	hour := performed(t, s, authorize("authorize/hour", "tok_short_window", 1000))
	performed(t, s, on(hour.Reference, "capture/early", payment.Capture, 400))

	at.pass(time.Hour)
	require.Equal(t, "authorization_expired", performed(t, s, on(hour.Reference, "capture/late", payment.Capture, 100)).Code)
	require.Equal(t, "nothing_to_void", performed(t, s, on(hour.Reference, "void/late", payment.Void, 0)).Code)
	require.Equal(t, int64(400), performed(t, s, on(hour.Reference, "refund/late", payment.Refund, 400)).Amount)
	at.pass(7*24*time.Hour - time.Hour - time.Microsecond)
	require.Equal(t, int64(500), performed(t, s, on(week.Reference, "capture/last", payment.Capture, 500)).Amount)
	at.pass(time.Microsecond)
	require.Equal(t, "authorization_expired", performed(t, s, on(week.Reference, "capture/over", payment.Capture, 500)).Code)
}

func TestRefusalsSayWhy(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	held := performed(t, s, authorize("authorize/1", "tok_ok", 1000)).Reference
	spent := performed(t, s, authorize("authorize/2", "tok_ok", 1000)).Reference
	performed(t, s, on(spent, "capture/2", payment.Capture, 1000))
	gone := performed(t, s, authorize("authorize/3", "tok_ok", 1000)).Reference
	performed(t, s, on(gone, "void/3", payment.Void, 0))
	yen := on(held, "r/yen", payment.Capture, 1)
	yen.Currency = "JPY"
	low := authorize("r/low", "tok_ok", 1)
	low.Currency = "eur"
	for want, req := range map[string]payment.Request{
		"invalid_request":       {Key: "r/kind", Kind: "gift"},
		"invalid_amount":        authorize("r/zero", "tok_ok", 0),
		"invalid_currency":      low,
		"invalid_token":         authorize("r/token", "4242424242424242", 1),
		"unknown_authorization": on("nothing", "r/unknown", payment.Refund, 1),
		"currency_mismatch":     yen,
		"amount_too_large":      on(held, "r/large", payment.Capture, 1001),
		"authorization_voided":  on(gone, "r/voided", payment.Capture, 1),
		"already_voided":        on(gone, "r/again", payment.Void, 0),
		"nothing_to_void":       on(spent, "r/nothing", payment.Void, 0),
	} {
		answer := performed(t, s, req)
		require.Equal(t, payment.Refused, answer.Outcome, want)
		require.Equal(t, want, answer.Code)
		require.NotEmpty(t, answer.Detail, want)
	}
	require.Equal(t, int64(9), count(t, s, `SELECT count(*) FROM sandbox.payment_ledger WHERE outcome = 'refused'`))
	require.Zero(t, count(t, s, `SELECT count(*) FROM sandbox.payment_ledger l WHERE l::text LIKE '%4242424242424242%'`))
	require.Zero(t, count(t, s, `SELECT count(*) FROM sandbox.requests r WHERE r::text LIKE '%4242424242424242%'`))
}

// TestUnreadable: what PostgreSQL would choke on is refused, not unknown for ever.
func TestUnreadable(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	long := make([]byte, textMax+1)
	for i := range long {
		long[i] = 'x'
	}
	for _, text := range []string{"\x00", "a\x00b", "\xff", string(long)} {
		for _, set := range []func(*payment.Request){
			func(r *payment.Request) { r.Key = text },
			func(r *payment.Request) { r.OrderID = text },
			func(r *payment.Request) { r.Token = text },
			func(r *payment.Request) { r.Currency = text },
			func(r *payment.Request) { r.Authorization = text },
		} {
			req := authorize("authorize/1", "tok_ok", 1000)
			set(&req)
			require.Equal(t, "invalid_request", performed(t, s, req).Code)
		}
		_, err := s.Payments().Find(t.Context(), payment.Request{Key: text})
		require.ErrorIs(t, err, payment.ErrNotFound)
	}
	require.Zero(t, count(t, s, `SELECT count(*) FROM sandbox.requests`))
}

// TestHangEndsWithItsContext: the context ends only once the request has arrived and is hanging, and there is
// no other end within an hour.
func TestHangEndsWithItsContext(t *testing.T) {
	s := open(t, devtest.Database(t), Options{RequestTimeout: time.Hour})
	for _, token := range []string{"tok_timeout_before", "tok_timeout_after"} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req := authorize("authorize/"+token, token, 1000)
		ended := make(chan error, 1)
		go func() {
			_, err := s.Payments().Perform(ctx, req)
			ended <- err
		}()
		eventually(t, func() bool {
			return count(t, s, `SELECT count(*) FROM sandbox.requests WHERE key = $1`, req.Key) == 1
		}, "no arrival")
		if token == "tok_timeout_after" {
			eventually(t, func() bool {
				_, err := s.Payments().Find(t.Context(), req)
				return err == nil
			}, "not applied")
		}
		cancel()
		err := <-ended
		require.ErrorIs(t, err, payment.ErrUnknown)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, payment.Succeeded, performed(t, s, req).Outcome)
	}
	checkBooks(t, s)
}

// TestRequestTimeoutEndsAHang: no context ends it here.
func TestRequestTimeoutEndsAHang(t *testing.T) {
	url := devtest.Database(t)
	s := open(t, url, Options{RequestTimeout: 500 * time.Millisecond})
	require.Equal(t, 500*time.Millisecond, s.Payments().Policy().RequestTimeout)
	_, err := s.Payments().Perform(t.Context(), authorize("authorize/1", "tok_timeout_before", 1000))
	require.ErrorIs(t, err, payment.ErrUnknown)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestScriptedKeysAreBusy runs by a clock that stands still until it is moved.
func TestScriptedKeysAreBusy(t *testing.T) {
	at := newClock()
	options := quick
	options.Clock = at.now
	s := open(t, devtest.Database(t), options)

	inUse := authorize("authorize/busy", "tok_key_in_use", 1000)
	for range 3 {
		_, err := s.Payments().Perform(t.Context(), inUse)
		require.ErrorIs(t, err, payment.ErrKeyInUse)
		_, err = s.Payments().Find(t.Context(), inUse)
		require.ErrorIs(t, err, payment.ErrKeyInUse)
	}
	late := authorize("authorize/slow", "tok_slow", 1000)
	answer := performed(t, s, late) // waits by the timer of the machine
	_, err := s.Payments().Find(t.Context(), late)
	require.ErrorIs(t, err, payment.ErrKeyInUse)
	require.Equal(t, int64(1), count(t, s, `SELECT count(*) FROM sandbox.payment_ledger`)) // done long before it is told

	at.pass(quick.Busy)
	_, err = s.Payments().Find(t.Context(), inUse)
	require.ErrorIs(t, err, payment.ErrNotFound)
	require.Equal(t, payment.Succeeded, performed(t, s, inUse).Outcome)
	found, err := s.Payments().Find(t.Context(), late)
	require.NoError(t, err)
	require.Equal(t, answer, found)
}

// TestSlowAnswerOutlivesItsCaller: a caller that does not wait knows nothing, yet the amount is held.
func TestSlowAnswerOutlivesItsCaller(t *testing.T) {
	s := open(t, devtest.Database(t), Options{RequestTimeout: time.Hour, Slow: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req := authorize("authorize/1", "tok_slow", 1000)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Payments().Perform(ctx, req)
		ended <- err
	}()
	eventually(t, func() bool { return count(t, s, `SELECT count(*) FROM sandbox.payment_ledger`) == 1 }, "not applied")
	cancel()
	require.ErrorIs(t, <-ended, payment.ErrUnknown)
	_, err := s.Payments().Find(t.Context(), req)
	require.ErrorIs(t, err, payment.ErrKeyInUse)
}

// TestDatabaseHasTheLastWord: the limits hold without the code, by constraints that can be told apart.
func TestDatabaseHasTheLastWord(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	held := performed(t, s, authorize("authorize/1", "tok_ok", 1000)).Reference
	performed(t, s, on(held, "capture/1", payment.Capture, 600))
	for statement, want := range map[string]string{
		`UPDATE sandbox.authorizations SET captured = 1001`: "authorizations_rest",
		`UPDATE sandbox.authorizations SET voided = 401`:    "authorizations_rest",
		`UPDATE sandbox.authorizations SET refunded = 601`:  "authorizations_refunds",
		`UPDATE sandbox.authorizations SET refunded = -1`:   "authorizations_refunds",
		`INSERT INTO sandbox.payment_ledger (key, kind, order_id, authorization_reference, requested_amount, amount,
				currency, outcome, code, detail, reference, next_url, capture_before, applied_at)
			SELECT key, kind, order_id, authorization_reference, requested_amount, amount, currency, outcome, code,
				detail, reference || 'x', next_url, capture_before, applied_at
			FROM sandbox.payment_ledger`: "payment_ledger_pkey",
	} {
		_, err := s.db.ExecContext(t.Context(), statement)
		var failed *pq.Error
		require.ErrorAs(t, err, &failed, statement)
		require.Equal(t, want, failed.Constraint, statement)
	}
	for _, table := range []string{"payment_ledger", "carrier_ledger"} {
		for _, statement := range []string{"UPDATE sandbox." + table + " SET order_id = ''", "DELETE FROM sandbox." + table,
			"TRUNCATE sandbox." + table + " CASCADE"} {
			_, err := s.db.ExecContext(t.Context(), statement)
			require.ErrorContains(t, err, "append-only", statement)
		}
	}
}
