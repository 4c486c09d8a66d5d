package client_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGeneratedFromThisContract: the generator left the sum of what it read. Whether what it wrote is still what it
// writes is a question for CI (tools/generate.sh --check), as the generator has to be built first.
func TestGeneratedFromThisContract(t *testing.T) {
	sum := sha256.New()
	for _, name := range []string{"../openapi.yaml", "oapi-codegen.yaml", "overlay.yaml"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		_, _ = sum.Write(data)
	}
	left, err := os.ReadFile("client.gen.sha256")
	require.NoError(t, err)
	require.Equal(t, strings.Fields(string(left))[0], hex.EncodeToString(sum.Sum(nil)), "run tools/generate.sh")
}
