package graph

import "testing"

// TestGatheredColumns counts the steps that gather a column: none if the tiles of one shape read it, else one for all.
func TestGatheredColumns(t *testing.T) {
	for _, c := range []struct {
		name    string
		columns []int // of what the column is multiplied by
		want    int
	}{{"one shape", []int{2, 2}, 0}, {"two shapes", []int{1, 2}, 1}, {"three shapes", []int{1, 2, 5}, 1}} {
		t.Run(c.name, func(t *testing.T) {
			s := newRagged(3, 20, 6)
			x := s.Builder.Input("few", s.neighbour.to, 1)
			column := s.Gather(x, s.neighbour)
			s.tensors = append(s.tensors, x)
			outputs := map[string]*Tensor{}
			for i, n := range c.columns {
				y := s.Input(string(rune('a'+i)), s.neighbour.from, n)
				s.tensors = append(s.tensors, y)
				outputs[y.name] = s.Mul(column, y)
			}
			s.fillInputs()
			e := compileFor[float64](t, s.Builder, outputs, 2)
			if err := e.Run(s.batch); err != nil {
				t.Fatal(err)
			}
			gathers := 0
			for _, st := range e.program.steps {
				if st.op == opGather {
					gathers++
				}
			}
			if gathers != c.want {
				t.Errorf("%d steps gather, want %d", gathers, c.want)
			}
			o := newOracle(s)
			for name, y := range outputs {
				compare(t, name, e.Output(name), o.eval(y), 1e-12)
			}
		})
	}
}
