package order_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
)

var catalogd = func() map[string]order.EventType {
	types := map[string]order.EventType{}
	for _, t := range order.EventTypes() {
		types[t.Name] = t
	}
	return types
}()

// requireCatalogd holds an event against what subscribers were promised about its type. Every world does so with
// every event that it sees.
func requireCatalogd(t require.TestingT, e order.Event) {
	kind, ok := catalogd[e.Type]
	require.True(t, ok, "%s is not in the catalog", e.Type)
	members := slices.Collect(maps.Keys(e.Members()))
	for _, name := range kind.Has {
		require.Contains(t, members, name, "%s always has it", e.Type)
	}
	for _, name := range members {
		require.True(t, slices.Contains(kind.Has, name) || slices.Contains(kind.May, name), "%s says nothing of %s", e.Type, name)
	}
}

func TestTheCatalogHasEveryTypeOfEventOnce(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	require.NoError(t, err)
	var declared []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Event") {
			name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared = append(declared, name)
		}
		return true
	})
	require.NotEmpty(t, declared)
	var listed []string
	for _, kind := range order.EventTypes() {
		require.NotEmpty(t, kind.Says)
		listed = append(listed, kind.Name)
	}
	require.ElementsMatch(t, declared, listed)
}
