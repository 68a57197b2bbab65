package sketch

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/federation/secagg"
)

// TestBoundOfQuantizedUpdates: no update, however long, leaves the quantiser longer than Config.Bound says it may, and a clipped one comes
// near it.
func TestBoundOfQuantizedUpdates(t *testing.T) {
	c := secagg.QuantizerConfig{Peers: 50, WeightBits: 8, Groups: []secagg.Group{
		{Name: "trunk", Len: 3000, Clip: 2, Scale: 0.5}, {Name: "head", Len: 1000, Clip: 5, Scale: 4},
	}}
	q, err := secagg.NewQuantizer(c)
	if err != nil {
		t.Fatal(err)
	}
	full := float64(int(1)<<(secagg.DefaultValueBits+c.WeightBits-1) - 1)
	lanes := q.Lanes() - 1 // without the weight
	bound := full*math.Hypot(2/0.5, 5.0/4) + math.Sqrt(float64(lanes))
	r := rand.New(rand.NewPCG(61, 62))
	for name, size := range map[string]float64{"short": 1e-3, "clipped": 0.1, "endless": 1e9} {
		update := make([]float64, lanes)
		for k := range update {
			update[k] = size * r.NormFloat64()
		}
		words, _, err := q.Quantize(update, 1, secagg.Version{}, nil, [32]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		got := norm(words[:lanes])
		if got > bound {
			t.Errorf("%s: norm %.0f, want at most %.0f", name, got, bound)
		}
		if clipped := name != "short"; clipped != (got > 0.9*bound) {
			t.Errorf("%s: norm %.0f, bound %.0f", name, got, bound)
		}
		s := newSketch(t, 3, Config{Lanes: lanes, Bits: 32, Bound: bound, Peak: full})
		sketch := s.Zero()
		s.Add(sketch, 0, words) // the weight lane is outside
		if v := s.judge(0, sketch); v.Violates || math.Abs(v.Norm-got) > 4*v.StdErr {
			t.Errorf("%s: estimate %.0f ± %.0f, want %.0f", name, v.Norm, v.StdErr, got)
		}
	}
}
