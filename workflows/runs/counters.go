package runs

import "sync"

// counters counts what is in flight per run.
type counters struct {
	mu     sync.Mutex
	counts map[string]int
}

// enter takes a place, or reports that there is none left.
func (c *counters) enter(id string, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[id] >= limit {
		return false
	}
	c.counts[id]++
	return true
}

func (c *counters) leave(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[id]--; c.counts[id] <= 0 {
		delete(c.counts, id)
	}
}
