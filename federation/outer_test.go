package federation

import (
	"math"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
)

func TestFedAvgWithRateOneAverages(t *testing.T) {
	// Three members end at 1.5, 2 and 4 from 1: the mean of weights before minus after is -1.5.
	w := []float64{1}
	FedAvg{Rate: 1}.Step(w, []float64{0}, []float64{-1.5})
	if w[0] != 2.5 {
		t.Errorf("got %v, want the average 2.5", w[0])
	}
}

// TestNesterov compares with the recurrence written out by hand, in numbers that float32 holds exactly.
func TestNesterov(t *testing.T) {
	w, v := []float64{8}, []float64{0}
	o := Nesterov{Rate: 0.5, Momentum: 0.5}
	// v1 = 2, ahead = 2 + 0.5·2 = 3, w = 8 - 1.5; v2 = 0.5·2 + 4 = 5, ahead = 4 + 2.5 = 6.5, w = 6.5 - 3.25
	for k, want := range []struct{ u, v, w float64 }{{2, 2, 6.5}, {4, 5, 3.25}} {
		o.Step(w, v, []float64{want.u})
		if v[0] != want.v || w[0] != want.w {
			t.Errorf("step %d: v = %v, w = %v; want %v, %v", k+1, v[0], w[0], want.v, want.w)
		}
	}
}

// TestOuterBits pins the bits of a hundred steps, as Python computes them: another result on some machine would split the
// federation.
func TestOuterBits(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    OuterOptimizer
		want uint32
	}{{"fedavg", FedAvg{0.7}, 0xc06ed7d4}, {"nesterov", Nesterov{0.7, 0.9}, 0xc20c6588}} {
		w, v := []float64{float64(float32(0.1))}, []float64{0}
		for k := range 100 {
			u := float64(int64(k*k*2654435761)%1000) / 7919
			tt.o.Step(w, v, []float64{u})
		}
		if got := math.Float32bits(float32(w[0])); got != tt.want || float64(float32(w[0])) != w[0] {
			t.Errorf("%s: %08x (%v), want %08x", tt.name, got, w[0], tt.want)
		}
	}
}

func TestPowerOfTwo(t *testing.T) {
	for x, want := range map[float64]float64{1: 1, 0.75: 1, 1.0000001: 2, 0.0625: 0.0625, 0.07: 0.125, 1000: 1024} {
		if got := secagg.PowerOfTwo(x); got != want {
			t.Errorf("powerOfTwo(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestScalesFollowTheAggregate(t *testing.T) {
	w := testWeights()
	l, err := NewLayout(w, []string{"all", "two"}, []uint64{5, 5}, 2)
	if err != nil {
		t.Fatal(err)
	}
	s := newOuterState(w, l, &ledger.Rules{FirstScale: 0.1})
	slice := l.Slices(ledger.TrunkGroup)[0]
	scale := func() (float64, float64) {
		x, _ := s.set.Get("scale/" + slice.Name)
		return x.Data[0], x.Data[1]
	}
	if got, _ := scale(); got != 0.125 {
		t.Errorf("first scale %v, want 0.1 rounded up to a power of two", got)
	}
	mean := make([]float64, slice.Len)
	mean[0] = 0.001
	s.rescale(slice, mean, 5)
	got, clip := scale()
	if got != 1.0/32 || clip < got {
		t.Errorf("scale %v and clip %v after a mean of 0.001 of 5 members, want room for one member that moved it alone", got, clip)
	}
	s.rescale(slice, make([]float64, slice.Len), 5)
	if again, _ := scale(); again != got {
		t.Errorf("a mean of zeros changed the scale to %v", again)
	}
}

func TestLayout(t *testing.T) {
	shared := []string{"all", "two"}
	l, err := NewLayout(testWeights(), shared, []uint64{5, 2}, 3)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, group := range []string{ledger.TrunkGroup, ledger.HeadGroup("two")} {
		for _, s := range l.Slices(group) {
			names = append(names, s.Name)
		}
	}
	want := []string{"descriptor/repformers/w", elementRows + "#0", "heads/two/fitting/nets/0/layers/0/@variables/w"}
	if !slices.Equal(names, want) {
		t.Errorf("slices %v, want %v: no statistics, and no row of the element that two members have", names, want)
	}
	update := map[string][]float32{elementRows: {1, 2, 3, 4, 5, 6}}
	v, err := l.vector(ledger.TrunkGroup, update, testWeights())
	if err != nil || len(v) != 23 || !slices.Equal(v[20:], []float64{1, 2, 3}) || slices.Max(v[:20]) != 0 {
		t.Errorf("vector %v, %v; want zeros and the row 1 2 3", v, err)
	}
	if _, err := l.vector(ledger.TrunkGroup, map[string][]float32{elementRows: {1}}, testWeights()); err == nil {
		t.Error("an update of another shape was accepted")
	}
}

func TestLayoutRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *weights.Set)
	}{
		{"a tensor of nobody", func(w *weights.Set) {
			w.Put(weights.Tensor{Name: "heads/own/fitting/w", Shape: []int{1}, Data: []float64{1}})
		}},
		{"a shared head without tensors", func(w *weights.Set) { w.Delete("heads/two/fitting/nets/0/layers/0/@variables/w") }},
		{"no trunk", func(w *weights.Set) { w.Delete("descriptor/repformers/w"); w.Delete(elementRows) }},
	} {
		w := testWeights()
		tt.change(w)
		if _, err := NewLayout(w, []string{"all", "two"}, []uint64{5, 5}, 2); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
	}
}

// TestRowsThatOpenLater takes an outer step of rows that no sum had before.
func TestRowsThatOpenLater(t *testing.T) {
	w, rules := testWeights(), ledger.DefaultRules()
	closed, err := NewLayout(w, []string{"all", "two"}, []uint64{5, 5}, 6)
	if err != nil {
		t.Fatal(err)
	}
	open, err := NewLayout(w, []string{"all", "two"}, []uint64{5, 5}, 5)
	if err != nil {
		t.Fatal(err)
	}
	state := newOuterState(w, closed, &rules)
	before, _ := w.Get(elementRows)
	was := slices.Clone(before.Data)
	d := decoded{mean: slices.Repeat([]float64{0.5}, open.Len(ledger.TrunkGroup)), members: 5}
	state.step(NewOuter(&rules), w, open.Slices(ledger.TrunkGroup), d, nil)
	if after, _ := w.Get(elementRows); slices.Equal(after.Data, was) {
		t.Error("the rows stay as they were")
	}
	if v, ok := state.set.Get("momentum/" + elementRows); !ok || v.Data[0] == 0 {
		t.Error("the rows have no momentum")
	}
}
