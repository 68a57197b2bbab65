package training

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// TestTwoBranches follows three steps by hand: head a, head b, head a. The gradients come from the training step of
// package dpa2; everything else is written out here.
func TestTwoBranches(t *testing.T) {
	cfg := toyConfig(t, 10)
	cfg.Optimizer.MaxNorm = 0.5
	tr := toyTrainer(t, cfg, toyHeads())
	batches := []struct {
		head   int
		frames []int
	}{{0, []int{3, 1}}, {1, []int{6}}, {0, []int{10, 13}}}
	next := 0
	tr.draw = func() (int, []int) { b := batches[next]; next++; return b.head, b.frames }

	params := tr.Weights()
	program, err := dpa2.NewTrainingStep(cfg.Model, cfg.Loss, dpa2.Float64, 1)
	if err != nil {
		t.Fatal(err)
	}
	type moment struct {
		n    int
		m, v []float64
	}
	moments := map[string]*moment{}
	for k, b := range batches {
		h := toyHeads()[b.head]
		var grad weights.Set
		lr := 1e-2 * math.Pow(1e-2, float64(k/2)*2/10)
		batch, err := dpa2.NewBatch(cfg.Model, append(h.Train[b.frames[0]:b.frames[0]+1:b.frames[0]+1], h.Train[b.frames[len(b.frames)-1]])[:len(b.frames)])
		if err != nil {
			t.Fatal(err)
		}
		c := lr / 1e-2
		if _, err := program.Run(&dpa2.Model{Config: cfg.Model, Params: params, Head: h.Key}, batch, dpa2.Prefactors{Energy: 1 + (0.02-1)*c, Force: 1 + (100-1)*c, Virial: 1 + (0.02-1)*c}, &grad); err != nil {
			t.Fatal(err)
		}
		var squares float64
		for _, g := range grad.Tensors() {
			for _, x := range g.Data {
				squares += x * x
			}
		}
		scale := math.Min(1, 0.5/(math.Sqrt(squares)+1e-6))
		for _, g := range grad.Tensors() {
			mo := moments[g.Name]
			if mo == nil {
				mo = &moment{m: make([]float64, len(g.Data)), v: make([]float64, len(g.Data))}
				moments[g.Name] = mo
			}
			mo.n++
			p, _ := params.Get(g.Name)
			for i, x := range g.Data {
				x *= scale
				mo.m[i] = 0.9*mo.m[i] + 0.1*x
				mo.v[i] = 0.999*mo.v[i] + 0.001*x*x
				p.Data[i] -= lr * (mo.m[i] / (1 - math.Pow(0.9, float64(mo.n)))) / (math.Sqrt(mo.v[i]/(1-math.Pow(0.999, float64(mo.n)))) + 1e-8)
			}
		}
	}
	run(t, tr, len(batches))
	for _, want := range params.Tensors() {
		got, _ := tr.params.Get(want.Name)
		for k, w := range want.Data {
			if math.Abs(got.Data[k]-w) > 1e-11*(1+math.Abs(w)) {
				t.Fatalf("%s: entry %d is %.15g, by hand %.15g", want.Name, k, got.Data[k], w)
			}
		}
	}
	counts := map[int]int{}
	for _, m := range tr.adam.State() {
		counts[m.Step]++
	}
	if counts[1] == 0 || counts[2] == 0 || counts[3] == 0 {
		t.Errorf("step counters of trunk, head a and head b should be 3, 2, 1; got tensors by counter %v", counts)
	}
}

func TestHeadNotDrawnRests(t *testing.T) {
	tr := toyTrainer(t, toyConfig(t, 5), toyHeads())
	before := tr.Weights()
	tr.draw = func() (int, []int) { return 0, []int{0} }
	run(t, tr, 2)
	moved := map[string]bool{}
	for _, x := range before.Tensors() {
		now, _ := tr.params.Get(x.Name)
		if !slices.Equal(x.Data, now.Data) {
			moved[strings.Join(strings.SplitN(x.Name, "/", 3)[:2], "/")] = true
		}
	}
	if moved["heads/bbbb"] {
		t.Error("the head that was not drawn moved")
	}
	if !moved["heads/aaaa"] {
		t.Error("the head that was drawn did not move")
	}
	if name := "descriptor/repformers_variable"; !moved[name] {
		t.Errorf("the trunk did not move: %v", moved)
	}
}
