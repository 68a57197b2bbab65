package neighbor_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fedlam/fedlam/training/neighbor"
)

// edge is one line of a list, comparable across implementations.
type edge struct {
	from, to int
	shift    [3]int
}

// bruteForce goes over every pair and every image in a range that is surely wide enough.
func bruteForce(pos []float64, cell *[9]float64, virtual func(int) bool, cutoff float64, span int) map[edge]float64 {
	n, out := len(pos)/3, map[edge]float64{}
	if cell == nil {
		cell, span = &[9]float64{}, 0
	}
	for i := range n {
		for j := range n {
			if virtual(i) || virtual(j) {
				continue
			}
			for a := -span; a <= span; a++ {
				for b := -span; b <= span; b++ {
					for c := -span; c <= span; c++ {
						if i == j && a == 0 && b == 0 && c == 0 {
							continue
						}
						r2 := 0.0
						for k := range 3 {
							d := pos[3*j+k] - pos[3*i+k] + float64(a)*cell[k] + float64(b)*cell[3+k] + float64(c)*cell[6+k]
							r2 += d * d
						}
						if r2 <= cutoff*cutoff {
							out[edge{i, j, [3]int{a, b, c}}] = math.Sqrt(r2)
						}
					}
				}
			}
		}
	}
	return out
}

func drawCell(t *rapid.T, size float64) *[9]float64 {
	if rapid.Bool().Draw(t, "open") {
		return nil
	}
	var cell [9]float64
	for d := range 3 {
		for k := range 3 {
			cell[3*d+k] = rapid.Float64Range(-0.4, 0.4).Draw(t, "skew") * size
		}
		cell[4*d] = rapid.Float64Range(0.9, 1.6).Draw(t, "edge") * size
	}
	if rapid.Bool().Draw(t, "left-handed") {
		for k := range 3 {
			cell[k], cell[3+k] = cell[3+k], cell[k]
		}
	}
	return &cell
}

func TestAgreesWithBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Float64Range(1.5, 9).Draw(t, "size")
		cutoff := rapid.Float64Range(0.5, 4).Draw(t, "cutoff")
		cell := drawCell(t, size)
		n := rapid.IntRange(0, 9).Draw(t, "atoms")
		pos := make([]float64, 3*n)
		for k := range pos {
			pos[k] = rapid.Float64Range(-1.5, 1.5).Draw(t, "x") * size
		}
		isVirtual := rapid.SliceOfN(rapid.IntRange(0, 4), n, n).Draw(t, "virtual")
		virtual := func(i int) bool { return isVirtual[i] == 0 }

		list, err := neighbor.Build(pos, cell, virtual, cutoff, 0)
		if errors.Is(err, neighbor.ErrOverlap) || errors.Is(err, neighbor.ErrCell) {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
		want := bruteForce(pos, cell, virtual, cutoff, 14)
		got := map[edge]float64{}
		for i := range n {
			for e := list.Start[i]; e < list.Start[i+1]; e++ {
				s := list.Shift[e]
				got[edge{i, int(list.Neighbor[e]), [3]int{int(s[0]), int(s[1]), int(s[2])}}] = list.Dist[e]
			}
		}
		if len(got) != len(list.Neighbor) {
			t.Fatalf("%d edges, of which %d are different", len(list.Neighbor), len(got))
		}
		for e, r := range want {
			if g, ok := got[e]; !ok && r < cutoff-1e-9 {
				t.Fatalf("edge %v of %g Å is missing", e, r)
			} else if ok && math.Abs(g-r) > 1e-9 {
				t.Fatalf("edge %v is %g Å long, want %g", e, g, r)
			}
		}
		for e, r := range got {
			if _, ok := want[e]; !ok && r < cutoff-1e-9 {
				t.Fatalf("edge %v of %g Å should not be there", e, r)
			}
		}
	})
}

// gas returns n atoms in a cube of side Å, none nearer than about 0.7 Å.
func gas(n int, side float64) ([]float64, [9]float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	per := int(math.Ceil(math.Cbrt(float64(n))))
	step := side / float64(per)
	pos := make([]float64, 0, 3*n)
	for i := range n {
		for _, k := range [3]int{i % per, i / per % per, i / per / per} {
			pos = append(pos, (float64(k)+0.5*rng.Float64())*step)
		}
	}
	return pos, [9]float64{side, 0, 0, 0, side, 0, 0, 0, side}
}

