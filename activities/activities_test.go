package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
)

// What somebody types in Temporal's UI has no key of its own, and an update's id is only its run's: the same id on two
// orders is two commands.
func TestATypedCommandHasAKeyOfItsRun(t *testing.T) {
	keys := map[string]bool{}
	for _, on := range []activities.On{{OrderID: "ord_1"}, {OrderID: "ord_2"}, {OrderID: "ord_1", ReturnID: "ret_1"}} {
		c := activities.Caller{Actor: "somebody else"}
		require.Equal(t, activities.InTemporal, c.Ask(on, "u1"))
		require.Equal(t, activities.InTemporal, c.Actor)
		require.Equal(t, on, c.On)
		keys[c.Key] = true
	}
	require.Len(t, keys, 3)

	c := activities.Caller{Key: "k", Actor: "api:key_1"}
	require.Equal(t, "api:key_1", c.Ask(activities.On{OrderID: "ord_1"}, "u1"))
	require.Equal(t, "k", c.Key)
}
