package payment

import "time"

// State is how far an operation has come. Pending and unknown operations are due: somebody has to find out.
type State string

const (
	Pending   State = "pending"   // written down; perhaps sent, never answered
	Unsettled State = "unknown"   // sent, and the answer was lost
	Done      State = "succeeded" // the gateway did it
	Denied    State = "refused"   // the gateway will not, under this key
	Abandoned State = "abandoned" // never applied, and nobody will ask again; a late effect is still undone
)

// Open reports whether an operation still has to be performed or found out.
func (s State) Open() bool { return s == Pending || s == Unsettled }

// Account names one of a payment's balances. Each is the sum of its rows in the money ledger.
type Account string

const (
	Authorized Account = "authorized" // held by the gateway, ever
	Capturing  Account = "capturing"  // asked for and not yet answered: reserved from the hold
	Captured   Account = "captured"   // taken
	Voided     Account = "voided"     // held, and let go by us
	Expired    Account = "expired"    // held, and lapsed
	Refunding  Account = "refunding"  // asked to give back and not yet answered: reserved from what was captured
	Refunded   Account = "refunded"   // given back
)

// Entry is one row of the money ledger: a change of one balance, in minor units of the payment's currency.
type Entry struct {
	OrderID      string    `json:"order_id"`
	PaymentID    string    `json:"payment_id"`
	OperationKey string    `json:"operation_key"` // empty: nobody asked a gateway, such as for a lapse
	Account      Account   `json:"account"`
	Amount       int64     `json:"amount"`
	At           time.Time `json:"at"`
}

// Balances are a payment's accounts, in minor units.
type Balances struct {
	Authorized int64 `json:"authorized"`
	Capturing  int64 `json:"capturing"`
	Captured   int64 `json:"captured"`
	Voided     int64 `json:"voided"`
	Expired    int64 `json:"expired"`
	Refunding  int64 `json:"refunding"`
	Refunded   int64 `json:"refunded"`
}

// Open is what is still held and free to be captured or voided.
func (b Balances) Open() int64 { return b.Authorized - b.Capturing - b.Captured - b.Voided - b.Expired }

// Refundable is what was captured and neither given back nor on its way back.
func (b Balances) Refundable() int64 { return b.Captured - b.Refunding - b.Refunded }

// Post adds an amount to an account.
func (b *Balances) Post(account Account, amount int64) {
	switch account {
	case Authorized:
		b.Authorized += amount
	case Capturing:
		b.Capturing += amount
	case Captured:
		b.Captured += amount
	case Voided:
		b.Voided += amount
	case Expired:
		b.Expired += amount
	case Refunding:
		b.Refunding += amount
	case Refunded:
		b.Refunded += amount
	}
}
