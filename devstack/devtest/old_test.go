package devtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnlyOldTestDatabasesAreDropped(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, old := range map[string]bool{
		"waybill_test_1799900000_abcdefgh_1":        true,
		"waybill_test_1799900000_abcdefgh_template": true,
		"waybill_test_1799999000_abcdefgh_1":        false,
		"waybill_test_now_abcdefgh_1":               false,
		"waybill":                                   false,
		"my_waybill_test_1700000000_a_1":            false,
	} {
		require.Equal(t, old, isOld(name, now), name)
	}
}
