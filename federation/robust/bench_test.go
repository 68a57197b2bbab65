package robust

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkAggregate is the rule over ten groups, per Mi coordinates.
func BenchmarkAggregate(b *testing.B) {
	means := gaussians(rand.New(rand.NewPCG(1, 1)), 10, 1<<20)
	for name, rule := range rules {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				aggregate(b, rule, means)
			}
		})
	}
}
