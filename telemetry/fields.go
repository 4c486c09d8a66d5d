package telemetry

// Field is one that lines of the log may have.
type Field struct{ Name, Meaning string }

// Fields lists every field that is ever logged; any other is left out of its line, so that nobody's personal data
// gets there by somebody's oversight.
func Fields() []Field {
	return []Field{
		{"request_id", "The request: X-Request-Id as it came, or one of our own; it is in the answer and in the events that it made."},
		{"order_id", "The order."},
		{"return_id", "The return."},
		{"workflow_id", "The run's workflow id in Temporal: order/ or return/ and the id."},
		{"run_id", "The run's id in Temporal."},
		{"activity", "The activity that the line is from."},
		{"trace_id", "The trace, when there is one."},
		{"span_id", "The span, when there is one."},
		{"method", "A request's HTTP method."},
		{"operation", "A request's operation, as the contract names it; none for a path that it does not have."},
		{"status", "The status that was answered."},
		{"code", "The code of the problem that was answered, or of an activity's refusal or failure."},
		{"caller", "The id of the API key."},
		{"duration_ms", "How long it took, in milliseconds."},
		{"bytes_in", "The request's body, in bytes."},
		{"bytes_out", "The answer's body, in bytes."},
		{"attempt", "The how manieth attempt of an activity, from 1."},
		{"local", "Whether an activity ran inside its workflow task."},
		{"outcome", "done; refused: by a rule, for good; failed: it is tried again."},
		{"error", "What went wrong, as far as it is safe to show."},
		{"panic", "What a panic said."},
		{"stack", "Where it was."},
		{"unknown", "Variables of the environment that look like ours and are not."},
		{"loop", "Which loop of the relay."},
		{"runs", "How many runs."},
		{"url", "Where the API listens."},
		{"address", "Where a worker's metrics are."},
		{"pid", "The process."},
		{"task_queue", "Temporal's task queue."},
		{"namespace", "Temporal's namespace."},
		{"workflow", "The type of a run: Order or Return."},
		{"worker", "Temporal's name for the worker."},
		{"worker_type", "What a poller of Temporal's polls for."},
		{"update_id", "Temporal's id of a command."},
		{"update", "A command's name."},
		{"query", "A query's name."},
		{"timer_id", "Temporal's id of a timer."},
		{"event_id", "Temporal's id of an event of a history."},
	}
}

var fields = func() map[string]string {
	all := map[string]string{}
	for _, f := range Fields() {
		all[f.Name] = f.Meaning
	}
	return all
}()

// temporals are our names for the fields of Temporal's SDK.
var temporals = map[string]string{
	"WorkflowID": "workflow_id", "RunID": "run_id", "ActivityType": "activity", "LocalActivityType": "activity",
	"Attempt": "attempt", "Error": "error", "PanicError": "panic", "StackTrace": "stack", "PanicStack": "stack",
	"TaskQueue": "task_queue", "Namespace": "namespace", "WorkflowType": "workflow", "WorkerID": "worker",
	"WorkerType": "worker_type", "UpdateID": "update_id", "UpdateName": "update", "QueryType": "query",
	"TimerID": "timer_id", "EventID": "event_id", "TraceID": "trace_id", "SpanID": "span_id",
}
