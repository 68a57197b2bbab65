package graph

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestNoAllocations requires that runs allocate nothing once the sizes have been seen, whatever their order.
func TestNoAllocations(t *testing.T) {
	for _, threads := range []int{1, 2} {
		small, large := newRagged(1, 20, 8), newRagged(2, 60, 20)
		outputs := randomProgram(large, 25)
		batches := []*Batch[float64]{large.batch, onlySizes(large, small)}
		e := compileFor[float64](t, large.Builder, outputs, threads)
		for range 20 { // the runtime keeps goroutines for reuse
			for _, b := range batches {
				if err := e.Run(b); err != nil {
					t.Fatal(err)
				}
			}
		}
		i := 0
		n := testing.AllocsPerRun(40, func() {
			i++
			if err := e.Run(batches[i%2]); err != nil {
				t.Error(err)
			}
		})
		if n != 0 {
			t.Errorf("%d threads: %v allocations in a run, want 0", threads, n)
		}
	}
}

// onlySizes returns a batch with the structure of s and zeros for the inputs of program.
func onlySizes(program, s *ragged) *Batch[float64] {
	b := &Batch[float64]{Sizes: s.batch.Sizes, Indices: s.batch.Indices, Inputs: map[string][]float64{}}
	for name := range program.batch.Inputs {
		leaf := program.leaves[name]
		b.Inputs[name] = make([]float64, s.size(leaf.rows)*leaf.cols)
	}
	return b
}

// TestBatchSizes runs one Exec on batches of different sizes and compares with fresh ones.
func TestBatchSizes(t *testing.T) {
	first := newRagged(5, 9, 6)
	outputs := randomProgram(first, 25)
	e := compileFor[float64](t, first.Builder, outputs, 2)
	for _, n := range []int{9, 0, 30, 1, 4, 30} {
		other := newRagged(uint64(n)+11, n, 6)
		b := onlySizes(first, other)
		for _, x := range b.Inputs {
			for i := range x {
				x[i] = other.rng.Float64() - 0.5
			}
		}
		if err := e.Run(b); err != nil {
			t.Fatalf("%d atoms: %v", n, err)
		}
		fresh := compileFor[float64](t, first.Builder, outputs, 1)
		if err := fresh.Run(b); err != nil {
			t.Fatal(err)
		}
		for name := range outputs {
			if !slices.Equal(e.Output(name), fresh.Output(name)) {
				t.Errorf("%d atoms: output %s depends on earlier batches", n, name)
			}
		}
	}
}

func TestRunRefuses(t *testing.T) {
	cases := []struct {
		name string
		harm func(b *Batch[float64])
		want string
	}{
		{"missing axis", func(b *Batch[float64]) { delete(b.Sizes, "atom") }, `no size for axis "atom"`},
		{"negative axis", func(b *Batch[float64]) { b.Sizes["atom"] = -1 }, `axis "atom"`},
		{"huge axis", func(b *Batch[float64]) { b.Sizes["atom"] = 1 << 62 }, `axis "atom"`},
		{"missing input", func(b *Batch[float64]) { delete(b.Inputs, "in0") }, `no input "in0"`},
		{"short input", func(b *Batch[float64]) { b.Inputs["in0"] = b.Inputs["in0"][1:] }, `input "in0" has`},
		{"missing index", func(b *Batch[float64]) { delete(b.Indices, "centre") }, `no index "centre"`},
		{"short index", func(b *Batch[float64]) { b.Indices["centre"] = b.Indices["centre"][1:] }, `index "centre" has`},
		{"negative index", func(b *Batch[float64]) { b.Indices["neighbour"][3] = -1 }, `index "neighbour": row 3 maps to -1`},
		{"index beyond the end", func(b *Batch[float64]) { b.Indices["neighbour"][3] = 9 }, `row 3 maps to 9, want 0 to 8`},
		{"unsorted", func(b *Batch[float64]) { slices.Reverse(b.Indices["centre"]) }, "must not decrease"},
		{"twice the same", func(b *Batch[float64]) { b.Indices["slot"][4] = b.Indices["slot"][2] }, "no value may come twice"},
		{"more edges than given", func(b *Batch[float64]) { b.Sizes["edge"]++ }, "want"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newRagged(5, 9, 6)
			outputs := randomProgram(s, 25)
			outputs["scattered"] = s.Scatter(s.tensors[0], s.neighbour)
			outputs["spread"] = s.Scatter(s.tensors[0], s.slot)
			e := s.run(t, outputs)
			b := &Batch[float64]{Sizes: maps.Clone(s.batch.Sizes), Indices: map[string][]int32{}, Inputs: maps.Clone(s.batch.Inputs)}
			for name, x := range s.batch.Indices {
				b.Indices[name] = slices.Clone(x)
			}
			c.harm(b)
			if err := e.Run(b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
			if err := e.Run(s.batch); err != nil {
				t.Errorf("a good batch after a bad one: %v", err)
			}
		})
	}
}

