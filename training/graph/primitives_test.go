package graph

import (
	"fmt"
	"math"
	"testing"
)

// primitives has one entry for each operation and way of using it.
var primitives = []struct {
	name  string
	build func(s *ragged) *Tensor
}{
	{"Add", func(s *ragged) *Tensor { return s.Add(s.in(s.edge, 3, -1, 1), s.in(s.edge, 3, -1, 1)) }},
	{"Sub row", func(s *ragged) *Tensor { return s.Sub(s.in(s.edge, 3, -1, 1), s.in(Fixed(1), 3, -1, 1)) }},
	{"Sub column", func(s *ragged) *Tensor { return s.Sub(s.in(s.edge, 1, -1, 1), s.in(s.edge, 3, -1, 1)) }},
	{"Mul", func(s *ragged) *Tensor { return s.Mul(s.in(s.edge, 3, -1, 1), s.in(s.edge, 3, -1, 1)) }},
	{"Mul column", func(s *ragged) *Tensor { return s.Mul(s.in(s.edge, 3, -1, 1), s.in(s.edge, 1, -1, 1)) }},
	{"Mul row by column", func(s *ragged) *Tensor { return s.Mul(s.in(Fixed(1), 3, -1, 1), s.in(s.edge, 1, -1, 1)) }},
	{"Mul number", func(s *ragged) *Tensor { return s.Mul(s.in(s.edge, 3, -1, 1), s.in(Fixed(1), 1, -1, 1)) }},
	{"Mul itself", func(s *ragged) *Tensor { x := s.in(s.edge, 3, -1, 1); return s.Mul(x, x) }},
	{"Neg", func(s *ragged) *Tensor { return s.Neg(s.in(s.edge, 3, -1, 1)) }},
	{"Scale", func(s *ragged) *Tensor { return s.Scale(s.in(s.edge, 3, -1, 1), 1.7) }},
	{"AddScalar", func(s *ragged) *Tensor { return s.AddScalar(s.in(s.edge, 3, -1, 1), 1.7) }},
	{"Tanh", func(s *ragged) *Tensor { return s.Tanh(s.in(s.edge, 3, -2, 2)) }},
	{"Exp", func(s *ragged) *Tensor { return s.Exp(s.in(s.edge, 3, -2, 2)) }},
	{"Sqrt", func(s *ragged) *Tensor { return s.Sqrt(s.in(s.edge, 3, 0.5, 2)) }},
	{"Recip", func(s *ragged) *Tensor { return s.Recip(s.in(s.edge, 3, 0.5, 2)) }},
	{"Sigmoid", func(s *ragged) *Tensor { return s.Sigmoid(s.in(s.edge, 3, -2, 2)) }},
	{"Softplus", func(s *ragged) *Tensor { return s.Softplus(s.in(s.edge, 3, -2, 2)) }},
	{"Square", func(s *ragged) *Tensor { return s.Square(s.in(s.edge, 3, -2, 2)) }},
	{"Step", func(s *ragged) *Tensor { x := s.in(s.edge, 3, -2, 2); return s.Mul(x, s.Step(x)) }},
	{"Switch inside", func(s *ragged) *Tensor { return s.Switch(s.in(s.edge, 3, 0.6, 3.9), 0.5, 4, 0) }},
	{"Switch derivative", func(s *ragged) *Tensor { return s.Switch(s.in(s.edge, 3, 0.6, 3.9), 0.5, 4, 2) }},
	{"Switch beyond", func(s *ragged) *Tensor { return s.Switch(s.in(s.edge, 3, 4.1, 6), 0.5, 4, 0) }},
	{"SumRows", func(s *ragged) *Tensor { return s.Square(s.SumRows(s.in(s.edge, 3, -1, 1))) }},
	{"SumCols", func(s *ragged) *Tensor { return s.Square(s.SumCols(s.in(s.edge, 3, -1, 1))) }},
	{"SumAll", func(s *ragged) *Tensor { return s.Square(s.SumAll(s.in(s.edge, 3, -1, 1))) }},
	{"BroadcastRows", func(s *ragged) *Tensor { return s.Tanh(s.BroadcastRows(s.in(Fixed(1), 3, -1, 1), s.edge)) }},
	{"BroadcastCols", func(s *ragged) *Tensor { return s.Tanh(s.BroadcastCols(s.in(s.edge, 1, -1, 1), 5)) }},
	{"MatMul NN", func(s *ragged) *Tensor { return s.MatMul(s.in(s.edge, 5, -1, 1), s.in(Fixed(5), 7, -1, 1), N, N) }},
	{"MatMul NT", func(s *ragged) *Tensor { return s.MatMul(s.in(s.edge, 5, -1, 1), s.in(Fixed(7), 5, -1, 1), N, T) }},
	{"MatMul TN", func(s *ragged) *Tensor { return s.MatMul(s.in(s.edge, 5, -1, 1), s.in(s.edge, 7, -1, 1), T, N) }},
	{"BatchMatMul NN", func(s *ragged) *Tensor {
		return s.BatchMatMul(s.in(s.atom, 2*3, -1, 1), s.in(s.atom, 3*5, -1, 1), 2, 3, 5, N, N)
	}},
	{"BatchMatMul NT", func(s *ragged) *Tensor {
		return s.BatchMatMul(s.in(s.atom, 2*3, -1, 1), s.in(s.atom, 3*5, -1, 1), 2, 3, 5, N, T)
	}},
	{"BatchMatMul TN", func(s *ragged) *Tensor {
		return s.BatchMatMul(s.in(s.atom, 2*3, -1, 1), s.in(s.atom, 3*5, -1, 1), 2, 3, 5, T, N)
	}},
	{"BatchMatMul TT", func(s *ragged) *Tensor {
		return s.BatchMatMul(s.in(s.atom, 2*3, -1, 1), s.in(s.atom, 3*5, -1, 1), 2, 3, 5, T, T)
	}},
	{"BatchMatMul itself", func(s *ragged) *Tensor {
		x := s.in(s.atom, 3*4, -1, 1)
		return s.BatchMatMul(x, x, 4, 3, 4, T, N)
	}},
	{"Reshape", func(s *ragged) *Tensor { return s.Tanh(s.Reshape(s.in(s.atom, 6, -1, 1), s.atom.Times(2), 3)) }},
	{"Concat", func(s *ragged) *Tensor {
		return s.Square(s.Concat(s.in(s.edge, 2, -1, 1), s.in(s.edge, 1, -1, 1), s.in(s.edge, 4, -1, 1)))
	}},
	{"Slice", func(s *ragged) *Tensor { return s.Square(s.Slice(s.in(s.edge, 5, -1, 1), 1, 4)) }},
	{"Slices", func(s *ragged) *Tensor {
		x := s.in(s.edge, 5, -1, 1)
		return s.Mul(s.Mul(s.Slice(x, 0, 2), s.Slice(x, 3, 5)), s.Slice(x, 2, 4))
	}},
	{"Place", func(s *ragged) *Tensor { return s.Square(s.Place(s.in(s.edge, 2, -1, 1), 1, 5)) }},
	{"Permute", func(s *ragged) *Tensor { return s.Square(s.Permute(s.in(s.edge, 4, -1, 1), []int{2, 0, 3, 1})) }},
	{"Gather", func(s *ragged) *Tensor { return s.Square(s.Gather(s.in(s.atom, 3, -1, 1), s.neighbour)) }},
	{"Gather sorted", func(s *ragged) *Tensor { return s.Square(s.Gather(s.in(s.atom, 3, -1, 1), s.centre)) }},
	{"Gather pairs", func(s *ragged) *Tensor {
		x := s.in(s.edge, 3, -1, 1)
		return s.Mul(s.Gather(x, s.pairs.Left()), s.Gather(x, s.pairs.Right()))
	}},
	{"Scatter", func(s *ragged) *Tensor { return s.Square(s.Scatter(s.in(s.edge, 3, -1, 1), s.neighbour)) }},
	{"Scatter wide", func(s *ragged) *Tensor { return s.Square(s.Scatter(s.in(s.edge, 19, -1, 1), s.neighbour)) }},
	{"Scatter sorted", func(s *ragged) *Tensor { return s.Square(s.Scatter(s.in(s.edge, 3, -1, 1), s.centre)) }},
	{"Scatter unique", func(s *ragged) *Tensor { return s.Square(s.Scatter(s.in(s.edge, 3, -1, 1), s.slot)) }},
	{"Scatter unique column", func(s *ragged) *Tensor { return s.Square(s.Scatter(s.in(s.edge, 1, -1, 1), s.slot)) }},
	{"Gather unique", func(s *ragged) *Tensor { return s.Square(s.Gather(s.in(s.slot.To(), 3, -1, 1), s.slot)) }},
	{"Scatter pairs", func(s *ragged) *Tensor {
		x := s.in(s.pairs.Dim(), 3, -1, 1)
		return s.Mul(s.Scatter(x, s.pairs.Left()), s.Scatter(x, s.pairs.Right()))
	}},
	{"SegOuter", func(s *ragged) *Tensor { return s.SegOuter(s.in(s.edge, 4, -1, 1), s.in(s.edge, 5, -1, 1), s.centre) }},
	{"RowApply", func(s *ragged) *Tensor { return s.RowApply(s.in(s.atom, 20, -1, 1), s.in(s.edge, 5, -1, 1), s.centre) }},
	{"RowApplyT", func(s *ragged) *Tensor { return s.RowApplyT(s.in(s.atom, 20, -1, 1), s.in(s.edge, 4, -1, 1), s.centre) }},
	{"PairDot", func(s *ragged) *Tensor { return s.PairDot(s.in(s.edge, 6, -1, 1), s.in(s.edge, 6, -1, 1), s.pairs, 2) }},
	{"PairApply", func(s *ragged) *Tensor {
		return s.PairApply(s.in(s.pairs.Dim(), 2, -1, 1), s.in(s.edge, 6, -1, 1), s.pairs, 2)
	}},
	{"PairApplyT", func(s *ragged) *Tensor {
		return s.PairApplyT(s.in(s.pairs.Dim(), 2, -1, 1), s.in(s.edge, 6, -1, 1), s.pairs, 2)
	}},
	{"SegSoftmax", func(s *ragged) *Tensor { return s.SegSoftmax(s.in(s.edge, 2, -2, 2), s.centre, nil, 0) }},
	{"SegSoftmax phantom", func(s *ragged) *Tensor {
		count := s.Const(1, 1, []float64{3})
		return s.SegSoftmax(s.in(s.edge, 2, -2, 2), s.centre, s.BroadcastRows(count, s.atom), -0.5)
	}},
	{"SegSoftmax pairs", func(s *ragged) *Tensor {
		return s.SegSoftmax(s.in(s.pairs.Dim(), 2, -2, 2), s.pairs.Left(), nil, 0)
	}},
}

