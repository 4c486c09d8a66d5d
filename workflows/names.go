package workflows

import (
	"time"

	"github.com/waybill-oms/waybill/domain/order"
)

// TaskQueue is where workers take the tasks of orders and returns from, unless configured otherwise.
const TaskQueue = "waybill"

// WorkflowID is the id of an order's run. There is at most one at a time.
func WorkflowID(orderID string) string { return "order/" + orderID }

// ReturnWorkflowID is the id of a return's run. There is at most one at a time.
func ReturnWorkflowID(returnID string) string { return "return/" + returnID }

// The updates that the run of an order takes.
const (
	UpdatePlace        = "place"
	UpdateCancel       = "cancel" // that of a return, too
	UpdatePayment      = "payment"
	UpdateHold         = "hold"
	UpdateReleaseHold  = "release_hold"
	UpdatePick         = "pick"
	UpdatePack         = "pack"
	UpdateShip         = "ship"
	UpdateResume       = "resume"        // that of a return, too
	UpdateSettleRefund = "settle_refund" // that of a return, too
)

// The updates that the run of a return takes.
const (
	UpdateApprove = "approve"
	UpdateDecline = "decline"
	UpdateReceive = "receive"
	UpdateInspect = "inspect"
)

const (
	// UpdateFacts tells a run that its facts changed by themselves, and answers when it has looked: that is a third of
	// the state transitions that a signal costs. An update that no worker takes is lost.
	UpdateFacts = "facts"
	// SignalFacts tells it the same, and is kept until a worker is there.
	SignalFacts = "facts"
	// QueryProgress asks a run what it is doing.
	QueryProgress = "progress"
)

// OrderInput starts the run of an order: an id, never personal data. The facts are loaded.
type OrderInput struct {
	OrderID string `json:"order_id"`
}

// ReturnInput starts the run of a return.
type ReturnInput struct {
	OrderID  string `json:"order_id"`
	ReturnID string `json:"return_id"`
}

// Progress is what a run says of itself.
type Progress struct {
	Facts     order.Facts    `json:"facts"`
	Steps     []StepProgress `json:"steps"`
	NextTimer *time.Time     `json:"next_timer,omitempty"`
}

// StepProgress is a step that the run is performing.
type StepProgress struct {
	Name    string    `json:"name"`
	Key     string    `json:"key"`
	Since   time.Time `json:"since"`
	Visible bool      `json:"visible"` // in trouble: an activity that operators can see and retry
	Failed  bool      `json:"failed"`  // given up until somebody resumes the order
}
