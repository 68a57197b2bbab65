package federation

import (
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// BenchmarkRound is one training round of all five members together, with a trunk of 2^20 numbers.
func BenchmarkRound(b *testing.B) {
	base := newCluster(b, 5, 1, 1, func(_ *ledger.Genesis, w *weights.Set) {
		w.Put(weights.Tensor{Name: "descriptor/large", Shape: []int{1 << 20}, Data: make([]float64, 1<<20)})
	})
	base.run(time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		c := base.fork(b, 2, 1)
		c.run(time.Minute)
		if kinds := c.kinds(); kinds[1] != ledger.Train {
			b.Fatalf("rounds %v", kinds)
		}
	}
}
