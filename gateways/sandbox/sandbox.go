package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Options are what a test or a demonstration may want to be different. The zero value of a field stands for
// its default.
type Options struct {
	// Clock gives the time that goes into the books and that holds and parcels are measured by; time.Now.
	Clock func() time.Time

	// RequestTimeout bounds one request, whatever its context allows; 4 s. Longer than Slow, or a slow
	// answer would never arrive.
	RequestTimeout time.Duration
	// Hang is how long a request without an answer keeps its caller waiting; until its context or
	// RequestTimeout ends it.
	Hang time.Duration
	// Slow is how long a slow answer takes, counted from the first request under its key; 2 s.
	Slow time.Duration
	// Busy is how long a key counts as in use, counted from the first request under it; 300 ms.
	Busy time.Duration
	// RetryAfter is what a rate limit asks for; 1 s.
	RetryAfter time.Duration

	// CaptureWindow is how long a hold lasts; 7 days. ShortWindow is the same for tok_short_window; 1 hour.
	CaptureWindow time.Duration
	ShortWindow   time.Duration

	// CarrierDay is how long the carrier's day takes; 24 h. A plain parcel is delivered after two of them,
	// so a demonstration may want a minute.
	CarrierDay time.Duration
}

// Sandbox is a payment gateway and a carrier in one, with books of their own.
type Sandbox struct {
	db      *sqlx.DB
	options Options
}

// Open connects to the database at url (a PostgreSQL URL, version 14 or newer) with a pool of its own and
// creates the schema "sandbox" where it is missing; several processes may do so at once. The caller closes it.
func Open(ctx context.Context, url string, options Options) (*Sandbox, error) {
	options = options.withDefaults()
	db, err := connect(url, max(silenceMin, options.RequestTimeout+time.Second))
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := createSchema(ctx, db); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sandbox: schema: %w", err)
	}
	return &Sandbox{db: db, options: options}, nil
}

// Close ends the pool. Requests that are running end with an unknown outcome, as a lost connection does.
func (s *Sandbox) Close() error { return s.db.Close() }

// Payments is the payment gateway.
func (s *Sandbox) Payments() *Payments { return &Payments{desk: paymentDesk(s)} }

// Carrier is the carrier.
func (s *Sandbox) Carrier() *Carrier { return &Carrier{desk: carrierDesk(s)} }

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	orDefault(&o.RequestTimeout, 4*time.Second)
	orDefault(&o.Slow, 2*time.Second)
	orDefault(&o.Busy, 300*time.Millisecond)
	orDefault(&o.RetryAfter, time.Second)
	orDefault(&o.CaptureWindow, 7*24*time.Hour)
	orDefault(&o.ShortWindow, time.Hour)
	orDefault(&o.CarrierDay, 24*time.Hour)
	return o
}

func orDefault(field *time.Duration, value time.Duration) {
	if *field <= 0 {
		*field = value
	}
}

// now is the sandbox's time as the database will give it back: UTC, to the microsecond.
func (s *Sandbox) now() time.Time { return s.options.Clock().UTC().Truncate(time.Microsecond) }
