package graph

import (
	"fmt"
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
