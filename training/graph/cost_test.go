package graph

import "testing"

// threeAtoms is a structure whose sizes can be counted by hand: atoms with 2, 1 and 0 edges, so 3 edges and 5 pairs.
func threeAtoms() *ragged {
	s := newRagged(1, 3, 0)
	s.batch.Sizes = map[string]int{"atom": 3, "edge": 3, "slot": 9}
	s.batch.Indices = map[string][]int32{"centre": {0, 0, 1}, "neighbour": {2, 1, 0}, "slot": {4, 0, 8}}
	return s
}

// TestCosts compares FLOP and bytes of every kind of step with counts by hand, in float64.
func TestCosts(t *testing.T) {
	const f, i = 8, 4 // bytes of a number and of an index
	for _, c := range []struct {
		name    string
		kind    string
		build   func(s *ragged) *Tensor
		flop    int64
		product bool
		bytes   int64
	}{
		{"MatMul", "MatMul", func(s *ragged) *Tensor { return s.MatMul(s.in(s.edge, 5, -1, 1), s.in(Fixed(5), 7, -1, 1), N, N) },
			2 * 3 * 5 * 7, true, f * (3*5 + 5*7 + 3*7)},
		{"MatMul over rows", "MatMulT", func(s *ragged) *Tensor { return s.MatMul(s.in(s.edge, 5, -1, 1), s.in(s.edge, 7, -1, 1), T, N) },
			2 * 5 * 3 * 7, true, f * (3*5 + 3*7 + 5*7)},
		{"BatchMatMul", "BatchMatMul", func(s *ragged) *Tensor {
			return s.BatchMatMul(s.in(s.edge, 2*3, -1, 1), s.in(s.edge, 3*5, -1, 1), 2, 3, 5, N, N)
		}, 3 * 2 * 2 * 3 * 5, true, f * 3 * (6 + 15 + 10)},
		{"SegOuter", "SegOuter", func(s *ragged) *Tensor {
			return s.SegOuter(s.in(s.edge, 4, -1, 1), s.in(s.edge, 6, -1, 1), s.centre)
		}, 2 * 3 * 4 * 6, true, f*(3*4+3*6+3*24) + i*4},
		{"RowApply", "RowApply", func(s *ragged) *Tensor {
			return s.RowApply(s.in(s.atom, 4*6, -1, 1), s.in(s.edge, 6, -1, 1), s.centre)
		}, 2 * 3 * 4 * 6, true, f*(3*24+3*6+3*4) + i*4},
		{"RowApplyT", "RowApplyT", func(s *ragged) *Tensor {
			return s.RowApplyT(s.in(s.atom, 4*6, -1, 1), s.in(s.edge, 4, -1, 1), s.centre)
		}, 2 * 3 * 4 * 6, true, f*(3*24+3*4+3*6) + i*4},
		{"PairDot", "PairDot", func(s *ragged) *Tensor {
			return s.PairDot(s.in(s.edge, 6, -1, 1), s.in(s.edge, 6, -1, 1), s.pairs, 2)
		}, 2 * 5 * 6, true, f*(3*6+3*6+5*2) + 2*i*4},
		{"PairApply", "PairApply", func(s *ragged) *Tensor {
			return s.PairApply(s.in(s.pairs.Dim(), 2, -1, 1), s.in(s.edge, 6, -1, 1), s.pairs, 2)
		}, 2 * 5 * 6, true, f*(5*2+3*6+3*6) + 2*i*4},
		{"PairApplyT", "PairApplyT", func(s *ragged) *Tensor {
			return s.PairApplyT(s.in(s.pairs.Dim(), 2, -1, 1), s.in(s.edge, 6, -1, 1), s.pairs, 2)
		}, 2 * 5 * 6, true, f*(5*2+3*6+3*6) + 2*i*4},
		{"Scatter, sorted", "Scatter", func(s *ragged) *Tensor { return s.Scatter(s.in(s.edge, 7, -1, 1), s.centre) },
			3 * 7, false, f*(3*7+3*7) + i*4},
		{"Scatter, unique", "Scatter", func(s *ragged) *Tensor { return s.Scatter(s.in(s.edge, 7, -1, 1), s.slot) },
			0, false, f*(3*7+9*7) + i*3},
		{"Scatter, by list", "Scatter", func(s *ragged) *Tensor { return s.Scatter(s.in(s.edge, 7, -1, 1), s.neighbour) },
			3 * 7, false, f*(3*7+3*7) + i*(4+3)},
		{"SegSoftmax", "SegSoftmax", func(s *ragged) *Tensor { return s.SegSoftmax(s.in(s.edge, 7, -1, 1), s.centre, nil, 0) },
			24 * 3 * 7, false, f*(3*7+3*7) + i*4},
		{"Gather", "Gather", func(s *ragged) *Tensor { return s.Gather(s.in(s.atom, 7, -1, 1), s.neighbour) },
			0, false, f*(3*7+3*7) + i*3},
		{"Slice", "Slice", func(s *ragged) *Tensor { return s.Slice(s.in(s.edge, 9, -1, 1), 2, 6) },
			0, false, f * (3*4 + 3*4)},
		{"fused: square of tanh, summed", "Elementwise", func(s *ragged) *Tensor {
			return s.SumCols(s.Square(s.Tanh(s.in(s.edge, 7, -1, 1))))
		}, (20 + 1 + 1) * 3 * 7, false, f * (3*7 + 3)},
		{"fused: row, column, number", "Elementwise", func(s *ragged) *Tensor {
			x := s.Add(s.in(s.edge, 7, -1, 1), s.in(Fixed(1), 7, -1, 1))
			return s.Sub(s.Exp(s.Add(s.Exp(x), s.in(s.edge, 1, -1, 1))), s.in(Fixed(1), 1, -1, 1))
		}, (1 + 20 + 1 + 20 + 1) * 3 * 7, false, f * (3*7 + 7 + 3 + 1 + 3*7)},
		{"fused: gathered operand", "Elementwise", func(s *ragged) *Tensor {
			return s.Exp(s.Gather(s.in(s.atom, 7, -1, 1), s.neighbour))
		}, 20 * 3 * 7, false, f*(3*7+3*7) + i*3},
		{"fused: a multiplication with an addition", "Elementwise", func(s *ragged) *Tensor {
			return s.Add(s.Mul(s.in(s.edge, 7, -1, 1), s.in(s.edge, 7, -1, 1)), s.in(s.edge, 7, -1, 1))
		}, 2 * 3 * 7, false, f * 4 * 3 * 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := threeAtoms()
			e := compileFor[float64](t, s.Builder, map[string]*Tensor{"y": c.build(s)}, 1)
			e.StartProfile()
			if e.FLOP() != 0 || e.ProductFLOP() != 0 || e.ArenaBytes() != 0 || e.Profile() != nil {
				t.Error("there are counts before the first run")
			}
			if err := e.Run(s.batch); err != nil {
				t.Fatal(err)
			}
			steps := e.Profile()
			if len(steps) != 1 {
				t.Fatalf("got %d steps, want 1", len(steps))
			}
			n := steps[0]
			if n.Kind != c.kind || n.FLOP != c.flop || n.Product != c.product || n.Bytes != c.bytes {
				t.Errorf("got %s, %d FLOP, product: %t, %d bytes; want %s, %d, %t, %d",
					n.Kind, n.FLOP, n.Product, n.Bytes, c.kind, c.flop, c.product, c.bytes)
			}
		})
	}
}

