package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestRecompute compares programs that compute little, and much, again with the definitions, and threads with each other.
func TestRecompute(t *testing.T) {
	again, kept := map[Options]int{}, map[Options]int{}
	least, usual, most := Options{Recompute: 1}, Options{}, Options{Recompute: 1 << 20, Deep: true}
	for seed := range uint64(8) {
		s := newRagged(seed, 40, 6)
		outputs := randomProgram(s, 30)
		o := newOracle(s)
		for _, options := range []Options{least, usual, most} {
			p, err := s.CompileWith(outputs, options)
			if err != nil {
				t.Fatal(err)
			}
			e, alone := NewExec[float64](p, 3), NewExec[float64](p, 1)
			for _, e := range []*Exec[float64]{e, alone} {
				if err := e.Run(s.batch); err != nil {
					t.Fatal(err)
				}
			}
			for name, y := range outputs {
				if !slices.Equal(e.Output(name), alone.Output(name)) {
					t.Errorf("seed %d, %+v: %s has other bits from three threads than from one", seed, options, name)
				}
				compare(t, fmt.Sprintf("seed %d, %+v: %s", seed, options, name), e.Output(name), o.eval(y), 1e-9)
			}
			for _, step := range p.steps {
				if step.again {
					again[options]++
				}
			}
			for _, v := range p.values {
				if v.where == inArena && v.local == none && p.alignedRows(v.rows) {
					kept[options] += v.cols
				}
			}
		}
	}
	if !(again[least] < again[usual] && again[usual] < again[most] && kept[least] > kept[usual] && kept[usual] > kept[most]) {
		t.Errorf("got %v repeated steps and %v columns kept; want more repeated and fewer kept from option to option", again, kept)
	}
}

func TestOptionsRefused(t *testing.T) {
	b := New()
	y := b.Tanh(b.Input("x", Fixed(1), 1))
	if _, err := b.CompileWith(map[string]*Tensor{"y": y}, Options{Recompute: -1}); err == nil {
		t.Error("a negative number of operations: no error")
	}
}

// TestFrozen runs a program whose steps on parameters alone are done once, changes a parameter, and changes sizes.
func TestFrozen(t *testing.T) {
	b := New()
	w := b.Param("w", 3, 2)
	y := b.MatMul(b.Input("x", Axis("row"), 2), b.Tanh(w), N, T) // the transpose of tanh w
	p, err := b.CompileWith(map[string]*Tensor{"y": y, "squares": b.Square(w)}, Options{Frozen: true})
	if err != nil {
		t.Fatal(err)
	}
	e := NewExec[float64](p, 2)
	run := func(rows int) float64 {
		x := make([]float64, 2*rows)
		x[2*rows-2] = 1
		if err := e.Run(&Batch[float64]{Sizes: map[string]int{"row": rows}, Inputs: map[string][]float64{"x": x}}); err != nil {
			t.Fatal(err)
		}
		return e.Output("y")[3*(rows-1)+1]
	}
	for k, step := range []struct {
		rows   int
		change bool
		w      float64
	}{{4, true, 0.25}, {4, false, 0.25}, {9, false, 0.25}, {2, true, 2.25}} {
		if step.change {
			e.Param("w")[2] = step.w
			e.Thaw()
		}
		if got, want := run(step.rows), math.Tanh(step.w); math.Abs(got-want) > 1e-15 {
			t.Errorf("run %d, %d rows: got %g, want %g", k, step.rows, got, want)
		}
		if got, want := e.Output("squares")[2], e.Param("w")[2]*e.Param("w")[2]; got != want {
			t.Errorf("run %d: output on parameters alone: got %g, want %g", k, got, want)
		}
	}
	e.Param("w")[2] = 5
	if got, want := run(2), math.Tanh(2.25); math.Abs(got-want) > 1e-15 {
		t.Errorf("without Thaw: got %g, want %g as before", got, want)
	}
}
