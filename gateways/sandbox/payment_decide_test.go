package sandbox

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/payment"
)

// TestDecisionsConserveMoney draws operations on one hold in any order and with any script, and keeps sums of
// its own: what was answered is what the hold says, and the hold never says more than it may.
func TestDecisionsConserveMoney(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		token := rapid.SampledFrom(tokens).Draw(t, "token")
		s := scene{token: token, known: true, now: start, window: time.Hour, brief: time.Minute}
		s.script = token.on[payment.Authorize]
		answer, h := decide(draw(t, payment.Authorize), hold{}, s)
		if answer.Outcome != payment.Succeeded {
			if h.exists() || answer.Amount != 0 {
				t.Fatalf("%s made %+v", answer.Outcome, h)
			}
			return
		}
		sums := map[payment.Kind]int64{payment.Authorize: answer.Amount}
		for range rapid.IntRange(1, 12).Draw(t, "operations") {
			kind := rapid.SampledFrom([]payment.Kind{payment.Capture, payment.Void, payment.Refund}).Draw(t, "kind")
			s.script = token.on[kind]
			s.refused = rapid.Bool().Draw(t, "refused before")
			s.now = start.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minute")) * time.Minute)
			req := draw(t, kind)
			answer, after := decide(req, h, s)
			checkDecision(t, req, answer, h, after, s)
			sums[kind] += answer.Amount
			h = after
		}
		if h.Authorized != sums[payment.Authorize] || h.Captured != sums[payment.Capture] ||
			h.Voided != sums[payment.Void] || h.Refunded != sums[payment.Refund] {
			t.Fatalf("the answers sum to %v, the hold is %+v", sums, h)
		}
	})
}

func draw(t *rapid.T, kind payment.Kind) payment.Request {
	amounts := rapid.OneOf(rapid.Int64Range(-2, 40), rapid.Just[int64](1<<63-1))
	return payment.Request{Key: "key", Kind: kind, Amount: amounts.Draw(t, "amount"), Currency: "EUR"}
}

func checkDecision(t *rapid.T, req payment.Request, answer payment.Answer, before, after hold, s scene) {
	switch {
	case after.Captured+after.Voided > after.Authorized || after.Refunded > after.Captured:
		t.Fatalf("%s of %d: %+v holds more than it may", req.Kind, req.Amount, after)
	case answer.Outcome == payment.Refused && (after != before || answer.Amount != 0 || answer.Code == ""):
		t.Fatalf("a refused %s changed %+v to %+v", req.Kind, before, after)
	case answer.Outcome == payment.Succeeded && answer.Amount <= 0:
		t.Fatalf("%s succeeded with %d", req.Kind, answer.Amount)
	case answer.Outcome == payment.Succeeded && req.Kind != payment.Void && answer.Amount > req.Amount:
		t.Fatalf("%s did %d of %d", req.Kind, answer.Amount, req.Amount)
	case answer.Outcome == payment.Succeeded && req.Kind == payment.Void && after.rest() != 0:
		t.Fatalf("a void left %d", after.rest())
	case req.Kind == payment.Capture && answer.Outcome == payment.Succeeded && !s.now.Before(before.CaptureBefore):
		t.Fatalf("captured at %s what lapsed at %s", s.now, before.CaptureBefore)
	case possible(req, before, s) != (answer.Outcome == payment.Succeeded):
		t.Fatalf("%s of %d on %+v: %s %s", req.Kind, req.Amount, before, answer.Outcome, answer.Code)
	}
}

// possible is the rule of every kind, written another way: a fault never refuses what it is not told to refuse.
func possible(req payment.Request, h hold, s scene) bool {
	open, refuses := s.now.Before(h.CaptureBefore), s.script == refuse || s.script == refuseOnce && !s.refused
	switch req.Kind {
	case payment.Capture:
		return req.Amount > 0 && h.Voided == 0 && open && h.Captured <= h.Authorized-req.Amount && !refuses
	case payment.Void:
		return req.Amount >= 0 && h.Voided == 0 && open && h.Captured < h.Authorized
	default:
		return req.Amount > 0 && h.Refunded <= h.Captured-req.Amount && !refuses
	}
}