// TestDerivatives compares the first and the second derivatives of every primitive with central differences.
func TestDerivatives(t *testing.T) {
	for _, p := range primitives {
		for _, size := range [][2]int{{0, 0}, {1, 0}, {1, 1}, {2, 3}, {4, 4}} {
			t.Run(fmt.Sprintf("%s/%d atoms", p.name, size[0]), func(t *testing.T) {
				s := newRagged(uint64(len(p.name)*100+size[0]), size[0], size[1])
				y := p.build(s)
				first := s.weighed(y)
				checkGradient(t, s, first)
				var terms []*Tensor
				for _, g := range s.Grad(first, s.tensors...) {
					terms = append(terms, s.weighed(g))
				}
				second := terms[0]
				for _, term := range terms[1:] {
					second = s.Add(second, term)
				}
				checkGradient(t, s, second)
			})
		}
	}
}

// weighed returns the sum of y times fixed numbers of order one that differ from each other.
func (s *ragged) weighed(y *Tensor) *Tensor {
	kept := s.tensors
	w := s.in(y.Rows(), y.Cols(), 0.5, 1.5)
	s.tensors = kept // not differentiated
	return s.SumAll(s.Mul(y, w))
}

func checkGradient(t *testing.T, s *ragged, y *Tensor) {
	t.Helper()
	outputs := map[string]*Tensor{"y": y}
	for i, g := range s.Grad(y, s.tensors...) {
		outputs[s.tensors[i].name] = g
	}
	e := s.run(t, outputs)
	got := map[string][]float64{}
	for _, x := range s.tensors {
		got[x.name] = append([]float64(nil), e.Output(x.name)...)
	}
	value := func() float64 {
		if err := e.Run(s.batch); err != nil {
			t.Fatal(err)
		}
		return e.Output("y")[0]
	}
	const h = 1e-5
	for _, x := range s.tensors {
		data := s.batch.Inputs[x.name]
		if len(got[x.name]) != len(data) {
			t.Fatalf("gradient by %v has %d numbers, want %d", x, len(got[x.name]), len(data))
		}
		for i, v := range data {
			data[i] = v + h
			up := value()
			data[i] = v - h
			down := value()
			data[i] = v
			if want := (up - down) / (2 * h); math.Abs(got[x.name][i]-want) > 2e-8*max(1, math.Abs(want)) {
				t.Fatalf("derivative by %s[%d]: got %.10g, central difference %.10g", x.name, i, got[x.name][i], want)
			}
		}
	}
}
