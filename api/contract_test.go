package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func contractOf(t testing.TB) *Contract {
	t.Helper()
	c, err := LoadContract()
	require.NoError(t, err)
	return c
}

// eachSchema calls visit with every schema of the document, wherever it is written, and where that is.
func eachSchema(c *Contract, visit func(where string, request bool, s *openapi3.Schema)) {
	type visited struct {
		schema  *openapi3.Schema
		request bool
	}
	seen := map[visited]bool{}
	var walk func(where string, request bool, ref *openapi3.SchemaRef)
	walk = func(where string, request bool, ref *openapi3.SchemaRef) {
		if ref == nil || seen[visited{ref.Value, request}] {
			return
		}
		seen[visited{ref.Value, request}] = true
		visit(where, request, ref.Value)
		for name, property := range ref.Value.Properties {
			walk(where+"."+name, request, property)
		}
		walk(where+"[]", request, ref.Value.Items)
		for _, one := range slices.Concat(ref.Value.OneOf, ref.Value.AnyOf, ref.Value.AllOf) {
			walk(where+"|", request, one)
		}
	}
	for _, op := range c.Operations {
		walk(op.ID+" body", true, op.Body())
		for _, p := range op.Spec.Parameters {
			walk(op.ID+" "+p.Value.Name, true, p.Value.Schema)
		}
		for status, response := range op.Spec.Responses.Map() {
			for _, content := range response.Value.Content {
				walk(op.ID+" "+status, false, content.Schema)
			}
		}
	}
	for name, schema := range c.Doc.Components.Schemas {
		walk(name, false, schema)
	}
}

func TestSchemasAreClosedAndBounded(t *testing.T) {
	checked := 0
	eachSchema(contractOf(t), func(where string, request bool, s *openapi3.Schema) {
		checked++
		if len(s.OneOf) > 0 {
			return // "this or null": each of the two is visited
		}
		require.False(t, s.Type.IsEmpty(), "%s: anything at all", where)
		switch {
		case s.Type.Includes(openapi3.TypeObject):
			require.NotNil(t, s.AdditionalProperties.Has, "%s: an open object", where)
			require.False(t, *s.AdditionalProperties.Has, "%s: an open object", where)
			for _, name := range s.Required {
				require.Contains(t, s.Properties, name, where)
			}
		case s.Type.Includes(openapi3.TypeArray):
			require.NotNil(t, s.Items, "%s: a list of anything", where)
			require.True(t, !request || s.MaxItems != nil, "%s: a list without an end", where)
		case s.Type.Includes(openapi3.TypeString):
			require.True(t, !request || s.MaxLength != nil || len(s.Enum) > 0, "%s: text without an end", where)
		case s.Type.Includes(openapi3.TypeInteger):
			require.True(t, s.Min != nil && s.Max != nil, "%s: a number without bounds", where)
			require.LessOrEqual(t, *s.Max, float64(money.Max), where)
		default:
			require.True(t, s.Type.Is(openapi3.TypeBoolean) || s.Type.Is("null"), "%s: %v", where, s.Type)
		}
	})
	require.Greater(t, checked, 200, "the walk found the schemas")
}

// TestRequestsUseWhatTheBorderReads: the border walks objects and lists itself and asks the validator about scalars. A
// keyword that neither reads would be a rule that the contract shows and nobody keeps.
func TestRequestsUseWhatTheBorderReads(t *testing.T) {
	read := []string{"type", "format", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems",
		"maxItems", "items", "properties", "required", "additionalProperties", "default", "description", "examples", "x-form"}
	eachSchema(contractOf(t), func(where string, request bool, s *openapi3.Schema) {
		if !request {
			return
		}
		data, err := json.Marshal(s)
		require.NoError(t, err)
		var keywords map[string]any
		require.NoError(t, json.Unmarshal(data, &keywords))
		for keyword := range keywords {
			require.Contains(t, read, keyword, where)
		}
		require.Len(t, s.Type.Slice(), 1, "%s: null is not the same as left out", where)
		require.False(t, s.Type.Is(openapi3.TypeNumber), "%s: no fractions anywhere", where)
		if s.Pattern != "" {
			require.NotEmpty(t, s.Extensions["x-form"], "%s: a pattern in people's words", where)
		}
		if s.Format != "" && !s.Type.Is(openapi3.TypeInteger) {
			require.Contains(t, formats, s.Format, where)
		}
	})
}

