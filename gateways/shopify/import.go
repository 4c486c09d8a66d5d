package shopify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// fileMax bounds a file, in bytes. An order is some 10 kB, and a file is held in memory as a whole.
const fileMax = 256 << 20

const (
	// decisionWait is how long an order's decision is waited for. Usually it takes some 50 ms.
	decisionWait = 10 * time.Second
	// startWait is how long starting a run may take, once decisions do not come any more.
	startWait = 2 * time.Second
	// progressEvery is how often somebody who waits is told that something goes on.
	progressEvery = 2 * time.Second
)

// Orders is where orders and stock are kept.
type Orders interface {
	Place(ctx context.Context, p order.Placement, orderID, key string, act order.Act) (placed *order.Order, fresh bool, err error)
	Order(ctx context.Context, orderID string) (*order.Order, error)
	Stock(ctx context.Context, skus []string) (inventory.Stock, error)
}

// Runs starts what drives an order. Place also waits for the order's decision.
type Runs interface {
	Place(ctx context.Context, o *order.Order) (order.Facts, error)
	Ensure(ctx context.Context, o *order.Order) error
}

// Deps is what Import works with.
type Deps struct {
	Orders Orders
	Runs   Runs
	Act    func() order.Act                         // who imports, and when: asked once per order
	NewID  func() string                            // the id of a new order
	Open   func(name string) (io.ReadCloser, error) // nil: the file system
}

// Import takes in every order of the files, one after the other, and tells of each what became of it; importing the
// same again changes nothing. An order that cannot be read stops nothing. Progress is told now and then what is
// being done, by calls that do not overlap. The error says that the import could not go on: ctx ended, or the
// database is away; the outcomes are those until then.
func Import(ctx context.Context, deps Deps, files []string, progress func(line string)) ([]Outcome, error) {
	if deps.Open == nil {
		deps.Open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
	}
	im := &importer{Deps: deps}
	stop := im.tell(progress)
	defer stop()
	for _, file := range files {
		if err := im.file(ctx, file); err != nil {
			return im.outcomes, err
		}
	}
	return im.outcomes, nil
}

type importer struct {
	Deps
	outcomes []Outcome
	position position
	mute     int // 1: decisions do not come, so they are not waited for; 2: nor do runs start
}

func (im *importer) file(ctx context.Context, name string) error {
	var documents []Document
	data, wrong := im.read(name)
	if wrong == nil {
		documents, wrong = Read(data)
	}
	for i, document := range documents {
		im.position.set(name, i, len(documents), "")
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped before order %d of %s: import the same again to go on: %w", document.Number, name, err)
		}
		outcome, err := im.one(ctx, document)
		if err != nil {
			return fmt.Errorf("stopped at order %d of %s: import the same again to go on: %w", document.Number, name, err)
		}
		outcome.File, outcome.Number = name, document.Number
		im.outcomes = append(im.outcomes, outcome)
	}
	if wrong != nil {
		im.outcomes = append(im.outcomes, Outcome{File: name, Result: Failed, Notes: []string{wrong.Error()}})
	}
	return nil
}

