package sim

import (
	"math"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// Lengths of the setup sums.
const (
	setupTrunk = 4
	setupHead  = 3
)

// Names of the model's tensors that the trainer fills from the setup sums.
const (
	statistics = "descriptor/repinit_variable/@variables/davg"
	references = "heads/" + headKey + "/@variables/out_bias"
)

// model is small: 26 numbers of a trunk, 9 of a head, and what the setup round puts in.
func model() *weights.Set {
	s := &weights.Set{}
	for _, t := range []struct {
		name  string
		shape []int
	}{
		{"descriptor/repformers/w", []int{5, 4}},
		{"descriptor/type_embedding/embedding/layers/0/@variables/w", []int{2, 3}},
		{statistics, []int{2, 2}},
		{"heads/" + headKey + "/fitting/nets/0/layers/0/@variables/w", []int{3, 3}},
		{references, []int{1, 2, 1}},
	} {
		n := 1
		for _, d := range t.shape {
			n *= d
		}
		data := make([]float64, n)
		for k := range data {
			data[k] = float64(float32(0.1 * float64(k+1)))
		}
		s.Put(weights.Tensor{Name: t.name, Shape: t.shape, Data: data})
	}
	return s
}

// A trainer makes up what a member contributes, differently at every member and in every round. Every member has H, all but the
// last one have O.
type trainer struct{ index, members int }

func (t trainer) collect() federation.SetupSums {
	s := federation.SetupSums{Elements: []bool{true, t.index < t.members-1}, Heads: map[string][]float64{}}
	for k := range setupTrunk {
		s.Trunk = append(s.Trunk, math.Ldexp(float64(t.index+1), 8*k-20))
	}
	for k := range setupHead {
		s.Heads[headKey] = append(s.Heads[headKey], -math.Ldexp(float64(t.index+3), 4*k))
	}
	return s
}

// apply puts the totals into the tensors that training does not move.
func (t trainer) apply(w *weights.Set, totals federation.SetupTotals) *weights.Set {
	out := w.Clone()
	if x, ok := out.Get(statistics); ok {
		copy(x.Data, totals.Trunk)
	}
	if x, ok := out.Get(references); ok {
		copy(x.Data, totals.Heads[headKey])
	}
	return out
}

func (t trainer) train(round uint64, w *weights.Set) federation.Update {
	u := federation.Update{Tensors: map[string][]float32{}, Weight: map[string]float64{ledger.TrunkGroup: 1 / float64(t.index+1), ledger.HeadGroup(headKey): 0.5}}
	for _, x := range w.Tensors() {
		v := make([]float32, len(x.Data))
		for k := range v {
			v[k] = float32(0.01 * math.Sin(float64(k+1)*float64(t.index+2)+float64(round)))
		}
		u.Tensors[x.Name] = v
	}
	return u
}