func TestOperations(t *testing.T) {
	c := contractOf(t)
	require.Len(t, c.Operations, 44)
	for _, op := range c.Operations {
		t.Run(op.ID, func(t *testing.T) {
			require.Regexp(t, `^[a-z]+([A-Z][a-z]+)*$`, op.ID)
			require.Equal(t, op.Method == http.MethodPost, op.needsKey(), "every POST carries an Idempotency-Key, and nothing else does")
			require.NotEmpty(t, op.Spec.Summary)
			require.NotEmpty(t, op.Spec.Description)
			_, declared := op.Spec.Extensions["x-scope"]
			require.Equal(t, strings.HasPrefix(op.Path, "/v1/"), declared, "under /v1 a key is needed, and nowhere else")
			require.Equal(t, declared, op.Spec.Security == nil, "a public operation says so")
			must := []int{http.StatusInternalServerError}
			if declared {
				require.Contains(t, Scopes(), op.Scope)
				require.Equal(t, op.Method != http.MethodGet, strings.HasSuffix(op.Scope, ":write"), "a read changes nothing")
				must = append(must, 400, 401, 403, 422, 429, 503)
			}
			if strings.Contains(op.Path, "{") && op.Method != http.MethodPut {
				must = append(must, 404)
			}
			if body := op.Body(); body != nil {
				must = append(must, 413, 415)
				require.NotNil(t, op.Spec.RequestBody.Value.Content.Get("application/json").Example)
				require.True(t, op.Spec.RequestBody.Value.Required)
			}
			for _, status := range must {
				require.NotNil(t, op.Response(status), "%d is not declared", status)
			}
		})
	}
}

// TestExamplesPass sends every request example of the contract through the border's own check.
func TestExamplesPass(t *testing.T) {
	for _, op := range contractOf(t).Operations {
		if op.Body() == nil {
			continue
		}
		data, err := json.Marshal(op.Spec.RequestBody.Value.Content.Get("application/json").Example)
		require.NoError(t, err)
		value, err := decodeJSON(data)
		require.NoError(t, err)
		var wrong wrongFields
		validate(op.Body().Value, value, "", &wrong)
		require.NoError(t, wrong.err(), op.ID)
	}
}

// TestTheOrderExampleFoots: the first thing that anybody tries must work.
func TestTheOrderExampleFoots(t *testing.T) {
	example := contractOf(t).Operation("placeOrder").Spec.RequestBody.Value.Content.Get("application/json").Example
	placement := convert[order.Placement](example)
	require.NoError(t, placement.Validate("sandbox"))
	require.Equal(t, placement, placement.Normalize(), "the example leaves nothing out")
}

// TestDefaultsAreTheDomains: what the contract fills in is what the domain would.
func TestDefaultsAreTheDomains(t *testing.T) {
	body := `{"external_id":"1","channel":"web","currency":"USD","customer":{"id":"c","name":"n","email":"e@x"},
		"ship_to":{"name":"n","line1":"l","city":"c","postal_code":"p","country":"US"},
		"lines":[{"sku":"A","quantity":1,"unit_price":5},{"sku":"B","quantity":1,"unit_price":5,"tax":1}],
		"shipping":{"service":"standard","amount":0},"payment":{"gateway":"sandbox","token":"t"},"total":11}`
	value, err := decodeJSON([]byte(body))
	require.NoError(t, err)
	schema := contractOf(t).Operation("placeOrder").Body().Value
	var wrong wrongFields
	validate(schema, value, "", &wrong)
	require.NoError(t, wrong.err())
	fillDefaults(schema, value)
	placed := convert[client.OrderRequest](value)
	require.Equal(t, client.OnShortageReject, placed.OnShortage)
	filled, untouched := convert[order.Placement](value), order.Placement{}
	require.NoError(t, json.Unmarshal([]byte(body), &untouched))
	require.Equal(t, untouched.Normalize(), filled.Normalize())
	second := value.(map[string]any)["lines"].([]any)[1].(map[string]any)
	require.Equal(t, "1", fmt.Sprint(second["tax"]), "what is given stays")
	require.Equal(t, "0", fmt.Sprint(second["discount"]))
}