// TestTotals counts a program of several steps by hand, in both precisions.
func TestTotals(t *testing.T) {
	s := threeAtoms()
	x := s.in(s.edge, 16, -1, 1)
	h := s.Tanh(s.MatMul(x, s.in(Fixed(16), 32, -1, 1), N, N))
	y := s.MatMul(h, s.in(Fixed(32), 16, -1, 1), N, N)
	outputs := map[string]*Tensor{"y": s.Scatter(y, s.centre)}
	e, single := s.run(t, outputs), compileFor[float32](t, s.Builder, outputs, 2)
	if err := single.Run(to32(s.batch)); err != nil {
		t.Fatal(err)
	}
	const products = 2 * (2 * 3 * 16 * 32)
	const total = products + 20*3*32 + 3*16
	// Both layers stay in the memory of a worker, which has room for the two edges of an atom; Tanh takes over that of its
	// argument. The sums are kept for all atoms.
	const sums, worker = 3 * 16, 2*32 + 2*16
	for _, c := range []struct{ got, want [3]int64 }{
		{[3]int64{e.FLOP(), e.ProductFLOP(), e.ArenaBytes() / 8}, [3]int64{total, products, sums + worker}},
		{[3]int64{single.FLOP(), single.ProductFLOP(), single.ArenaBytes() / 4}, [3]int64{total, products, sums + 2*worker}},
	} {
		if c.got != c.want {
			t.Errorf("got FLOP, FLOP of products and numbers in the arena %d, want %d", c.got, c.want)
		}
	}
}
