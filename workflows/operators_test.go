package workflows_test

import (
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/worker"
)

// savedQuery is a row of the table in docs/operators.md: a link, and the query as text.
var savedQuery = regexp.MustCompile("(?m)^\\| \\[[^]]+\\]\\([^?)]+\\?query=([^)]+)\\) \\| `([^`]+)` \\|$")

// An operator copies these queries: each has to be one that Temporal takes, and its link has to be the same one.
func TestTheQueriesOfOperatorsAreQueries(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "operators.md"))
	require.NoError(t, err)
	rows := savedQuery.FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(rows), 15)
	links := regexp.MustCompile(`\?query=`).FindAllString(string(page), -1)
	require.Len(t, rows, len(links), "a row that is not one of the table's")
	c, err := worker.Connect(t.Context(), worker.Connection{Address: devtest.Temporal(t).Address, Namespace: "default", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	defer c.Close()
	for _, row := range rows {
		linked, err := url.QueryUnescape(row[1])
		require.NoError(t, err)
		require.Equal(t, row[2], linked, "the link is another query than the text")
		_, err = c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: "default", Query: row[2]})
		require.NoError(t, err, row[2])
	}
}
