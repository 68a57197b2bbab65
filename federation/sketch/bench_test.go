package sketch

import (
	"fmt"
	"math"
	"testing"
)

// benchmarks are sessions of a Mi lanes: the wide ring, in which every lane is looked at; 8-bit values for up to 256 members in
// the narrow one at a size where one lane in ten is; and one in which one in a hundred is.
var benchmarks = map[string]Config{
	"bits=32":           {Lanes: 1 << 20, Bits: 32, Bound: 1e5 * 1024, Peak: 1e6},
	"bits=16":           {Lanes: 1 << 20, Bits: 16, Bound: 32 * 1024, Peak: 127},
	"bits=16,rate=1/10": {Lanes: 1 << 20, Bits: 16, Bound: 32 * 1024 * 3.2, Peak: 127},
	"bits=16,rate=1%":   {Lanes: 1 << 20, Bits: 16, Bound: 32 * 1024 * 10, Peak: 127},
}

// BenchmarkReport is what one member computes per Mi lanes: the sketches of its masks with all others. With -cpu 1
// it is CPU time.
func BenchmarkReport(b *testing.B) {
	for name, c := range benchmarks {
		for _, n := range []int{50, 200} {
			b.Run(fmt.Sprintf("n=%d/%s", n, name), func(b *testing.B) {
				s := newSketch(b, 1, c)
				keys := make(map[int][32]byte)
				for j := 1; j < n; j++ {
					keys[j] = [32]byte{byte(j)}
				}
				b.SetBytes(int64(n-1) * int64(c.Lanes*c.Bits/8))
				for b.Loop() {
					s.Report(0, keys)
				}
				b.ReportMetric(s.Rate(), "rate")
			})
		}
	}
}

// BenchmarkMask is one mask on one core.
func BenchmarkMask(b *testing.B) {
	for name, c := range benchmarks {
		b.Run(name, func(b *testing.B) {
			s := newSketch(b, 1, c)
			b.SetBytes(int64(c.Lanes * c.Bits / 8))
			for b.Loop() {
				s.Mask([32]byte{1})
			}
		})
	}
}

// BenchmarkInput is what an auditor computes for one member per Mi lanes, its reports apart: the sketches of the masked input and
// of the self-mask.
func BenchmarkInput(b *testing.B) {
	for name, c := range benchmarks {
		b.Run(name, func(b *testing.B) {
			s := newSketch(b, 1, c)
			y := make([]byte, c.Lanes*c.Bits/8)
			b.SetBytes(int64(len(y)))
			for b.Loop() {
				sketch := s.Zero()
				s.AddBytes(sketch, 0, y)
				s.RemovePublic(sketch, 0, [32]byte{1}, nil)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	c := benchmarks["bits=32"]
	b.SetBytes(int64(4 * c.Lanes))
	for b.Loop() {
		newSketch(b, 1, c)
	}
}

// BenchmarkResult judges 200 members by reports that are at hand.
func BenchmarkResult(b *testing.B) {
	const n = 200
	s := newSketch(b, 1, Config{Lanes: 1000, Bits: 32, Bound: 1000 * math.Sqrt(1000), Peak: 1000})
	var all []int
	for i := range n {
		all = append(all, i)
	}
	a, err := s.NewAudit(all)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		r := Report{Seed: s.Seed(), From: i, Bits: 32, Rows: 64}
		for j := range n {
			if j != i {
				r.Pairs = append(r.Pairs, Pair{With: j, Sketch: s.Zero()})
			}
		}
		if err := a.Report(r); err != nil {
			b.Fatal(err)
		}
		if err := a.Input(i, s.Zero()); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		a.Result()
	}
}