// TestEnumsAreTheDomains: a word that the domain can say and the contract cannot would be an answer against the contract.
func TestEnumsAreTheDomains(t *testing.T) {
	has := func(schema string, words ...string) {
		enum := contractOf(t).Doc.Components.Schemas[schema].Value.Enum
		for _, word := range words {
			require.Contains(t, enum, any(word), schema)
		}
	}
	for _, s := range order.Statuses() {
		has("OrderStatus", string(s))
	}
	for _, e := range order.FulfillmentEdges() {
		has("FulfillmentOrderStatus", string(e.To))
	}
	for _, e := range order.ShipmentEdges() {
		has("ShipmentStatus", string(e.To))
	}
	for _, e := range order.PaymentEdges() {
		has("PaymentAttemptStatus", string(e.To))
	}
	for _, s := range shipping.Statuses() {
		has("TrackingStatus", string(s))
	}
	has("HoldBlock", order.BlockCapture, order.BlockRelease, order.BlockShip)
	has("OnShortage", order.OnShortageReject, order.OnShortageBackorder, order.OnShortagePartial)
	has("OnDeadline", order.OnDeadlineRelease, order.OnDeadlineCancel, order.OnDeadlineAttention, order.OnDeadlineExpire)
	has("ShortReason", order.ShortReasons()...)
	has("CreditCause", order.CreditCancelled, order.CreditLost, order.CreditReturned, order.CreditShipping)
	has("RefundCause", order.CreditCancelled, order.CreditLost, order.CreditReturned, "excess")
	for _, e := range order.RefundEdges() {
		has("RefundStatus", string(e.To))
	}
	for _, s := range returns.Statuses() {
		has("ReturnLifeStatus", string(s))
	}
	for _, r := range returns.Reasons() {
		has("ReturnReason", string(r))
		has("ReturnedReason", string(r))
	}
	has("ReturnedReason", string(returns.Undeliverable))
	for _, g := range returns.Grades() {
		has("Grade", string(g))
	}
	for _, s := range []returns.Stock{returns.StockAvailable, returns.StockOpenBox, returns.StockQualityControl, returns.StockDamaged, returns.StockNone} {
		has("Disposition", string(s))
	}
	has("DispositionFrom", string(inventory.QualityControl), string(inventory.Damaged))
	has("DispositionTo", string(inventory.Available), string(inventory.Damaged), string(inventory.Scrapped))
	for _, k := range []inventory.Kind{inventory.Receipt, inventory.Adjustment, inventory.Reservation, inventory.Release, inventory.Pick,
		inventory.Shipment, inventory.Count, inventory.ReturnReceipt, inventory.Disposition, inventory.TransferOut, inventory.TransferIn} {
		has("MovementKind", string(k))
	}
	require.InDelta(t, float64(money.Max), *contractOf(t).Doc.Components.Schemas["Money"].Value.Max, 0)
}

// TestSamplesFitTheTypes: each answer that the contract shows reads into its generated type and writes out the same.
func TestSamplesFitTheTypes(t *testing.T) {
	types := map[string]any{
		"Order": client.Order{}, "OrderPage": client.OrderPage{}, "Progress": client.Progress{},
		"TimelinePage": client.TimelinePage{}, "FulfillmentPage": client.FulfillmentPage{},
		"FulfillmentDetail": client.FulfillmentDetail{}, "Shipment": client.Shipment{}, "ShipmentPage": client.ShipmentPage{},
		"Return": client.Return{}, "ReturnPage": client.ReturnPage{}, "ReturnPreview": client.ReturnPreview{},
		"Refund": client.Refund{}, "Credit": client.Credit{}, "ShortPick": client.ShortPick{},
		"Inspection": client.Inspection{}, "UnexpectedItem": client.UnexpectedItem{}, "Location": client.Location{},
		"StockChange": client.StockChange{}, "InventoryPage": client.InventoryPage{}, "HolderPage": client.HolderPage{},
		"LedgerPage": client.LedgerPage{}, "Health": client.Health{}, "Readiness": client.Readiness{}, "Problem": client.Problem{},
	}
	for name, zero := range types {
		want := mustMarshal(sample(contractOf(t).Doc.Components.Schemas[name].Value))
		typed := reflect.New(reflect.TypeOf(zero))
		require.NoError(t, json.Unmarshal(want, typed.Interface()), name)
		require.JSONEq(t, string(want), string(mustMarshal(typed.Interface())), name)
	}
}
