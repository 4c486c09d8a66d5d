package telemetry_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/waybill-oms/waybill/telemetry"
)

// receiver is a collector that notes the names of the spans that it is sent.
type receiver struct {
	mu    sync.Mutex
	names []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	var request collectorpb.ExportTraceServiceRequest
	if q.URL.Path != "/v1/traces" || err != nil || proto.Unmarshal(body, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range request.ResourceSpans {
		service := of.Resource.Attributes[0].Value.GetStringValue()
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				r.names = append(r.names, service+" "+span.Name)
			}
		}
	}
}

func TestSpansAreSentToACollector(t *testing.T) {
	for _, path := range []string{"", "/", "/v1/traces"} {
		r := &receiver{}
		server := httptest.NewServer(r)
		told, err := telemetry.New(t.Context(), telemetry.Options{Service: "waybill-api", Endpoint: server.URL + path, Ratio: 1})
		require.NoError(t, err)
		_, ended := told.Request(t.Context(), http.Header{}, "placeOrder", "POST", "/v1/orders")
		ended(http.StatusCreated)
		require.NoError(t, told.Close(t.Context()))
		server.Close()
		require.Equal(t, []string{"waybill-api placeOrder"}, r.names, "at %q", path)
	}
}

// A collector that is away costs nobody anything but the traces.
func TestACollectorThatIsAwayIsTold(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	log := &lines{}
	told, err := telemetry.New(t.Context(), telemetry.Options{Service: "waybill-api", Endpoint: server.URL, Ratio: 1, Log: slog.New(slog.NewJSONHandler(log, nil))})
	require.NoError(t, err)
	_, ended := told.Request(t.Context(), http.Header{}, "placeOrder", "POST", "/v1/orders")
	ended(http.StatusCreated)
	require.NoError(t, told.Close(t.Context()))
	require.Contains(t, log.String(), "traces were not delivered")
}

func TestTheCallerDecidesWhetherItIsTraced(t *testing.T) {
	for _, c := range []struct {
		ratio  float64
		parent string
		sent   bool
	}{
		{ratio: 1, sent: true},
		{ratio: 0, sent: false},
		{ratio: 1, parent: "00-" + callersTrace + "-" + callersSpan + "-00", sent: false},
		{ratio: 0, parent: traceparent(callersTrace), sent: true},
	} {
		r := &receiver{}
		server := httptest.NewServer(r)
		told, err := telemetry.New(t.Context(), telemetry.Options{Endpoint: server.URL, Ratio: c.ratio})
		require.NoError(t, err)
		h := http.Header{}
		h.Set("Traceparent", c.parent)
		_, ended := told.Request(t.Context(), h, "getOrder", "GET", "/v1/orders/{id}")
		ended(http.StatusOK)
		require.NoError(t, told.Close(t.Context()))
		server.Close()
		require.Equal(t, c.sent, len(r.names) > 0, "%+v", c)
	}
}

func TestAnEndpointThatIsNoneIsRefused(t *testing.T) {
	_, err := telemetry.New(t.Context(), telemetry.Options{Endpoint: "collector:4317"})
	require.ErrorContains(t, err, "http://host:4318")
	told, err := telemetry.New(t.Context(), telemetry.Options{Endpoint: "grpc://127.0.0.1:4317"})
	require.NoError(t, err, "gRPC connects later")
	require.NoError(t, told.Close(t.Context()))
}

// Without an endpoint nothing is wrapped: what is not traced costs nothing.
func TestWithoutAnEndpointThereIsNothingInTheWay(t *testing.T) {
	told, err := telemetry.New(t.Context(), telemetry.Options{Service: "waybill-api", Ratio: 1})
	require.NoError(t, err)
	for _, silent := range []*telemetry.Telemetry{told, nil} {
		ctx := t.Context()
		in, ended := silent.Request(ctx, http.Header{"Traceparent": {traceparent(callersTrace)}}, "getOrder", "GET", "/v1/orders/{id}")
		require.Equal(t, ctx, in)
		ended(http.StatusOK)
		carried, err := silent.Interceptors(slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		require.Len(t, carried, 1, "the ids of requests, and no spans")
		require.NoError(t, silent.Close(t.Context()))
	}
}