// TestTooManyPairs refuses batches whose pairs cannot be counted.
func TestTooManyPairs(t *testing.T) {
	b := New()
	centre := b.SortedIndex("centre", Axis("edge"), Axis("atom"))
	pairs := b.Pairs("pair", centre)
	x := b.Input("x", Axis("edge"), 1)
	e := compileFor[float32](t, b, map[string]*Tensor{"y": b.SumAll(b.PairDot(x, x, pairs, 1))}, 1)
	const n = 50000
	err := e.Run(&Batch[float32]{
		Sizes: map[string]int{"edge": n, "atom": 1}, Inputs: map[string][]float32{"x": make([]float32, n)},
		Indices: map[string][]int32{"centre": make([]int32, n)},
	})
	if err == nil || !strings.Contains(err.Error(), "smaller batch") {
		t.Errorf("got error %v, want one about too many pairs", err)
	}
}

func TestParamsAndOutputs(t *testing.T) {
	b := New()
	w := b.Param("w", 2, 3)
	x := b.Input("x", Axis("row"), 2)
	y := b.MatMul(x, w, N, N)
	p, err := b.Compile(map[string]*Tensor{"y": y, "w itself": w, "x itself": x, "flat": b.Reshape(y, Axis("row").Times(3), 1)})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Params(); len(got) != 1 || got[0] != (Leaf{"w", Fixed(2), 3}) {
		t.Errorf("Params() = %v", got)
	}
	if got := p.Inputs(); len(got) != 1 || got[0] != (Leaf{"x", Axis("row"), 2}) {
		t.Errorf("Inputs() = %v", got)
	}
	e := NewExec[float64](p, 2)
	if e.Param("none") != nil || e.Output("none") != nil || e.Output("y") != nil {
		t.Error("unknown names and outputs before the first run should be nil")
	}
	copy(e.Param("w"), []float64{1, 2, 3, 4, 5, 6})
	for _, in := range [][]float64{{1, 10}, {2, 0, 0, 1}} {
		if err := e.Run(&Batch[float64]{Sizes: map[string]int{"row": len(in) / 2}, Inputs: map[string][]float64{"x": in}}); err != nil {
			t.Fatal(err)
		}
		var want []float64
		for r := 0; r < len(in); r += 2 {
			want = append(want, in[r]+4*in[r+1], 2*in[r]+5*in[r+1], 3*in[r]+6*in[r+1])
		}
		compare(t, "y", e.Output("y"), want, 0)
		compare(t, "flat", e.Output("flat"), want, 0)
		compare(t, "x itself", e.Output("x itself"), in, 0)
		compare(t, "w itself", e.Output("w itself"), []float64{1, 2, 3, 4, 5, 6}, 0)
	}
}

func TestProfile(t *testing.T) {
	s := newRagged(5, 9, 6)
	e := s.run(t, randomProgram(s, 25))
	if e.Profile() != nil {
		t.Error("Profile without StartProfile should be nil")
	}
	e.StartProfile()
	for range 3 {
		if err := e.Run(s.batch); err != nil {
			t.Fatal(err)
		}
	}
	got := e.Profile()
	if len(got) != e.program.Steps() {
		t.Fatalf("%d entries, want %d", len(got), e.program.Steps())
	}
	for i, n := range got {
		if n.Calls != 3 || n.Label == "" || i > 0 && n.Total > got[i-1].Total {
			t.Errorf("entry %d: %+v", i, n)
		}
	}
}

// TestManyNumbers accepts values of more than 2³¹ numbers: a region computes them block by block.
func TestManyNumbers(t *testing.T) {
	b := New()
	x := b.Input("x", Axis("edge"), 1)
	e := compileFor[float32](t, b, map[string]*Tensor{"y": b.SumCols(b.Tanh(b.MatMul(x, b.Param("w", 1, 40000), N, N)))}, 1)
	for _, c := range []struct {
		edges int
		ok    bool
	}{{60000, true}, {1 << 26, false}} {
		err := e.bind(&Batch[float32]{Sizes: map[string]int{"edge": c.edges}, Inputs: map[string][]float32{"x": make([]float32, c.edges)}})
		if (err == nil) != c.ok {
			t.Errorf("%d x 40000 numbers: got error %v", c.edges, err)
		}
	}
}
