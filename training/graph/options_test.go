package graph

import (
	"fmt"
	"testing"
)

// TestRecompute compares programs that compute little, and much, again with the definitions.
func TestRecompute(t *testing.T) {
	again, kept := map[int]int{}, map[int]int{}
	limits := []int{1, 0, 1 << 20}
	for seed := range uint64(8) {
		s := newRagged(seed, 40, 6)
		outputs := randomProgram(s, 30)
		o := newOracle(s)
		for _, limit := range limits {
			p, err := s.CompileWith(outputs, Options{Recompute: limit})
			if err != nil {
				t.Fatal(err)
			}
			e := NewExec[float64](p, 2)
			if err := e.Run(s.batch); err != nil {
				t.Fatal(err)
			}
			for name, y := range outputs {
				compare(t, fmt.Sprintf("seed %d, recompute %d: %s", seed, limit, name), e.Output(name), o.eval(y), 1e-9)
			}
			for _, step := range p.steps {
				if step.again {
					again[limit]++
				}
			}
			for _, v := range p.values {
				if v.where == inArena && v.local == none && p.alignedRows(v.rows) {
					kept[limit] += v.cols
				}
			}
		}
	}
	if !(again[1] < again[0] && again[0] <= again[1<<20] && kept[1] > kept[0] && kept[0] >= kept[1<<20]) {
		t.Errorf("got %v repeated steps and %v columns kept, by limit; want more repeated and fewer kept with larger ones", again, kept)
	}
}

func TestOptionsRefused(t *testing.T) {
	b := New()
	y := b.Tanh(b.Input("x", Fixed(1), 1))
	if _, err := b.CompileWith(map[string]*Tensor{"y": y}, Options{Recompute: -1}); err == nil {
		t.Error("a negative number of operations: no error")
	}
}
