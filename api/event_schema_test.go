package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	orders "github.com/waybill-oms/waybill/domain/order"
)

//go:generate go test -run TestEventSchemas -write-schemas .

var writeSchemas = flag.Bool("write-schemas", false, "write docs/events from the catalog and the contract")

// docs/events is what subscribers build on: the catalog (domain/order/event_type.go) says which members a type has,
// the contract what each member is. When this fails, one of the two changed: go generate ./api. Taking a member away,
// or giving one another meaning, breaks whoever reads it.
func TestEventSchemas(t *testing.T) {
	files := map[string]string{"README.md": eventPage(t)}
	for _, kind := range orders.EventTypes() {
		files[kind.Name+".json"] = eventSchema(t, kind)
	}
	folder := filepath.Join("..", "docs", "events")
	if *writeSchemas {
		require.NoError(t, os.RemoveAll(folder))
		require.NoError(t, os.MkdirAll(folder, 0o755))
		for name, text := range files {
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
		}
	}
	stored, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range stored {
		require.Contains(t, files, entry.Name(), "nothing makes it: go generate ./api")
	}
	for name, text := range files {
		kept, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Equal(t, text, string(kept), "%s is not what the catalog says: go generate ./api", name)
	}
}

// Every member that the contract has for some event is one that some type has.
func TestEveryMemberOfEventsIsUsed(t *testing.T) {
	used := map[string]bool{}
	for _, kind := range orders.EventTypes() {
		for _, name := range append(slices.Clone(kind.Has), kind.May...) {
			used[name] = true
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(used)), slices.Collect(maps.Keys(members(t, "EventData"))))
}

func eventSchema(t *testing.T, kind orders.EventType) string {
	envelope, data := members(t, "Event"), map[string]any{}
	all := members(t, "EventData")
	for _, name := range append(slices.Clone(kind.Has), kind.May...) {
		require.Contains(t, all, name, kind.Name)
		data[name] = all[name]
	}
	envelope["type"] = map[string]any{"const": kind.Name}
	inner := map[string]any{"type": "object", "properties": data}
	if len(kind.Has) > 0 {
		inner["required"] = kind.Has
	}
	envelope["data"] = inner
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind.Name,
		"description": kind.Says, "type": "object", "required": slices.Sorted(maps.Keys(envelope)), "properties": envelope}))
	return b.String()
}

// members are the schemas of a component's properties, whole.
func members(t *testing.T, component string) map[string]any {
	t.Helper()
	text, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	var contract struct {
		Components struct {
			Schemas map[string]map[string]any
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &contract))
	schemas := contract.Components.Schemas
	found := map[string]any{}
	for name, property := range schemas[component]["properties"].(map[string]any) {
		whole := map[string]any{}
		for property := property.(map[string]any); property != nil; {
			for key, value := range property {
				if _, nearer := whole[key]; !nearer && key != "$ref" && !strings.HasPrefix(key, "x-") {
					whole[key] = value
				}
			}
			ref, _ := property["$ref"].(string)
			property = schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		}
		found[name] = whole
	}
	return found
}

func eventPage(t *testing.T) string {
	var b strings.Builder
	b.WriteString(`<!-- Made from domain/order/event_type.go and api/openapi.yaml by ` + "`go generate ./api`" + `. Do not edit. -->

# Events

Everything that happens to an order is an event, written in the transaction that made it happen. ` + "`GET /v1/events`" + ` reads the
events of all orders by position: 1, 2, 3 … without gaps, each order's own events in its own order, and none ever appears
before a position that was read already. Whoever keeps one number, the last position, misses nothing. ` + "[How to follow them](../how-to/follow-events.md)." + `

A type never changes its meaning. New types and new members may come: ignore what you do not know. The file named after a type is
its JSON Schema. Events carry ids, states, amounts and codes, never personal data and nothing that a person typed: read the order
for that.

## What every event has

| Member | What it is |
| --- | --- |
`)
	envelope := members(t, "Event")
	for _, name := range []string{"position", "id", "type", "at", "order_id", "sequence", "order_status", "external_id", "channel", "currency", "test", "actor", "request_id", "data"} {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, says(envelope[name], "The order."))
		delete(envelope, name)
	}
	require.Empty(t, envelope, "members that the page does not list")
	b.WriteString("\n## What `data` may have\n\n| Member | What it is |\n| --- | --- |\n")
	data := members(t, "EventData")
	for _, name := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, says(data[name], ""))
	}
	subject := ""
	for _, kind := range orders.EventTypes() {
		if of, _, _ := strings.Cut(kind.Name, "."); of != subject {
			subject = of
			fmt.Fprintf(&b, "\n## %s%s\n\n| Type | What happened | `data` |\n| --- | --- | --- |\n", strings.ToUpper(of[:1]), of[1:])
		}
		var has []string
		for _, name := range kind.Has {
			has = append(has, "`"+name+"`")
		}
		for _, name := range kind.May {
			has = append(has, "`"+name+"`?")
		}
		fmt.Fprintf(&b, "| [%s](%s.json) | %s | %s |\n", kind.Name, kind.Name, kind.Says, strings.Join(has, ", "))
	}
	b.WriteString("\nA question mark: only when there is something to say.\n")
	return b.String()
}

func says(schema any, otherwise string) string {
	if text, ok := schema.(map[string]any)["description"].(string); ok {
		return text
	}
	return otherwise
}
