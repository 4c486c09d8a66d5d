package life

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/order"
)

// stored holds what a change gave back against what is in the database: a column that nobody writes would only be missed
// by whoever reads the order next.
func (w *world) stored(o *order.Order) {
	given, kept := valuesOf("", o), valuesOf("", w.look(o.ID))
	for _, row := range given {
		if !slices.Contains(kept, row) {
			w.violated("L1-stored", o.ID, "it was given back with "+row+", which is not in the database")
			return
		}
	}
	if len(given) != len(kept) {
		w.violated("L1-stored", o.ID, fmt.Sprintf("it was given back with %d values, and %d are in the database", len(given), len(kept)))
	}
}

// valuesOf flattens an order into its values, each with where it stands. The order of lists is the reader's own affair, and an
// empty one is none.
func valuesOf(at string, v any) []string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // orders do
	}
	var tree any
	if err := json.Unmarshal(body, &tree); err != nil {
		panic(err)
	}
	return flatten(at, tree)
}

func flatten(at string, v any) (found []string) {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		for name, member := range v {
			found = append(found, flatten(at+"/"+name, member)...)
		}
	case []any:
		for _, element := range v {
			within := flatten("", element)
			slices.Sort(within)
			found = append(found, at+"/{"+strings.Join(within, " ")+"}")
		}
	default:
		found = append(found, fmt.Sprintf("%s=%v", at, v))
	}
	return found
}
