package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A batch is what the allocator commits at once: as many orders of one hot good as it takes together.
func BenchmarkAllocateBatch(b *testing.B) {
	s := open(b)
	stock(b, s, "nyc", "TEE-M", 1_000_000_000)
	orders := 0
	for b.Loop() {
		b.StopTimer()
		batch := make([]string, allocatorBatch)
		for i := range batch {
			orders++
			batch[i] = place(b, s, placement(fmt.Sprint(orders))).ID
			change(b, s, batch[i], answer) // its money is held
		}
		b.StartTimer()
		var waiting sync.WaitGroup
		for _, id := range batch {
			waiting.Go(func() {
				_, err := s.Allocate(b.Context(), id, act())
				require.NoError(b, err)
			})
		}
		waiting.Wait()
	}
	b.ReportMetric(float64(orders)/b.Elapsed().Seconds(), "orders/s")
}
