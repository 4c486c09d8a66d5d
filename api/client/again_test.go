package client_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
)

func TestWhatIsSentAgain(t *testing.T) {
	refused := func(status int) error {
		return fmt.Errorf("place: %w", &client.Error{Problem: client.Problem{Status: status}, RetryAfter: 3 * time.Second})
	}
	for err, want := range map[error]bool{refused(429): true, refused(503): true, refused(409): false, refused(422): false, refused(500): false} {
		after, again := client.Again(err)
		require.Equal(t, want, again, err)
		require.Equal(t, 3*time.Second, after)
	}
	after, again := client.Again(errors.New("connection reset"))
	require.True(t, again, "nothing is known of what was done")
	require.Zero(t, after)
	_, again = client.Again(nil)
	require.False(t, again)
}
