package silo_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset/reference"
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/google/go-cmp/cmp"
)

// certified makes the weights of a federation that shares the given heads.
func certified(t *testing.T, keys ...string) *weights.Set {
	t.Helper()
	out := &weights.Set{}
	for _, key := range keys {
		m, err := dpa2.NewHead(recipe(t).Model, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, tensor := range m.Params.Tensors() {
			out.Put(*tensor)
		}
	}
	return out
}

// two returns a member with a shared and a local head, and one with the shared head only.
func two(t *testing.T) (a, b *silo.Silo, shared, alone string) {
	t.Helper()
	spc, tip := reference.SPCFw(3), reference.QTIP4PF(3)
	a = open(t, silo.Config{Recipe: recipe(t), Threads: 1, Sets: []silo.Set{water(t, spc, "a", 1, nil, nil), water(t, tip, "c", 3, nil, nil)}})
	b = open(t, silo.Config{Recipe: recipe(t), Threads: 1, Sets: []silo.Set{water(t, spc, "b", 2, hartree, nil)}})
	shared = b.Heads()[0].Key
	for _, h := range a.Heads() {
		if h.Key != shared {
			alone = h.Key
		}
	}
	return a, b, shared, alone
}

func TestSetupAndRound(t *testing.T) {
	a, b, shared, alone := two(t)
	var total federation.SetupTotals
	wantTrunk, wantHead := a.Lengths()
	for _, s := range []*silo.Silo{a, b} {
		sums, err := s.Collect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(sums.Trunk) != wantTrunk || len(sums.Heads[shared]) != wantHead || !cmp.Equal(sums.Elements, []bool{true, true}) {
			t.Fatalf("%d and %d numbers, elements %v; want %d and %d", len(sums.Trunk), len(sums.Heads[shared]), sums.Elements, wantTrunk, wantHead)
		}
		add(&total, sums, shared)
	}
	w := certified(t, shared)
	applied, err := a.Apply(t.Context(), w, total)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.Apply(t.Context(), w, total)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range applied.Tensors() {
		y, _ := again.Get(x.Name)
		if !cmp.Equal(x.Data, y.Data) {
			t.Errorf("members disagree about %s", x.Name)
		}
	}
	bias, _ := applied.Get("heads/" + shared + "/@variables/out_bias")
	if bias.Data[0] == 0 || bias.Data[1] == 0 {
		t.Errorf("energy reference is %v", bias.Data)
	}
	std, _ := applied.Get("descriptor/repinit_variable/@variables/dstd")
	if std.Data[0] == 1 || std.Data[0] <= 0 {
		t.Errorf("spread of the environment is %g", std.Data[0])
	}
	before, ok := w.Get("descriptor/repinit_variable/@variables/dstd")
	if !ok || before.Data[0] != 1 {
		t.Error("Apply changed its argument")
	}
	checkUpdate(t, a, applied, shared, alone)
}

func add(total *federation.SetupTotals, sums federation.SetupSums, key string) {
	if total.Heads == nil {
		total.Trunk = make([]float64, len(sums.Trunk))
		total.Heads = map[string][]float64{key: make([]float64, len(sums.Heads[key]))}
	}
	for i, v := range sums.Trunk {
		total.Trunk[i] += v
	}
	for i, v := range sums.Heads[key] {
		total.Heads[key][i] += v
	}
}

func checkUpdate(t *testing.T, s *silo.Silo, w *weights.Set, shared, alone string) {
	t.Helper()
	update, err := s.Train(t.Context(), w, 8)
	if err != nil {
		t.Fatal(err)
	}
	trunk, head := 0, 0
	for name, d := range update.Tensors {
		before, ok := w.Get(name)
		if !ok || strings.Contains(name, alone) {
			t.Errorf("the update holds %s, which is not shared", name)
			continue
		}
		after, _ := s.Weights().Get(name)
		for i := range d {
			if got := float32(before.Data[i] - after.Data[i]); got != d[i] {
				t.Fatalf("%s[%d]: update %g, moved by %g", name, i, d[i], got)
			}
		}
		if strings.HasPrefix(name, "descriptor/") {
			trunk++
		} else {
			head++
		}
	}
	if trunk == 0 || head == 0 {
		t.Errorf("the update moves %d tensors of the trunk and %d of the head; it holds %v", trunk, head, slices.Sorted(maps.Keys(update.Tensors)))
	}
	local, _ := s.Weights().Get("heads/" + alone + "/@variables/out_bias")
	if local.Data[0] == 0 {
		t.Error("the local head has no energy reference")
	}
	kept, _ := s.Weights().Get("heads/" + alone + "/fitting/nets/networks/0/layers/0/@variables/w")
	if kept == nil {
		names := s.Weights().Names()
		t.Fatalf("no such tensor; there are %v", names)
	}
	was := slices.Clone(kept.Data)
	if err := s.Install(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	kept, _ = s.Weights().Get(kept.Name)
	if !cmp.Equal(kept.Data, was) {
		t.Error("Install changed a head that is not shared")
	}
	if back, _ := s.Weights().Get("descriptor/repinit_variable/@variables/dstd"); math.IsNaN(back.Data[0]) {
		t.Error("NaN")
	}
}

func TestRefusedSetups(t *testing.T) {
	a, _, shared, alone := two(t)
	w := certified(t, shared)
	trunk, head := a.Lengths()
	good := func() federation.SetupTotals {
		return federation.SetupTotals{Trunk: make([]float64, trunk), Heads: map[string][]float64{shared: make([]float64, head)}}
	}
	for _, c := range []struct {
		name  string
		spoil func(*federation.SetupTotals)
	}{
		{"short trunk", func(s *federation.SetupTotals) { s.Trunk = s.Trunk[1:] }},
		{"short head", func(s *federation.SetupTotals) { s.Heads[shared] = s.Heads[shared][1:] }},
		{"head that is not shared", func(s *federation.SetupTotals) { s.Heads[alone] = s.Heads[shared] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			totals := good()
			if _, err := a.Apply(t.Context(), w, totals); err != nil {
				t.Fatalf("sums of nothing: %v", err)
			}
			c.spoil(&totals)
			if _, err := a.Apply(t.Context(), w, totals); err == nil {
				t.Error("accepted")
			}
		})
	}
	if err := a.Install(t.Context(), &weights.Set{}); err == nil {
		t.Error("installed nothing")
	}
}