func (im *importer) read(name string) ([]byte, error) {
	f, err := im.Open(name)
	if err != nil {
		return nil, errors.New("it cannot be opened: " + plain(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, fileMax+1))
	if err != nil {
		return nil, errors.New("it cannot be read: " + plain(err))
	}
	if len(data) > fileMax {
		return nil, fmt.Errorf("it has more than %d MB: split it", fileMax>>20)
	}
	return data, nil
}

// plain leaves the name out that a file's error repeats.
func plain(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// one imports one order. Its error stops the import.
func (im *importer) one(ctx context.Context, document Document) (Outcome, error) {
	if document.Other != "" {
		return Outcome{Result: Skipped, Notes: []string{document.Other}}, nil
	}
	reading, err := Map(document.Order)
	o := Outcome{Name: reading.Name, ExternalID: reading.ExternalID, Financial: reading.Financial, Total: reading.Total}
	if err != nil {
		o.Result, o.Notes = Failed, sentences(err)
		return o, nil
	}
	if reading.Skip != "" {
		o.Result, o.Notes = Skipped, []string{reading.Skip}
		return o, nil
	}
	im.position.at(o.label())
	return im.place(ctx, reading, o)
}

// place stores the order and starts its run. What was stored is not lost by anything that fails later: every order
// without a run is found and given one.
func (im *importer) place(ctx context.Context, reading Reading, o Outcome) (Outcome, error) {
	p := reading.Placement
	if err := im.holdShort(ctx, &p); err != nil {
		return o, err
	}
	placed, fresh, err := im.Orders.Place(ctx, p, im.NewID(), reading.IdempotencyKey(), im.Act())
	if err != nil {
		if f := fault.As(err); ctx.Err() != nil || f != nil && f.Kind == fault.Unavailable {
			return o, err
		}
		o.Result, o.Notes = Failed, append([]string{"it could not be stored"}, sentences(err)...)
		return o, nil
	}
	o.OrderID, o.Notes = placed.ID, reading.Notes
	if !fresh {
		o.Notes = nil
		if differs := differences(placed.Placement(), p); len(differs) > 0 {
			o.Notes = []string{"it was imported before and now reads otherwise, which changes nothing here: " + join(differs, "and")}
		}
	}
	if !placed.Settled && (fresh || placed.Decision == order.Undecided) {
		im.start(ctx, placed)
	}
	now, err := im.Orders.Order(ctx, placed.ID)
	if err != nil {
		return o, err
	}
	o.become(now, fresh)
	return o, nil
}

// holdShort holds an order that the stock cannot serve. Anybody else would be turned away; but this order was sold
// already, most often it is paid, and to be turned away is final: the stock may only not be booked yet.
func (im *importer) holdShort(ctx context.Context, p *order.Placement) error {
	if len(p.Holds) > 0 {
		return nil // whoever looks into those is told what is short when the order goes on
	}
	var needs []inventory.Need
	var skus []string
	for _, l := range p.Lines {
		needs = append(needs, inventory.Need{SKU: l.SKU, Quantity: l.Quantity})
		skus = append(skus, l.SKU)
	}
	stock, err := im.Orders.Stock(ctx, skus)
	if err != nil {
		return err
	}
	var short []string
	for _, s := range inventory.Allocate(needs, stock).Short {
		short = append(short, shortage(s.Requested, s.SKU, s.Available, s.Known))
	}
	if len(short) > 0 {
		p.Holds = []order.PlacedHold{{Reason: order.HoldOutOfStock,
			Detail: shorten("sold in Shopify, but short here: "+strings.Join(short, ", "), detailMax)}}
	}
	return nil
}

func shortage(requested int64, sku string, available int64, known bool) string {
	s := fmt.Sprintf("%d of %s, %d available", requested, sku, available)
	if !known {
		s += " (no location has ever had it)"
	}
	return s
}

// start starts the order's run and waits for its decision. Nobody waits a second time for a system that does not
// answer.
func (im *importer) start(ctx context.Context, o *order.Order) {
	if im.mute == 0 {
		waiting, cancel := context.WithTimeout(ctx, decisionWait)
		defer cancel()
		if _, err := im.Runs.Place(waiting, o); err != nil {
			im.mute = 1
		}
		return
	}
	if im.mute == 1 {
		starting, cancel := context.WithTimeout(ctx, startWait)
		defer cancel()
		if err := im.Runs.Ensure(starting, o); err != nil {
			im.mute = 2
		}
	}
}

// sentences are an error in words, one for each wrong field.
func sentences(err error) []string {
	f := fault.As(err)
	if f == nil {
		return []string{err.Error()}
	}
	if len(f.Fields) == 0 {
		return []string{f.Detail}
	}
	var out []string
	for _, field := range f.Fields {
		out = append(out, strings.TrimPrefix(field.Pointer, "/")+": "+field.Detail)
	}
	return out
}
