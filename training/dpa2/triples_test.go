package dpa2

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// TestTriplesMakeTheOrderedSum holds the weighted sum over triples against the sum over all ordered pairs, for a
// symmetric θ and any G of the pair of types.
func TestTriplesMakeTheOrderedSum(t *testing.T) {
	const ntypes = 3
	r := rand.New(rand.NewPCG(2, 7))
	for _, strip := range []bool{false, true} {
		list, numbers := triples{strip: strip}, newKinds(ntypes)
		want, value := make([]float64, 5), []float64(nil) // value: θ by ordered pair
		var g [ntypes][ntypes]float64
		for a := range g {
			for b := range g[a] {
				g[a][b] = r.NormFloat64()
			}
		}
		for centre, n := range []int{4, 0, 1, 9, 17} {
			types := make([]int32, n)
			for j := range types {
				types[j] = int32(r.IntN(ntypes))
			}
			slices.Sort(types)
			theta := make([]float64, n*n)
			for j, left := range types {
				for k, right := range types {
					if k >= j {
						theta[j*n+k] = r.NormFloat64()
						theta[k*n+j] = theta[j*n+k]
					}
					want[centre] += theta[j*n+k] * g[left][right]
				}
			}
			value = append(value, theta...)
			list.add(int32(centre), types, numbers)
		}
		if !strip && !slices.IsSorted(list.pair) {
			t.Errorf("the pairs are not in their order: %v", list.pair) // which costs no bits, but time
		}
		got, mirror := make([]float64, 5), numbers.mirrors()
		for row, p := range list.pair {
			var kind, centre int32
			if strip {
				kind, centre = list.groups.kind[list.groups.of[row]], list.groups.atom[list.groups.of[row]]
			} else {
				kind, centre = list.kind[row], list.centre[row]
			}
			a, b := numbers.left[kind], numbers.right[kind]
			m := mirror[kind]
			if numbers.left[m] != b || numbers.right[m] != a {
				t.Errorf("mirror of kind (%d, %d): got (%d, %d)", a, b, numbers.left[m], numbers.right[m])
			}
			table := g[a][b]
			if strip {
				table = (g[a][b] + g[b][a]) / 2
			}
			got[centre] += float64(list.weight[row]) * value[p] * table
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-12*(1+math.Abs(want[i])) {
				t.Errorf("strip %v, centre %d: got %g, want %g", strip, i, got[i], want[i])
			}
		}
	}
}

// TestNumberOfTriples counts: of n_t neighbours of each type t, Σ n_t(n_t+1)/2 pairs are of one type, and Σ n_t·n_u
// over u ≠ t are not; in strip mode half of the latter do.
func TestNumberOfTriples(t *testing.T) {
	for _, mode := range []string{"concat", "strip"} {
		t.Run(mode, func(t *testing.T) {
			cfg := officialInput(false, 1)
			cfg.Descriptor.Repinit.TebdInputMode = mode
			frame := randomFrame(rand.New(rand.NewPCG(5, 3)), cfg, 24, true)
			b, err := NewBatch(cfg, []dataset.Frame{frame})
			if err != nil {
				t.Fatal(err)
			}
			count := make([][2]int, b.NumAtoms())
			axis := cfg.nearAxis(nearThree)
			for e, i := range b.indices[axis+".centre"] {
				count[i][b.types[b.indices[axis+".neighbour"][e]]]++
			}
			want, ordered, weights := 0, 0, 0.0
			for _, n := range count {
				mixed := 2 * n[0] * n[1]
				if mode == "strip" {
					mixed /= 2
				}
				want += n[0]*(n[0]+1)/2 + n[1]*(n[1]+1)/2 + mixed
				ordered += (n[0] + n[1]) * (n[0] + n[1])
			}
			for _, w := range b.counts["triple.weight"] {
				weights += float64(w)
			}
			if got := b.sizes[axisTriple]; got != want || want == 0 {
				t.Errorf("got %d triples, want %d", got, want)
			}
			if got := b.samples[0].numTriples(mode == "strip"); got != want {
				t.Errorf("numTriples: got %d, want %d", got, want)
			}
			if weights != float64(ordered) {
				t.Errorf("weights sum to %g, want %d ordered pairs", weights, ordered)
			}
		})
	}
}
