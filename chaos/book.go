//go:build unix

package chaos

import (
	"sync"
	"time"
)

// book is what is known while a run goes on.
type book struct {
	mu     sync.Mutex
	began  time.Time // of the phase
	now    string
	orders int
}

func (b *book) phase(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now, b.began = name, time.Now()
}

func (b *book) played(bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders++
}

func (b *book) progress() Progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Progress{Phase: b.now, Elapsed: time.Since(b.began), Orders: b.orders}
}
