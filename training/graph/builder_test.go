package graph

import (
	"strings"
	"testing"
)

// TestMisuse requires a panic that names the operation, and shapes where they matter.
func TestMisuse(t *testing.T) {
	b := New()
	atom, edge := Axis("atom"), Axis("edge")
	x, y := b.Input("x", edge, 3), b.Input("y", edge, 4)
	centre, other := b.SortedIndex("centre", edge, atom), b.Index("other", edge, atom)
	pairs := b.Pairs("pair", centre)
	cases := []struct {
		name string
		call func()
		want string
	}{
		{"shapes", func() { b.Add(x, y) }, "Add: edge x 3 and edge x 4"},
		{"rows", func() { b.Mul(x, b.Input("z", atom, 3)) }, "Mul: edge x 3 and atom x 3"},
		{"inner size", func() { b.MatMul(x, y, N, N) }, "MatMul: edge x 3 (N) times edge x 4 (N)"},
		{"columns known late", func() { b.MatMul(x, x, N, T) }, "MatMul"},
		{"both transposed", func() { b.MatMul(x, x, T, T) }, "both factors transposed"},
		{"batch product", func() { b.BatchMatMul(x, y, 2, 2, 2, N, N) }, "BatchMatMul"},
		{"reshape", func() { b.Reshape(x, edge, 4) }, "Reshape: edge x 3 to edge x 4"},
		{"concat", func() { b.Concat(x, b.Input("z", atom, 3)) }, "rows differ"},
		{"concat nothing", func() { b.Concat() }, "of nothing"},
		{"slice", func() { b.Slice(x, 2, 4) }, "Slice: columns 2 to 4 of edge x 3"},
		{"place", func() { b.Place(x, 2, 4) }, "Place: edge x 3 at column 2 of 4"},
		{"permute twice", func() { b.Permute(x, []int{0, 0, 1}) }, "named twice"},
		{"gather", func() { b.Gather(x, centre) }, "Gather: edge x 3"},
		{"scatter", func() { b.Scatter(b.Input("z", atom, 3), centre) }, "Scatter"},
		{"unsorted", func() { b.SegOuter(x, y, other) }, "sorted index"},
		{"apply", func() { b.RowApply(b.Input("g", atom, 7), x, centre) }, "RowApply"},
		{"heads", func() { b.PairDot(x, x, pairs, 2) }, "2 heads"},
		{"no index", func() { b.Gather(x, nil) }, "needs an index"},
		{"pairs of unsorted", func() { b.Pairs("p", other) }, "sorted"},
		{"other shape", func() { b.Input("x", edge, 5) }, `"x" asked for as edge x 5`},
		{"no name", func() { b.Param("", 1, 1) }, "needs a name"},
		{"constant", func() { b.Const(2, 2, []float64{1}) }, "2 x 2 from 1 numbers"},
		{"other builder", func() { b.Tanh(New().Input("x", edge, 3)) }, "another Builder"},
		{"switch", func() { b.Switch(x, 4, 4, 0) }, "begin 4 must lie below end 4"},
		{"negative rows", func() { Fixed(-1) }, "negative"},
		{"empty axis", func() { Axis("") }, "needs a name"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, c.want) {
					t.Errorf("panic %q, want one with %q", text, c.want)
				}
			}()
			c.call()
			t.Error("no panic")
		})
	}
}

// TestSharing checks which expressions are one.
func TestSharing(t *testing.T) {
	b := New()
	x, y := b.Input("x", Axis("atom"), 3), b.Input("y", Axis("atom"), 3)
	if b.Tanh(b.Add(x, y)) != b.Tanh(b.Add(y, x)) {
		t.Error("equal expressions differ")
	}
	if b.Scale(x, 2) == b.Scale(x, 3) {
		t.Error("expressions that differ in an attribute are one")
	}
	if b.Full(Axis("atom"), 3, 0) == b.Full(Axis("atom"), 3, 0) {
		t.Error("two Full are one: their gradients cannot be told apart")
	}
}

// TestGradOfFull checks that zeros can serve as a variable to differentiate by: a strain, for instance.
func TestGradOfFull(t *testing.T) {
	s := newRagged(1, 3, 2)
	x := s.in(s.atom, 2, -1, 1)
	strain := s.Full(s.atom, 2, 0)
	g := s.Grad(s.SumAll(s.Mul(x, s.Add(x, strain))), strain)[0]
	compare(t, "gradient", s.run(t, map[string]*Tensor{"g": g}).Output("g"), s.batch.Inputs["in0"], 0)
}

// TestGradOfNothing checks the gradient by a tensor that does not matter.
func TestGradOfNothing(t *testing.T) {
	s := newRagged(1, 3, 2)
	x, y := s.in(s.atom, 2, -1, 1), s.in(s.atom, 3, -1, 1)
	g := s.Grad(s.SumAll(x), y)[0]
	compare(t, "gradient", s.run(t, map[string]*Tensor{"g": g}).Output("g"), make([]float64, 9), 0)
}

// TestCompileSimplifies counts the steps that are left of expressions with much to simplify.
func TestCompileSimplifies(t *testing.T) {
	atom := Axis("atom")
	cases := []struct {
		name  string
		build func(b *Builder, x *Tensor) *Tensor
		steps int
	}{
		{"times one", func(b *Builder, x *Tensor) *Tensor { return b.Mul(x, b.Full(atom, 3, 1)) }, 0},
		{"plus zero times", func(b *Builder, x *Tensor) *Tensor { return b.Add(x, b.Mul(b.Tanh(x), b.Full(atom, 3, 0))) }, 0},
		{"twice negated", func(b *Builder, x *Tensor) *Tensor { return b.Neg(b.Neg(x)) }, 0},
		{"slice of concat", func(b *Builder, x *Tensor) *Tensor { return b.Slice(b.Concat(b.Tanh(x), x), 3, 6) }, 0},
		{"slice of place", func(b *Builder, x *Tensor) *Tensor { return b.Slice(b.Place(x, 2, 9), 2, 5) }, 0},
		{"permuted back", func(b *Builder, x *Tensor) *Tensor { return b.Permute(b.Permute(x, []int{1, 2, 0}), []int{2, 0, 1}) }, 0},
		{"chain", func(b *Builder, x *Tensor) *Tensor { return b.Scale(b.Square(b.AddScalar(b.Tanh(x), 1)), 3) }, 1},
		{"dead", func(b *Builder, x *Tensor) *Tensor { b.Exp(x); return x }, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := New()
			p, err := b.Compile(map[string]*Tensor{"y": c.build(b, b.Input("x", atom, 3))})
			if err != nil {
				t.Fatal(err)
			}
			if p.Steps() != c.steps {
				t.Errorf("%d steps, want %d", p.Steps(), c.steps)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	b := New()
	for name, outputs := range map[string]map[string]*Tensor{
		"no outputs":          {},
		"not a tensor":        {"y": nil},
		"not of this Builder": {"y": New().Input("x", Fixed(1), 1)},
	} {
		if _, err := b.Compile(outputs); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
