// Package lifecycle is how Waybill writes down a life cycle: a table of named edges.
//
// It owns the shape of an edge and the walk over it. It does not own any life cycle: each stands beside the
// thing that lives it (domain/order, domain/payment), as greppable variables.
package lifecycle

import (
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/fault"
)

// Edge is one allowed change of status.
type Edge[S ~string] struct {
	Name string
	From []S
	To   S
}

// Allows reports whether the edge starts at s.
func (e Edge[S]) Allows(s S) bool { return slices.Contains(e.From, s) }

// Take moves *s along the edge, or refuses with a Conflict whose code says where the subject stands
// ("order_cancelled").
func (e Edge[S]) Take(s *S, subject string) error {
	if !e.Allows(*s) {
		return fault.Conflictf(subject+"_"+string(*s), "cannot %s the %s: it is %s", e.Name, subject,
			strings.ReplaceAll(string(*s), "_", " "))
	}
	*s = e.To
	return nil
}
