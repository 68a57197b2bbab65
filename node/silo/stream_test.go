package silo_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/dataset/reference"
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// layout divides weights that share one head.
func layout(t *testing.T, w *weights.Set, key string, fragments int) *federation.Layout {
	t.Helper()
	l, err := federation.NewLayout(w, []string{key}, []uint64{2, 2}, 2)
	if err == nil {
		l, err = l.Divide(fragments)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// due lists what is summed in a round.
func due(l *federation.Layout, round int, key string) []federation.Slice {
	turn := l.Turn(uint64(round))
	return slices.Concat(turn.Slices(ledger.TrunkGroup), turn.Slices(ledger.HeadGroup(key)))
}

// started returns a member with prepared weights, and the weights.
func started(t *testing.T, seed uint64, change ...func(*silo.Recipe)) (*silo.Silo, *weights.Set) {
	t.Helper()
	r := recipe(t)
	for _, f := range change {
		f(&r)
	}
	s := open(t, silo.Config{Recipe: r, Seed: 1, Threads: 1, ValidationFraction: 0.3, Sets: []silo.Set{water(t, reference.SPCFw(3), "a", seed, nil, nil)}})
	key := s.Heads()[0].Key
	sums, err := s.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var total federation.SetupTotals
	add(&total, sums, key)
	w, err := s.Apply(t.Context(), certified(t, key), total)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// TestIdenticalMembersTrainAsOne has certified fragments that are just what members handed over, as when all are equal, averaged with
// rate 1, and nothing is rounded. Then it makes no difference that weights are certified at all: whatever the number of
// fragments, and however far training has gone on when they arrive, every weight is as after plain training, bit by bit.
func TestIdenticalMembersTrainAsOne(t *testing.T) {
	const rounds, steps = 6, 4
	plain, w := started(t, 1)
	if err := errors.Join(plain.Install(t.Context(), w), plain.Steps(t.Context(), rounds*steps, nil)); err != nil {
		t.Fatal(err)
	}
	for _, fragments := range []int{1, 2, 3, 8} {
		s, certified := started(t, 1)
		key := s.Heads()[0].Key
		l := layout(t, certified, key, fragments)
		if err := s.Merge(t.Context(), certified, nil); err != nil {
			t.Fatal(err)
		}
		for r := range rounds {
			if _, err := s.Continue(t.Context(), certified, steps); err != nil {
				t.Fatal(err)
			}
			next, local := certified.Clone(), s.Weights()
			for _, x := range due(l, r, key) {
				to, _ := next.Get(x.Tensor)
				from, _ := local.Get(x.Tensor)
				copy(to.Data[x.From:x.From+x.Len], from.Data[x.From:x.From+x.Len])
			}
			if r < rounds-1 {
				if err := s.Ahead(t.Context(), r%(steps+1)); err != nil {
					t.Fatal(err)
				}
			}
			certified = next
			if err := s.Merge(t.Context(), certified, due(l, r, key)); err != nil {
				t.Fatal(err)
			}
		}
		if s.Step() != rounds*steps {
			t.Errorf("%d fragments: %d steps, want %d", fragments, s.Step(), rounds*steps)
		}
		for _, want := range plain.Weights().Tensors() {
			if got, _ := s.Weights().Get(want.Name); !slices.Equal(got.Data, want.Data) {
				t.Errorf("%d fragments: %s is not as after plain training", fragments, want.Name)
			}
		}
	}
}

// TestMergeBetweenSteps stops training in the middle of what it does ahead; the steps done count for the next round, and the update holds all of them.
func TestMergeBetweenSteps(t *testing.T) {
	s, w := started(t, 1)
	key := s.Heads()[0].Key
	l := layout(t, w, key, 2)
	if err := s.Merge(t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Continue(t.Context(), w, 5); err != nil {
		t.Fatal(err)
	}
	handed := s.Weights()
	if err := s.Ahead(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Ahead(ctx, 5); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped with %v", err)
	}
	local, next := s.Weights(), w.Clone()
	for _, x := range due(l, 0, key) {
		to, _ := next.Get(x.Tensor)
		for k := range x.Len {
			to.Data[x.From+k] += 0.125
		}
	}
	if err := s.Merge(t.Context(), next, due(l, 0, key)); err != nil {
		t.Fatal(err)
	}
	merged, taken := s.Weights(), map[string][]bool{}
	for _, x := range due(l, 0, key) {
		for k := x.From; k < x.From+x.Len; k++ {
			if taken[x.Tensor] == nil {
				c, _ := next.Get(x.Tensor)
				taken[x.Tensor] = make([]bool, len(c.Data))
			}
			taken[x.Tensor][k] = true
		}
	}
	for _, a := range merged.Tensors() {
		b, _ := local.Get(a.Name)
		h, _ := handed.Get(a.Name)
		c, _ := next.Get(a.Name)
		for k := range a.Data {
			want := b.Data[k]
			if taken[a.Name] != nil && taken[a.Name][k] {
				want = c.Data[k] + (b.Data[k] - h.Data[k])
			}
			if d := a.Data[k] - want; d > 1e-12 || d < -1e-12 {
				t.Fatalf("%s[%d] = %v, want %v", a.Name, k, a.Data[k], want)
			}
		}
	}
	u, err := s.Continue(t.Context(), next, 5)
	if err != nil || s.Step() != 10 {
		t.Fatalf("%d steps, want 10; %v", s.Step(), err)
	}
	for name, d := range u.Tensors {
		c, _ := next.Get(name)
		a, _ := s.Weights().Get(name)
		for k := range d {
			if d[k] != float32(c.Data[k]-a.Data[k]) {
				t.Fatalf("the update of %s[%d] is %v, want the way from the certified weights", name, k, d[k])
			}
		}
	}
}

// TestRestartBeginsWithCertifiedWeights loses local progress, and nothing else.
func TestRestartBeginsWithCertifiedWeights(t *testing.T) {
	s, w := started(t, 1)
	if err := s.Merge(t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Continue(t.Context(), w, 3); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "state")
	if err := s.Save(folder); err != nil {
		t.Fatal(err)
	}
	again, _ := started(t, 1)
	if err := again.Resume(folder); err != nil {
		t.Fatal(err)
	}
	kept := again.Weights()
	if err := again.Merge(t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	if again.Step() != 3 {
		t.Errorf("%d steps, want 3", again.Step())
	}
	for _, a := range again.Weights().Tensors() {
		if c, ok := w.Get(a.Name); ok && !slices.Equal(a.Data, c.Data) {
			t.Errorf("%s is not as certified", a.Name)
		}
		if b, _ := kept.Get(a.Name); !slices.Equal(a.Data, b.Data) {
			t.Errorf("%s was kept otherwise than certified", a.Name)
		}
	}
}

// TestValidationIsOfCertifiedWeights compares what is validated while local training is ahead with what plain weights give.
func TestValidationIsOfCertifiedWeights(t *testing.T) {
	s, w := started(t, 1)
	force := func() training.Metrics {
		r, err := s.Validate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r.Heads[s.Heads()[0].Key].Validation
	}
	if err := s.Merge(t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	want := force()
	if err := s.Ahead(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	local := s.Weights()
	if got := force(); got.Force.RMSE != want.Force.RMSE || got.Frames == 0 {
		t.Errorf("force error %v ahead, want %v", got.Force.RMSE, want.Force.RMSE)
	}
	for _, a := range s.Weights().Tensors() {
		if b, _ := local.Get(a.Name); !slices.Equal(a.Data, b.Data) {
			t.Errorf("validation changed the local %s", a.Name)
		}
	}
}

// TestFragmentsLearn trains two members with different data. With fragments, and half of a round's steps done while its sum is made, the force
// error of the certified weights falls nearly as far as without. Part of the difference is that every fragment is some rounds old.
func TestFragmentsLearn(t *testing.T) {
	const rounds, steps = 40, 10
	for _, tt := range []struct {
		name  string
		outer federation.OuterOptimizer
	}{{"averaging", federation.FedAvg{Rate: 1}}, {"nesterov", federation.Nesterov{Rate: 0.7, Momentum: 0.5}}} {
		t.Run(tt.name, func(t *testing.T) {
			first, whole := learn(t, tt.outer, 1, rounds, steps)
			if whole > 0.9*first {
				t.Fatalf("without fragments the force error only falls from %.4f to %.4f", first, whole)
			}
			for k, slower := range map[int]float64{4: 0.1, 8: 0.3} {
				_, got := learn(t, tt.outer, k, rounds, steps)
				t.Logf("force error %.4f eV/Å at first, after %d rounds of %d steps %.4f without fragments, %.4f with %d", first, rounds, steps, whole, got, k)
				if got-whole > slower*(first-whole) {
					t.Errorf("%d fragments: force error %.4f, without %.4f, at first %.4f", k, got, whole, first)
				}
			}
		})
	}
}

// learn returns the mean force error on the validation frames of two members, before and after.
func learn(t *testing.T, optimizer federation.OuterOptimizer, fragments, rounds, steps int) (first, last float64) {
	t.Helper()
	fast := func(r *silo.Recipe) { r.Steps, r.Schedule = rounds*steps, optim.Schedule{StartLR: 1e-2, StopLR: 1e-3} }
	a, w := started(t, 1, fast)
	b, _ := started(t, 2, fast)
	members, key := []*silo.Silo{a, b}, a.Heads()[0].Key
	l, momentum := layout(t, w, key, fragments), w.Clone()
	for _, m := range momentum.Tensors() {
		clear(m.Data)
	}
	var taken []federation.Slice
	for r := range rounds + 1 {
		sum := 0.0
		for _, s := range members {
			if err := s.Merge(t.Context(), w, taken); err != nil {
				t.Fatal(err)
			}
			if r == 0 || r == rounds {
				results, err := s.Validate(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				sum += results.Heads[key].Validation.Force.RMSE / 2
			}
		}
		if r == 0 {
			first = sum
		}
		if r == rounds {
			return first, sum
		}
		taken = due(l, r, key)
		var updates []federation.Update
		for _, s := range members {
			u, err := s.Continue(t.Context(), w, steps)
			if err != nil {
				t.Fatal(err)
			}
			updates = append(updates, u)
			if fragments > 1 {
				if err := s.Ahead(t.Context(), steps/2); err != nil {
					t.Fatal(err)
				}
			}
		}
		w = outer(optimizer, w, momentum, updates, taken)
	}
	return first, 0
}

// outer returns the weights after an outer step with the mean update.
func outer(optimizer federation.OuterOptimizer, w, momentum *weights.Set, updates []federation.Update, due []federation.Slice) *weights.Set {
	w = w.Clone()
	for _, x := range due {
		to, _ := w.Get(x.Tensor)
		v, _ := momentum.Get(x.Tensor)
		u := make([]float64, x.Len)
		for _, each := range updates {
			for k := range u {
				if d := each.Tensors[x.Tensor]; d != nil {
					u[k] += float64(d[x.From+k]) / float64(len(updates))
				}
			}
		}
		optimizer.Step(to.Data[x.From:x.From+x.Len], v.Data[x.From:x.From+x.Len], u)
	}
	return w
}
