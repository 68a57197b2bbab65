package federation

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// Lengths of the fake setup sums.
const (
	setupTrunk = 6
	setupHead  = 4
)

// testWeights is a small model: a trunk with one row per element, statistics, and the heads "all" and "two".
func testWeights() *weights.Set {
	s := &weights.Set{}
	put := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		data := make([]float64, n)
		for k := range data {
			data[k] = float64(float32(0.1 * float64(k+len(name)%7)))
		}
		s.Put(weights.Tensor{Name: name, Shape: shape, Data: data})
	}
	put("descriptor/repformers/w", 5, 4)
	put(elementRows, 2, 3)
	put("descriptor/repinit_variable/@variables/davg", 2, 2)
	for _, key := range []string{"all", "two"} {
		put("heads/"+key+"/fitting/nets/0/layers/0/@variables/w", 3, 3)
		put("heads/"+key+"/@variables/out_bias", 1, 2, 1)
	}
	return s
}

// A fakeTrainer makes updates that are known to the test. Every member has H, only the first two have O.
type fakeTrainer struct {
	index, n  int
	installed *weights.Set
}

// collect gives numbers of very different magnitudes whose exact sums are easy to know.
func (f *fakeTrainer) collect() SetupSums {
	s := SetupSums{Elements: []bool{true, f.index < 2}, Heads: map[string][]float64{}}
	for k := range setupTrunk {
		s.Trunk = append(s.Trunk, math.Ldexp(float64(f.index+1), 8*k-20))
	}
	for _, key := range []string{"all", "two"} {
		for k := range setupHead {
			s.Heads[key] = append(s.Heads[key], -math.Ldexp(float64(f.index+3), 4*k))
		}
	}
	return s
}

// apply puts the totals into the tensors that training does not move.
func (f *fakeTrainer) apply(w *weights.Set, t SetupTotals) *weights.Set {
	out := w.Clone()
	davg, _ := out.Get("descriptor/repinit_variable/@variables/davg")
	copy(davg.Data, t.Trunk[:4])
	for key, total := range t.Heads {
		bias, _ := out.Get("heads/" + key + "/@variables/out_bias")
		copy(bias.Data, total[:2])
	}
	return out
}

// train moves every number a little, differently at every member and in every round.
func (f *fakeTrainer) train(round uint64, w *weights.Set) Update {
	u := Update{Tensors: map[string][]float32{}, Weight: map[string]float64{
		ledger.TrunkGroup: 1 / float64(f.index+1), ledger.HeadGroup("all"): 0.5}}
	for _, t := range w.Tensors() {
		v := make([]float32, len(t.Data))
		for k := range v {
			v[k] = float32(0.01 * math.Sin(float64(k+1)*float64(f.index+2)+float64(round)))
		}
		u.Tensors[t.Name] = v
	}
	u.Tensors["heads/own/fitting/private"] = []float32{42} // never to leave
	return u
}

func (f *fakeTrainer) String() string { return fmt.Sprintf("trainer of M%d", f.index) }
