package payment_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/payment"
)

var accounts = []payment.Account{payment.Authorized, payment.Capturing, payment.Captured, payment.Voided, payment.Expired,
	payment.Refunding, payment.Refunded}

func TestPostChangesOneBalance(t *testing.T) {
	for _, account := range accounts {
		t.Run(string(account), func(t *testing.T) {
			var b payment.Balances
			b.Post(account, 7)
			b.Post(account, -3)
			body, err := json.Marshal(b)
			require.NoError(t, err)
			var byName map[payment.Account]int64
			require.NoError(t, json.Unmarshal(body, &byName))
			require.Len(t, byName, len(accounts))
			for name, amount := range byName {
				require.Equal(t, name == account, amount == 4, name)
			}
		})
	}
}

func TestOpenAndRefundable(t *testing.T) {
	b := payment.Balances{Authorized: 100, Capturing: 10, Captured: 40, Voided: 5, Expired: 1, Refunding: 8, Refunded: 2}
	require.EqualValues(t, 44, b.Open())
	require.EqualValues(t, 30, b.Refundable())
	require.Zero(t, payment.Balances{}.Open())
	require.Zero(t, payment.Balances{}.Refundable())
}

// Whatever is held is open, being taken, taken, let go or lapsed; whatever was taken is kept, on its way back or back.
func TestBalancesConserveMoney(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b payment.Balances
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			b.Post(rapid.SampledFrom(accounts).Draw(t, "account"), rapid.Int64Range(-1000, 1000).Draw(t, "amount"))
		}
		require.Equal(t, b.Authorized, b.Open()+b.Capturing+b.Captured+b.Voided+b.Expired)
		require.Equal(t, b.Captured, b.Refundable()+b.Refunding+b.Refunded)
	})
}

func TestOnlyOpenOperationsAreDue(t *testing.T) {
	for state, open := range map[payment.State]bool{payment.Pending: true, payment.Unsettled: true, payment.Done: false,
		payment.Denied: false, payment.Abandoned: false} {
		require.Equal(t, open, state.Open(), state)
	}
}

// A row of the ledger names every column: one that is left out would be written as NULL.
func TestAnEntryNamesEveryColumn(t *testing.T) {
	body, err := json.Marshal(payment.Entry{})
	require.NoError(t, err)
	var columns map[string]any
	require.NoError(t, json.Unmarshal(body, &columns))
	require.Len(t, columns, reflect.TypeFor[payment.Entry]().NumField())
}

func TestRateLimitedSaysForHowLong(t *testing.T) {
	require.EqualError(t, &payment.RateLimited{RetryAfter: 2 * time.Second}, "payment gateway: rate limited, retry after 2s")
}
