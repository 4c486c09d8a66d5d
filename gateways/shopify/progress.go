package shopify

import (
	"fmt"
	"sync"
	"time"
)

// position is how far an import has come, for whoever waits for it.
type position struct {
	mu          sync.Mutex
	file, order string
	done, all   int
}

func (p *position) set(file string, done, all int, order string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.file, p.done, p.all, p.order = file, done, all, order
}

func (p *position) at(order string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = order
}

func (p *position) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := fmt.Sprintf("%s: %d of %d done", p.file, p.done, p.all)
	if p.order != "" {
		s += ", now " + p.order
	}
	return s
}

// tell reports the position every two seconds until it is stopped.
func (im *importer) tell(progress func(line string)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	ticker := time.NewTicker(progressEvery)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				progress(im.position.String())
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-ended
	}
}
