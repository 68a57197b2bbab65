package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// compare requires got to agree with want within tol, relative to the larger of 1 and the largest number.
func compare[F kernels.Float](t *testing.T, what string, got []F, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d numbers, want %d", what, len(got), len(want))
	}
	scale := 1.0
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tol*scale) {
			t.Fatalf("%s[%d]: got %.12g, want %.12g (tolerance %g)", what, i, got[i], w, tol*scale)
		}
	}
}

// TestValues compares every primitive with its definition, in both precisions.
func TestValues(t *testing.T) {
	for _, p := range primitives {
		for _, n := range []int{0, 1, 6} {
			t.Run(fmt.Sprintf("%s/%d atoms", p.name, n), func(t *testing.T) {
				s := newRagged(uint64(n+1), n, 5)
				y := p.build(s)
				want := newOracle(s).eval(y)
				compare(t, "float64", s.run(t, map[string]*Tensor{"y": y}).Output("y"), want, 1e-13)
				e := compileFor[float32](t, s.Builder, map[string]*Tensor{"y": y}, 1)
				if err := e.Run(to32(s.batch)); err != nil {
					t.Fatal(err)
				}
				compare(t, "float32", e.Output("y"), want, 2e-6)
			})
		}
	}
}

// randomProgram returns outputs of a program of many operations chosen at random, gradients of gradients among them.
func randomProgram(s *ragged, ops int) map[string]*Tensor {
	pool := []*Tensor{s.in(s.edge, 4, -1, 1), s.in(s.edge, 4, -1, 1), s.in(s.edge, 1, -1, 1), s.in(Fixed(1), 4, -1, 1)}
	square := s.in(Fixed(4), 4, -0.5, 0.5)
	pick := func() *Tensor { return pool[s.rng.IntN(len(pool))] }
	whole := func() *Tensor { // an edge x 4 tensor
		for {
			if x := pick(); x.rows == s.edge && x.cols == 4 {
				return x
			}
		}
	}
	makers := []func() *Tensor{
		func() *Tensor { return s.Add(whole(), pick()) },
		func() *Tensor { return s.Sub(pick(), whole()) },
		func() *Tensor { return s.Mul(whole(), pick()) },
		func() *Tensor { return s.Tanh(pick()) },
		func() *Tensor { return s.Sigmoid(whole()) },
		func() *Tensor { return s.Scale(pick(), -0.5) },
		func() *Tensor { return s.AddScalar(s.Neg(pick()), 0.25) },
		func() *Tensor { return s.MatMul(whole(), square, N, N) },
		func() *Tensor { return s.SumCols(s.Scale(whole(), 0.3)) },
		func() *Tensor { return s.Tanh(s.SumRows(whole())) },
		func() *Tensor { return s.Concat(s.Slice(whole(), 1, 3), s.Slice(whole(), 0, 2)) },
		func() *Tensor { return s.Gather(s.Scatter(s.Tanh(whole()), s.neighbour), s.centre) },
		func() *Tensor { return s.Gather(s.Scatter(s.Tanh(whole()), s.slot), s.slot) },
		func() *Tensor { return s.SegSoftmax(s.Tanh(whole()), s.centre, nil, 0) },
		func() *Tensor { x := s.Tanh(whole()); return s.RowApply(s.SegOuter(x, x, s.centre), x, s.centre) },
		func() *Tensor {
			x := s.Tanh(whole())
			return s.PairApply(s.PairDot(x, whole(), s.pairs, 2), x, s.pairs, 2)
		},
		func() *Tensor { return s.Mul(whole(), s.BroadcastRows(s.Const(1, 4, []float64{0, 1, 2, 3}), s.edge)) },
		func() *Tensor { return s.Add(whole(), s.Full(s.edge, 4, float64(s.rng.IntN(3)))) },
	}
	for range ops {
		pool = append(pool, makers[s.rng.IntN(len(makers))]())
	}
	energy := s.SumAll(s.Tanh(whole()))
	first := s.Grad(energy, pool[0], square)
	second := s.Grad(s.SumAll(s.Square(s.Tanh(first[0]))), pool[1], square)
	return map[string]*Tensor{
		"energy": energy, "last": pool[len(pool)-1], "dx": first[0], "dw": first[1], "d2x": second[0], "d2w": second[1],
	}
}

// TestRandomPrograms compares compiled programs with the definitions: simplification, fusion and the sharing of memory
// must not change what is computed.
func TestRandomPrograms(t *testing.T) {
	for seed := range uint64(60) {
		s := newRagged(seed, int(seed%7), 4)
		outputs := randomProgram(s, 25)
		e := s.run(t, outputs)
		o := newOracle(s)
		for name, y := range outputs {
			compare(t, fmt.Sprintf("seed %d: %s", seed, name), e.Output(name), o.eval(y), 1e-9)
		}
		if t.Failed() {
			return
		}
	}
}

// TestThreads requires the same bits for any number of threads, in both precisions.
func TestThreads(t *testing.T) {
	s := newRagged(3, 150, 30)
	outputs := randomProgram(s, 25)
	t.Run("float64", func(t *testing.T) { sameForAllThreads(t, s.Builder, outputs, s.batch) })
	t.Run("float32", func(t *testing.T) { sameForAllThreads(t, s.Builder, outputs, to32(s.batch)) })
}

func sameForAllThreads[F kernels.Float](t *testing.T, b *Builder, outputs map[string]*Tensor, batch *Batch[F]) {
	want := map[string][]F{}
	cut := false
	for _, threads := range []int{1, 2, 3, 5} {
		e := compileFor[F](t, b, outputs, threads)
		for range 3 {
			if err := e.Run(batch); err != nil {
				t.Fatal(err)
			}
		}
		for _, w := range e.work {
			cut = cut || w.pieces > threads
		}
		for name := range outputs {
			if want[name] == nil {
				want[name] = slices.Clone(e.Output(name))
			}
			if !slices.Equal(e.Output(name), want[name]) {
				t.Errorf("output %s differs between 1 and %d threads", name, threads)
			}
		}
	}
	if !cut {
		t.Error("no step was cut into more pieces than threads: the test saw no parallel work")
	}
}
