package sandbox

// fault is what a test value makes happen to one kind of operation. "First" means the first request that
// ever arrived under a key, counted in the sandbox's table: it stays the first when its process is killed,
// and another process is not given the fault again.
type fault string

const (
	none       fault = ""
	refuse     fault = "refuse"      // refused under every key
	refuseOnce fault = "refuse_once" // the first operation of its kind on the hold is refused, the next key is not
	challenge  fault = "challenge"   // the bank wants the customer
	wrong      fault = "wrong"       // does one minor unit less than it was asked for
	brief      fault = "brief"       // the hold lapses soon
	slow       fault = "slow"        // done at once, answered late
	busy       fault = "busy"        // the key is in use for a moment, then it works
	noArrival  fault = "no_arrival"  // the first request hangs and nothing is done
	noAnswer   fault = "no_answer"   // the first request is done, and its answer is lost
	garbage    fault = "garbage"     // the first request is done, and its answer makes no sense
	broken     fault = "broken"      // the first request is answered by an error 500, nothing is done
	limited    fault = "limited"     // the first request is told to slow down, nothing is done
)

// stops reports whether a request that is the attempt-th under its key ends before anything is done.
func (f fault) stops(attempt int64) bool {
	return attempt == 1 && (f == noArrival || f == broken || f == limited)
}

// loses reports whether the answer to a request that is the attempt-th under its key never arrives.
func (f fault) loses(attempt int64) bool {
	return attempt == 1 && (f == noAnswer || f == garbage)
}