func TestOrderLimitAndSymmetry(t *testing.T) {
	pos, cell := gas(300, 15)
	all, err := neighbor.Build(pos, &cell, nil, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 20
	cut, err := neighbor.Build(pos, &cell, nil, 4, limit)
	if err != nil {
		t.Fatal(err)
	}
	if all.Dropped != 0 || cut.Dropped != len(all.Neighbor)-len(cut.Neighbor) || cut.Dropped == 0 || cut.MaxFound != all.MaxFound {
		t.Errorf("dropped %d and %d, largest %d and %d, of %d and %d edges", all.Dropped, cut.Dropped, all.MaxFound, cut.MaxFound, len(all.Neighbor), len(cut.Neighbor))
	}
	type line struct {
		from, to int32
		delta    [3]float64
	}
	lines := map[line]bool{}
	for i := range int32(300) {
		a, b := all.Dist[all.Start[i]:all.Start[i+1]], cut.Dist[cut.Start[i]:cut.Start[i+1]]
		if !slices.IsSorted(a) {
			t.Fatalf("neighbours of atom %d do not ascend: %v", i, a)
		}
		if !slices.Equal(a[:min(limit, len(a))], b) {
			t.Fatalf("atom %d keeps %v, want the nearest %d of %v", i, b, limit, a)
		}
		for e := all.Start[i]; e < all.Start[i+1]; e++ {
			lines[line{i, all.Neighbor[e], [3]float64(all.Delta[3*e : 3*e+3])}] = true
		}
	}
	for l := range lines {
		if !lines[line{l.to, l.from, [3]float64{-l.delta[0], -l.delta[1], -l.delta[2]}}] {
			t.Fatalf("edge %v has no exact reverse", l)
		}
	}
}

func TestExactPlaces(t *testing.T) {
	one := [9]float64{1, 0, 0, 0, 1, 0, 0, 0, 1}
	for _, c := range []struct {
		name   string
		pos    []float64
		cell   *[9]float64
		cutoff float64
		edges  int
		shift  [3]int32 // of the first edge
	}{
		{"no atoms", nil, &one, 1, 0, [3]int32{}},
		{"alone in the open", []float64{1, 2, 3}, nil, 5, 0, [3]int32{}},
		{"own images at exactly the cut-off", []float64{0, 0, 0}, &one, 1, 6, [3]int32{-1, 0, 0}},
		{"own images, two shells", []float64{0.3, 0.3, 0.3}, &one, math.Sqrt(2), 18, [3]int32{-1, 0, 0}},
		{"pair in the open at exactly the cut-off", []float64{0, 0, 0, 2, 0, 0}, nil, 2, 2, [3]int32{}},
		{"far outside the cell", []float64{0.5, 0.5, 0.5, 1000.5, 0.5, 0.6}, &[9]float64{9, 0, 0, 0, 9, 0, 0, 0, 9}, 1.1, 2, [3]int32{-111, 0, 0}},
		{"pair a light year apart", []float64{0, 0, 0, 1e26, 0, 0}, nil, 2, 0, [3]int32{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := neighbor.Build(c.pos, c.cell, nil, c.cutoff, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(list.Neighbor) != c.edges {
				t.Fatalf("%d edges, want %d: %v", len(list.Neighbor), c.edges, list.Dist)
			}
			if c.edges > 0 && list.Shift[0] != c.shift {
				t.Errorf("first edge has shift %v, want %v", list.Shift[0], c.shift)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	cube := func(a float64) *[9]float64 { return &[9]float64{a, 0, 0, 0, a, 0, 0, 0, a} }
	two := []float64{0, 0, 0, 1, 1, 1}
	crowd := make([]float64, 3*70000)
	for i := range crowd {
		crowd[i] = float64(i%3)*1e-3 + float64(i)*1e-5
	}
	for _, c := range []struct {
		name   string
		pos    []float64
		cell   *[9]float64
		cutoff float64
		limit  int
		want   error
	}{
		{"odd length", []float64{1, 2}, nil, 1, 0, neighbor.ErrInput},
		{"NaN", []float64{0, math.NaN(), 0}, nil, 1, 0, neighbor.ErrInput},
		{"infinite", []float64{0, math.Inf(1), 0}, cube(3), 1, 0, neighbor.ErrInput},
		{"zero cut-off", two, nil, 0, 0, neighbor.ErrInput},
		{"NaN cut-off", two, nil, math.NaN(), 0, neighbor.ErrInput},
		{"negative limit", two, nil, 1, -1, neighbor.ErrInput},
		{"flat cell", two, &[9]float64{1, 0, 0, 0, 1, 0, 1, 1, 0}, 1, 0, neighbor.ErrCell},
		{"zero cell", two, &[9]float64{}, 1, 0, neighbor.ErrCell},
		{"NaN cell", two, cube(math.NaN()), 1, 0, neighbor.ErrCell},
		{"cell in the wrong unit", two, cube(1e-9), 1, 0, neighbor.ErrCell},
		{"far beyond all cells", []float64{1e30, 0, 0}, cube(3), 1, 0, neighbor.ErrInput},
		{"duplicate atom", []float64{1, 1, 1, 1, 1, 1}, nil, 1, 0, neighbor.ErrOverlap},
		{"duplicate through the border", []float64{0, 1, 1, 5, 1, 1}, cube(5), 1, 0, neighbor.ErrOverlap},
		{"crowd", crowd, nil, 100, 0, neighbor.ErrDense},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := neighbor.Build(c.pos, c.cell, nil, c.cutoff, c.limit); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestVirtualAtomsAreNotRead(t *testing.T) {
	pos := []float64{0, 0, 0, math.NaN(), 0, 0, 1, 0, 0}
	list, err := neighbor.Build(pos, nil, func(i int) bool { return i == 1 }, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 1, 1, 2}; !slices.Equal(list.Start, want) {
		t.Errorf("starts %v, want %v", list.Start, want)
	}
	if want := []int32{2, 0}; !slices.Equal(list.Neighbor, want) {
		t.Errorf("neighbours %v, want %v", list.Neighbor, want)
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(map[int]string{1_000: "1k", 10_000: "10k", 100_000: "100k"}[n], func(b *testing.B) {
			pos, cell := gas(n, math.Cbrt(float64(n)/0.1)) // the density of water
			for b.Loop() {
				if _, err := neighbor.Build(pos, &cell, nil, 6, 120); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/atom")
		})
	}
}
