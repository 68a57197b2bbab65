package graph

import (
	"fmt"
	"testing"
)

// fillInputs gives the batch numbers for all inputs.
func (s *ragged) fillInputs() {
	for _, x := range s.tensors {
		data := make([]float64, s.size(x.rows)*x.cols)
		for i := range data {
			data[i] = s.rng.Float64() - 0.5
		}
		s.batch.Inputs[x.name] = data
	}
}

// TestRegions compares random programs of many blocks with the definitions, on one Exec with batches of other sizes, and
// of the same sizes with other maps.
func TestRegions(t *testing.T) {
	blocks, locals, again := 0, 0, 0
	for seed := range uint64(12) {
		first := newRagged(seed, 40, 6)
		outputs := randomProgram(first, 25)
		e := compileFor[float64](t, first.Builder, outputs, 2)
		for _, s := range []*ragged{first, newRagged(seed+100, 3, 6), newRagged(seed+200, 70, 2), first} {
			other := *first
			if s != first {
				other.batch = s.batch
				other.fillInputs()
			}
			if err := e.Run(other.batch); err != nil {
				t.Fatal(err)
			}
			o := newOracle(&other)
			for name, y := range outputs {
				compare(t, fmt.Sprintf("seed %d, %d atoms: %s", seed, s.batch.Sizes["atom"], name), e.Output(name), o.eval(y), 1e-9)
			}
			for _, r := range e.regions {
				blocks = max(blocks, e.blockings[r.level].blocks)
			}
		}
		for _, v := range e.program.values {
			if v.local != none {
				locals++
			}
		}
		for _, s := range e.program.steps {
			if s.again {
				again++
			}
		}
	}
	if blocks < 8 || locals < 20 || again < 5 {
		t.Errorf("got at most %d blocks, %d local values, %d repeated steps: the test saw too little", blocks, locals, again)
	}
}
