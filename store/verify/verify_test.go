package verify_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/store/verify"
)

// A legal database, with everything in it that looks suspicious, violates nothing.
func TestLegal(t *testing.T) {
	findings := open(t).verify()
	require.Empty(t, violated(findings))
	_ = verify.Table(os.Stdout, findings)
}
