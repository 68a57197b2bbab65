package federation

import (
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// BenchmarkReplay verifies a training round of five members with 2 Mi parameters in the trunk.
func BenchmarkReplay(b *testing.B) {
	c := newCluster(b, 5, 2, 1, func(_ *ledger.Genesis, w *weights.Set) {
		w.Put(weights.Tensor{Name: "descriptor/large/w", Shape: []int{1 << 11, 1 << 10}, Data: make([]float64, 1<<21)})
	})
	c.keep = true
	c.run(time.Minute)
	cfg := c.replayConfig(1, 0)
	size := 0
	for _, raw := range cfg.Envelopes {
		size += len(raw)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		if report, err := Replay(b.Context(), cfg); err != nil || !report.OK {
			b.Fatalf("%v, %+v", err, report)
		}
	}
}
