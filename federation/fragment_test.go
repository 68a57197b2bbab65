package federation

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// trunkOf makes a layout of trunk tensors with the given lengths.
func trunkOf(t *testing.T, lengths []int) (*Layout, *weights.Set) {
	t.Helper()
	w := &weights.Set{}
	for k, n := range lengths {
		w.Put(weights.Tensor{Name: fmt.Sprintf("descriptor/layer%03d/@variables/w", k), Shape: []int{n}, Data: make([]float64, n)})
	}
	l, err := NewLayout(w, nil, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	return l, w
}

func TestFragmentsAreBalancedAndComplete(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	many := make([]int, 300)
	for k := range many {
		many[k] = 1 + random.IntN(4000)
	}
	for _, tt := range []struct {
		name    string
		lengths []int
	}{
		{"one long tensor", []int{100_003}},
		{"one long and many short", append([]int{50_000}, many[:40]...)},
		{"many", many},
		{"equal", slices.Repeat([]int{640}, 64)},
		{"as few as fragments", []int{3, 61}},
	} {
		for _, k := range []int{2, 3, 8, 64} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, k), func(t *testing.T) {
				l, w := trunkOf(t, tt.lengths)
				d, err := l.Divide(k)
				if err != nil {
					t.Fatal(err)
				}
				checkFragments(t, l, d, w, k)
			})
		}
	}
}

func checkFragments(t *testing.T, l, d *Layout, w *weights.Set, k int) {
	t.Helper()
	even := float64(l.Len(ledger.TrunkGroup)) / float64(k)
	times, names := map[string][]int{}, map[string]bool{}
	for _, x := range w.Tensors() {
		times[x.Name] = make([]int, len(x.Data))
	}
	for turn := range uint64(k) {
		f := d.Turn(turn)
		if n := float64(f.Len(ledger.TrunkGroup)); n > 1.05*even+1 || n < 0.95*even-1 {
			t.Errorf("fragment %d has %g numbers, want %.0f within 5 %%", turn, n, even)
		}
		for _, s := range f.Slices(ledger.TrunkGroup) {
			if names[s.Name] {
				t.Errorf("two slices are named %q", s.Name)
			}
			names[s.Name] = true
			for i := range s.Len {
				times[s.Tensor][s.From+i]++
			}
		}
		if again := d.Turn(turn + uint64(k)); !reflect.DeepEqual(again.groups, f.groups) {
			t.Errorf("fragment %d is another one after %d rounds", turn, k)
		}
	}
	for name, n := range times {
		if slices.Min(n) != 1 || slices.Max(n) != 1 {
			t.Errorf("numbers of %s are in %d to %d fragments, want 1", name, slices.Min(n), slices.Max(n))
		}
	}
}

// TestFragmentsKeepWholeTensors divides where tensors end when that is nearly even.
func TestFragmentsKeepWholeTensors(t *testing.T) {
	l, _ := trunkOf(t, []int{1000, 990, 1005, 1003})
	d, err := l.Divide(2)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.Slices(ledger.TrunkGroup), l.Slices(ledger.TrunkGroup); !slices.Equal(got, want) {
		t.Errorf("slices %v, want %v", got, want)
	}
	if n := len(d.Turn(1).Slices(ledger.TrunkGroup)); n != 2 {
		t.Errorf("the second fragment has %d tensors, want 2", n)
	}
}

// TestFragmentsDoNotDependOnOrder shuffles the slices.
func TestFragmentsDoNotDependOnOrder(t *testing.T) {
	l, _ := trunkOf(t, []int{70, 900, 30, 4000, 1, 1, 333})
	want, err := l.Divide(4)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		list := slices.Clone(l.Slices(ledger.TrunkGroup))
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		got, err := (&Layout{groups: map[string][]Slice{ledger.TrunkGroup: list}}).Divide(4)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v: %v, %v, want %v", list, got, err, want)
		}
	}
}

func TestFragmentsLeaveTheRest(t *testing.T) {
	l, err := NewLayout(testWeights(), []string{"all", "two"}, []uint64{5, 5}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{0, 1} {
		if d, err := l.Divide(k); err != nil || d != l || l.Turn(7) != l {
			t.Errorf("%d fragments change the layout: %v", k, err)
		}
	}
	d, err := l.Divide(4)
	if err != nil {
		t.Fatal(err)
	}
	for turn := range uint64(4) {
		if got, want := d.Turn(turn).Slices(ledger.HeadGroup("two")), l.Slices(ledger.HeadGroup("two")); !slices.Equal(got, want) {
			t.Errorf("in turn %d the head is %v, want %v", turn, got, want)
		}
	}
	if _, err := l.Divide(27); err == nil {
		t.Error("26 numbers make 27 fragments")
	}
	clash := &Layout{groups: map[string][]Slice{ledger.TrunkGroup: {{"a", "a", 0, 10}, {"a@0", "a@0", 0, 6}}}}
	if _, err := clash.Divide(2); err == nil {
		t.Error("a piece may have the name of another tensor")
	}
}
