package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/lifecycle"
)

type door string

var open = lifecycle.Edge[door]{Name: "open", From: []door{"closed", "half_open"}, To: "open"}

func TestTakeMovesAlongTheEdge(t *testing.T) {
	for _, from := range open.From {
		at := from
		require.True(t, open.Allows(at))
		require.NoError(t, open.Take(&at, "door"))
		require.Equal(t, door("open"), at)
	}
}

func TestTakeRefusesAndSaysWhereTheSubjectStands(t *testing.T) {
	at := door("walled_up")
	require.False(t, open.Allows(at))
	err := open.Take(&at, "door")
	require.Equal(t, door("walled_up"), at, "a refusal changes nothing")
	f := fault.As(err)
	require.NotNil(t, f)
	require.Equal(t, fault.Conflict, f.Kind)
	require.Equal(t, "door_walled_up", f.Code)
	require.Equal(t, "cannot open the door: it is walled up", f.Detail)
}
