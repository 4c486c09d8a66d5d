package api

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	commonpb "go.temporal.io/api/common/v1"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

// Store is what the API needs of the books: placing, facts that come by themselves, and reads. Every other change
// goes through the order's run.
type Store interface {
	Place(ctx context.Context, p order.Placement, orderID, key string, act order.Act) (placed *order.Order, fresh bool, err error)
	Change(ctx context.Context, orderID string, cmd *store.Command, act order.Act, decide func(*order.Order) error) (*order.Order, error)
	ChangeStock(ctx context.Context, cmd *store.Command, kind inventory.Kind, locationID string, changes []store.StockChange, reason string, act order.Act) error
	Dispose(ctx context.Context, cmd *store.Command, locationID string, lines []inventory.Decided, reason string, act order.Act) error
	LeaveToRelay(ctx context.Context, orderID string, at time.Time) error
	PutLocation(ctx context.Context, l store.Location, act order.Act) (created bool, err error)

	Order(ctx context.Context, orderID string) (*order.Order, error)
	Subject(ctx context.Context, kind, subjectID, key string) (store.Subject, error)
	OrderOf(ctx context.Context, id string) (orderID string, err error)
	CommandDone(ctx context.Context, key string) (cmd store.Command, found bool, err error)
	Orders(ctx context.Context, f store.OrderFilter) ([]store.OrderSummary, error)
	Feed(ctx context.Context, after int64, limit int) (events []store.FeedEvent, last int64, err error)
	Timeline(ctx context.Context, orderID string, after int64, limit int) ([]order.Event, error)
	Fulfillments(ctx context.Context, f store.FulfillmentFilter) ([]store.FulfillmentRow, error)
	Shipments(ctx context.Context, f store.ShipmentFilter) ([]store.ShipmentRow, error)
	Returns(ctx context.Context, f store.ReturnFilter) ([]store.ReturnRow, error)
	Location(ctx context.Context, id string) (store.Location, error)
	Levels(ctx context.Context, f store.LevelFilter) ([]store.Level, error)
	Holders(ctx context.Context, f store.HolderFilter) ([]store.HolderRow, error)
	Ledger(ctx context.Context, f store.LedgerFilter) ([]store.LedgerRow, error)
}

// Runs is what the API needs of the runs of orders and returns.
type Runs interface {
	Place(ctx context.Context, o *order.Order) (order.Facts, error)
	Command(ctx context.Context, to order.ReturnRef, name, key string, command any, load runs.Load) (order.Facts, error)
	EnsureReturn(ctx context.Context, o *order.Order, returnID string) error
	Wake(ctx context.Context, o *order.Order) error
	WakeReturn(ctx context.Context, o *order.Order, returnID string) error
	Progress(ctx context.Context, orderID string) (workflows.Progress, *commonpb.WorkflowExecution, error)
	Running(ctx context.Context, orderID string) (bool, error)
}

// Service answers the operations of the contract.
type Service struct {
	Store    Store
	Runs     Runs
	Gateways []string // payment gateways that orders may name
	Policy   order.Policy
	NewID    id.Source
	Now      func() time.Time
	Stopping <-chan struct{} // closed when the process begins to stop: whoever waits for an event is answered then
	waiting  atomic.Int64    // requests that wait for an event
	end      feedEnd

	placings, commands turns        // who may be at work
	unheard            atomic.Int64 // placings in a row about which Temporal did not even say whether there is a run
}

const (
	// placeLimit is how long a checkout waits for a decision, its turn included; after that the order is a stored fact
	// and answers 202.
	placeLimit = 2 * time.Second
	// workLimit is how long an order that is being decided keeps its turn.
	workLimit = 2 * placeLimit
	// askLimit is how long is waited to hear whether an order that is not decided has a run.
	askLimit = 200 * time.Millisecond
	// startLimit is how long whoever asked for a return waits for its run; a sweeper starts what has none.
	startLimit = time.Second
	// commandLimit is how long a command waits for its answer.
	commandLimit = 10 * time.Second
	// progressLimit is how long a run may think about a question.
	progressLimit = 2 * time.Second
)

// Handlers has the service's handler for each operation.
func (s *Service) Handlers() Handlers {
	s.placings, s.commands = newTurns(placingsMax, placingsQueue), newTurns(commandsMax, commandsQueue)
	return Handlers{
		"placeOrder": s.placeOrder, "listOrders": s.listOrders, "getOrder": s.getOrder,
		"getOrderProgress": s.getOrderProgress, "getOrderTimeline": s.getOrderTimeline,
		"cancelOrder": s.cancelOrder, "payOrder": s.payOrder, "resumeOrder": s.resumeOrder,
		"settleRefund": s.settleRefund,
		"holdOrder":    s.holdOrder, "releaseOrderHold": s.releaseOrderHold,
		"listFulfillments": s.listFulfillments, "pickFulfillment": s.pickFulfillment,
		"packFulfillment": s.packFulfillment, "shipFulfillment": s.shipFulfillment,
		"holdFulfillment": s.holdFulfillment, "releaseFulfillmentHold": s.releaseFulfillmentHold,
		"listShipments": s.listShipments, "getShipment": s.getShipment, "recordTracking": s.recordTracking,
		"requestReturn": s.requestReturn, "previewReturn": s.previewReturn, "listReturns": s.listReturns, "getReturn": s.getReturn,
		"approveReturn": s.approveReturn, "declineReturn": s.declineReturn, "receiveReturn": s.receiveReturn,
		"inspectReturn": s.inspectReturn, "cancelReturn": s.cancelReturn, "resumeReturn": s.resumeReturn,
		"recordReturnTracking": s.recordReturnTracking,
		"putLocation":          s.putLocation, "receiveStock": s.receiveStock, "adjustStock": s.adjustStock,
		"disposeStock":  s.disposeStock,
		"listInventory": s.listInventory, "listHolders": s.listHolders, "listLedger": s.listLedger,
		"listEvents": s.listEvents,
	}
}

// act is the request acting.
func (s *Service) act(c *gin.Context) order.Act {
	return order.Act{At: s.Now().UTC().Truncate(time.Microsecond), Actor: actor(c), RequestID: RequestID(c),
		NewID: s.NewID, Policy: s.Policy}
}

func actor(c *gin.Context) string { return "api:" + Caller(c).ID }

// limited bounds what a request waits for.
func limited(c *gin.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.Request.Context(), limit)
}

// value is what an optional parameter says, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// optional is the other way round: absent when zero.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func notFound(what string) error { return fault.NotFoundf("there is no such %s", what) }
