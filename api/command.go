package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
)

// fingerprint tells requests apart that must not share an Idempotency-Key.
func fingerprint(c *gin.Context) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n", c.Request.Method, c.Request.URL.Path)
	sum.Write(Canonical(c))
	return hex.EncodeToString(sum.Sum(nil))
}

// command is the request as the books know it.
func command(c *gin.Context, name, subject string) *store.Command {
	return &store.Command{Key: IdempotencyKey(c), Name: name, Subject: subject, Fingerprint: fingerprint(c), Request: Canonical(c)}
}

// send takes a command to the run of its subject, an order, a fulfillment order's order or a return, once, and returns
// the order as it then stands. One that was done before is not sent again, whatever became of the run; one that would
// be refused, or change nothing, where nothing is left to be done needs no run to say so: decide is the command's own
// decision. The order is loaded beforehand only for that, and where a run has to be started.
func (s *Service) send(c *gin.Context, kind, subjectID, name string, build func(activities.Caller) any, decide func(*order.Order) error) (*order.Order, error) {
	leave, err := s.commands.take(c.Request.Context())
	if err != nil {
		return nil, err
	}
	defer leave()
	subject, err := s.Store.Subject(c.Request.Context(), kind, subjectID, IdempotencyKey(c))
	if err != nil {
		return nil, err
	}
	about(c, subject.OrderID)
	load := func(ctx context.Context) (*order.Order, error) { return s.Store.Order(ctx, subject.OrderID) }
	print := fingerprint(c)
	switch {
	case subject.Done != nil && subject.Done.Fingerprint != print:
		return nil, reused(subject.Done.Request, Canonical(c))
	case subject.Done != nil:
		return s.doneBefore(c, subject.OrderID)
	case subject.Settled:
		o, err := load(c.Request.Context())
		if err != nil {
			return nil, err
		}
		if changes, err := tried(o, decide); err != nil || !changes {
			return o, err
		}
	}
	ctx, cancel := limited(c, commandLimit)
	defer cancel()
	to := order.ReturnRef{OrderID: subject.OrderID}
	if kind == id.Return {
		to.ReturnID = subjectID
	}
	caller := activities.Caller{On: activities.On{OrderID: to.OrderID, ReturnID: to.ReturnID}, Key: IdempotencyKey(c),
		Fingerprint: print, Request: Canonical(c), Actor: actor(c), RequestID: RequestID(c)}
	send := func(ctx context.Context, updateID string, caller activities.Caller) (order.Facts, error) {
		return s.Runs.Command(ctx, to, name, updateID, build(caller), load)
	}
	// The update's id carries the fingerprint: the server would answer another payload under the same id as if
	// it were the first.
	updateID := IdempotencyKey(c) + "/" + print[:16]
	answer, err := send(ctx, updateID, caller)
	var o *order.Order
	if err == nil {
		o, err = load(c.Request.Context())
	}
	if err == nil && answer.Version > o.Version {
		// The run gave the answer of a time that the database was put back from. Asked under another id, it decides again.
		if _, err = send(ctx, fmt.Sprintf("%s/%d", updateID, o.Version), caller); err == nil {
			o, err = load(c.Request.Context())
		}
	}
	if fault.Is(err, "idempotency_key_reused") {
		return nil, s.reusedMeanwhile(c, err)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// doneBefore answers a command that was done. Its run may have been lost with what it did, and the caller is asking
// because he never heard: it is told to look at what is due.
func (s *Service) doneBefore(c *gin.Context, orderID string) (*order.Order, error) {
	o, err := s.Store.Order(c.Request.Context(), orderID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := limited(c, startLimit)
	defer cancel()
	if len(o.Steps()) > 0 {
		_ = s.Runs.Wake(ctx, o) // whatever went wrong: a sweeper does so too
	}
	for _, r := range o.Returns {
		if len(o.ReturnFacts(r.ID).Steps) > 0 {
			_ = s.Runs.WakeReturn(ctx, o, r.ID)
		}
	}
	return o, nil
}

// tried asks a decision of a copy of the order: whether it refuses, and whether it would change anything.
func tried(o *order.Order, decide func(*order.Order) error) (changes bool, err error) {
	before := mustMarshal(o)
	scratch := new(order.Order)
	if err := json.Unmarshal(before, scratch); err != nil {
		return false, err
	}
	if err := decide(scratch); err != nil {
		return false, err
	}
	return !bytes.Equal(before, mustMarshal(scratch)), nil
}

// reusedMeanwhile names the fields when the key was taken by another request that was under way at the same time.
func (s *Service) reusedMeanwhile(c *gin.Context, err error) error {
	done, found, failed := s.Store.CommandDone(c.Request.Context(), IdempotencyKey(c))
	if failed != nil || !found {
		return err
	}
	return reused(done.Request, Canonical(c))
}

// reused refuses a key that was used for another request, and names the fields that differ.
func reused(then, now []byte) error {
	var wrong fault.Fields
	for _, pointer := range differences(then, now) {
		wrong.Add(pointer, "differs", "differs from the first request with this Idempotency-Key")
	}
	return &fault.Fault{Kind: fault.Invalid, Code: "idempotency_key_reused", Fields: wrong,
		Detail: "this Idempotency-Key was used for another request: use a new key for a new request"}
}

// differences lists the JSON pointers at which two documents differ.
func differences(a, b []byte) []string {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return nil
	}
	return differ("", x, y)
}

func differ(at string, x, y any) []string {
	if reflect.DeepEqual(x, y) {
		return nil
	}
	var found []string
	switch x := x.(type) {
	case map[string]any:
		if y, ok := y.(map[string]any); ok {
			all := map[string]any{}
			for k := range x {
				all[k] = nil
			}
			for k := range y {
				all[k] = nil
			}
			for _, k := range sortedKeys(all) {
				found = append(found, differ(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k), x[k], y[k])...)
			}
			return found
		}
	case []any:
		if y, ok := y.([]any); ok && len(x) == len(y) {
			for i := range x {
				found = append(found, differ(fmt.Sprintf("%s/%d", at, i), x[i], y[i])...)
			}
			return found
		}
	}
	return []string{at}
}
