//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/demo"
	"github.com/waybill-oms/waybill/store/verify"
)

const (
	// settleLimit is how long everything may take to come to rest once nothing is broken and nobody asks for anything.
	settleLimit = 120 * time.Second
	// verifyTries is how often everybody is asked at the end: after half an hour Temporal has thousands of runs to list,
	// on a machine that is busy with the rest.
	verifyTries = 5
	// ahead is how far in the future it is looked from: what nobody works on any more is late then. verify gives ten
	// minutes to most things, and fifteen to a doubt about a gateway.
	ahead = 16 * time.Minute
)

// judge waits until everything has settled, and finds out what holds.
func (r *run) judge(ctx context.Context, played *demo.Report) (*Report, error) {
	r.book.phase("settling")
	unsettled, last, err := r.settle(ctx)
	if err != nil {
		return nil, err
	}
	settled := time.Since(r.healed)
	r.book.phase("verifying")
	if err := r.subscriber.drain(ctx); err != nil {
		return nil, fmt.Errorf("read the events that are left: %w", err)
	}
	findings, err := r.verify(ctx, 0)
	for tries := 1; err != nil && tries < verifyTries; tries++ { // who does not answer in time is asked again
		r.stack.note("not verified: " + err.Error())
		if client.Pause(ctx, time.Second) != nil {
			break
		}
		findings, err = r.verify(ctx, 0)
	}
	if findings == nil {
		return nil, err
	}
	report := r.report(played, findings)
	report.Unsettled, report.Last, report.Settle = unsettled, last, settled
	report.Wrong = slices.Concat(r.people.wrong, r.sale.wrong(), r.failures(played), r.panics())
	if err != nil { // there is a report all the same, of what could be asked
		report.Wrong = append(report.Wrong, "not verified: "+err.Error())
		r.stack.dump(temporalPart)
	}
	return report, nil
}

// settle looks, as if from a while later, until nothing is under way and nothing would be late. It returns what is left,
// and what was until shortly before the end.
func (r *run) settle(ctx context.Context) (left, last []string, err error) {
	within, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		findings, err := r.verify(ctx, ahead)
		if err != nil && within.Err() != nil {
			return append(open(findings), err.Error()), last, ctx.Err()
		}
		if left = open(findings); err == nil && len(left) == 0 {
			return nil, last, nil
		}
		last = left
		why := strings.Join(left, "; ")
		if err != nil {
			why = err.Error()
		}
		r.stack.note("not settled: " + why)
		if client.Pause(within, time.Second) != nil {
			return left, last, ctx.Err()
		}
	}
}

// open says what is under way or late.
func open(findings []verify.Finding) (list []string) {
	for _, f := range findings {
		if f.Count > 0 || f.InFlight > 0 {
			list = append(list, fmt.Sprintf("%s: %d late, %d under way: %s", f.ID, f.Count, f.InFlight, subjects(f)))
		}
	}
	return list
}

func subjects(f verify.Finding) string {
	var list []string
	for _, v := range f.Violations[:min(3, len(f.Violations))] {
		list = append(list, v.Subject+" "+v.Detail)
	}
	return strings.Join(list, "; ")
}

// verify asks everybody: the facts, the gateways' ledgers, Temporal, and those who stand outside.
func (r *run) verify(ctx context.Context, ahead time.Duration) ([]verify.Finding, error) {
	o := verify.Options{DatabaseURL: r.stack.databaseURL(), Temporal: r.runs, Now: func() time.Time { return time.Now().Add(ahead) }}
	if ahead == 0 {
		o.ClientLog, o.ReceiverLog = r.clientLog(), r.receiverLog()
	}
	findings, err := verify.Run(ctx, o)
	if err == nil && verify.NotChecked(findings) > 0 {
		err = errors.New("not everything could be asked")
	}
	return findings, err
}

// failures are orders that did not go as their kind says, and books that do not foot.
func (r *run) failures(played *demo.Report) (list []string) {
	for _, f := range played.Failures {
		list = append(list, fmt.Sprintf("%s %s (%s), %s: expected %s, got %s", f.Scenario, f.ExternalID, f.OrderID, f.Step, f.Expected, f.Got))
	}
	if played.CutShort > 0 {
		list = append(list, fmt.Sprintf("%d orders did not come to an end within %s after the faults", played.CutShort, patience))
	}
	for _, m := range played.Money {
		list = append(list, m.Differences...)
	}
	return append(list, played.Units.Differences...)
}

// panics are processes that ended by a mistake of their own.
func (r *run) panics() (list []string) {
	for _, name := range processes {
		text, err := os.ReadFile(filepath.Join(r.stack.dir, name+".log"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || strings.Contains(line, "WARNING: DATA RACE") {
				list = append(list, name+": "+strings.TrimSpace(line))
			}
		}
	}
	return list
}
