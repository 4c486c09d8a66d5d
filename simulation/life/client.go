package life

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/workflows"
)

// triesMax is how often a client asks for an answer that he does not get. Runs are lost only so often.
const triesMax = 12

// command is something that somebody asks of an order or a return, under a key.
type command struct {
	name     string
	returnID string
	build    func(activities.Caller) any
}

// send takes a command to a run as the API does, starting one when there is none, and insists until it is answered.
func (l *life) send(ctx workflow.Context, who string, c command) error {
	w := l.world
	key := l.key(c.name)
	if w.faulty(w.wild/3, key, 1, "sent_twice") { // two requests at once, under one key
		w.spawn(ctx, func(ctx workflow.Context) {
			_ = workflow.Sleep(ctx, w.between(time.Millisecond, 2*time.Second, "second", key))
			_ = l.insist(ctx, who+" again", key, c)
		})
	}
	err := l.insist(ctx, who, key, c)
	if w.faulty(w.wild/3, key, 1, "sent_again") { // the answer did not reach its client
		_ = l.insist(ctx, who+" once more", key, c)
	}
	return err
}

// key is that of the next command of this life.
func (l *life) key(name string) string {
	l.keys++
	return simulation.FaultID(name+"/"+scopeOf(l.orderID), l.keys, "key")
}

func (l *life) insist(ctx workflow.Context, who, key string, c command) error {
	w := l.world
	for try := range triesMax {
		err := l.ask(ctx, key, c)
		outcome := outcomeOf(err)
		w.tell(who, c.name+" "+key, outcome)
		if !errors.Is(err, errUnanswered) {
			l.remembered(key, err)
			return err
		}
		_ = workflow.Sleep(ctx, w.between(time.Second, time.Minute<<try, "retry", key, try))
	}
	w.violated("L1-unanswered", key, "no answer, however often it is asked for")
	return errUnanswered
}

// remembered holds Waybill to an answer: what was done stands in the books under its key, or it could be done again.
func (l *life) remembered(key string, answer error) {
	_, found, err := l.store.CommandDone(l.ctx, key)
	if err == nil && answer == nil && !found {
		l.violated("L1-forgotten", key, "the command was answered, and is not known by its key")
	}
}

// ask sends a command once. One that was done before is not sent again; who asked for it was perhaps never told, so the
// run is told to look.
func (l *life) ask(ctx workflow.Context, key string, c command) error {
	w := l.world
	sum := sha256.Sum256([]byte(key))
	print := hex.EncodeToString(sum[:])
	_, found, err := w.store.CommandDone(w.ctx, key)
	if err != nil {
		return err
	}
	o := w.look(l.orderID)
	id, subject := workflows.WorkflowID(o.ID), order.ReturnRef{OrderID: o.ID, ReturnID: c.returnID}
	steps, settled := o.Steps(), o.Settled
	if c.returnID != "" {
		id, steps, settled = workflows.ReturnWorkflowID(c.returnID), o.ReturnFacts(c.returnID).Steps, o.Return(c.returnID).Settled
	}
	if found {
		if len(steps) > 0 && !settled {
			w.wake(id, subject)
		}
		return nil
	}
	r := w.begin(id, subject)
	_ = workflow.Await(ctx, func() bool { return r.started })
	caller := activities.Caller{On: activities.On{OrderID: o.ID, ReturnID: c.returnID}, Key: key, Fingerprint: print, Actor: "client"}
	err = w.update(ctx, r, c.name, updateID(r, key), c.build(caller))
	if outcomeOf(err) == broken().Code { // its run keeps the answer, and gives it again to whoever repeats the command
		w.violated("L1-given-up", key, "the command was given up because the database did not answer")
	}
	return err
}

// updateID is what an update is known by to its run, and to no other.
func updateID(r *run, key string) string {
	return r.id + "/" + simulation.FaultID(key, r.number, "run")
}
