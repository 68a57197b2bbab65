package kerneltest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

func reductions[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, rows := range []int{0, 1, 2, 7, 100} {
		for _, cols := range []int{1, 2, 3, 8, 17, 128} {
			a := random[F](rng, rows*cols)
			byRow, byCol, total := make([]float64, rows), make([]float64, cols), 0.0
			for i, x := range a {
				byRow[i/cols] += float64(x)
				byCol[i%cols] += float64(x)
				total += float64(x)
			}
			near(t, []float64{k.Sum(a)}, []float64{total}, nil, 1e-12, "Sum of %d", len(a))
			dst, check := guarded[F](rows)
			k.SumEachRow(dst, a, cols)
			check(t)
			near(t, dst, byRow, nil, epsilon[F]()*float64(cols), "SumEachRow %d x %d", rows, cols)
			sum, checkSum := guarded[float64](cols)
			clear(sum)
			k.AddRows(sum, a)
			k.AddRows(sum, a)
			checkSum(t)
			for c := range byCol {
				byCol[c] *= 2
			}
			near(t, sum, byCol, nil, 1e-12, "AddRows %d x %d", rows, cols)
		}
	}
}

// layout is a random cut of rows into segments; segments beyond the first and last exist to be left alone.
type layout struct {
	start, pair []int32
	rows, pairs int
	first, last int
}

func newLayout(rng *rand.Rand, segments, most int) layout {
	l := layout{start: []int32{0}, pair: []int32{0}}
	for range segments {
		n := rng.IntN(most + 1)
		l.rows += n
		l.pairs += n * n
		l.start = append(l.start, int32(l.rows))
		l.pair = append(l.pair, int32(l.pairs))
	}
	l.first = rng.IntN(segments/3 + 1)
	l.last = segments - rng.IntN(segments/3+1)
	return l
}

// owner returns the segment of a row.
func (l layout) owner(row int) int {
	for s := range len(l.start) - 1 {
		if row < int(l.start[s+1]) {
			return s
		}
	}
	panic("kerneltest: row beyond the last segment")
}

// inside reports whether the row belongs to the segments asked for.
func (l layout) inside(row int) bool { s := l.owner(row); return l.first <= s && s < l.last }

var segmentCases = []struct{ segments, most, p, q int }{
	{0, 0, 1, 1}, {1, 0, 2, 3}, {1, 1, 1, 1}, {5, 3, 4, 8}, {7, 20, 4, 25}, {9, 30, 3, 17}, {4, 40, 16, 16}, {6, 12, 5, 33},
}

func segments[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, c := range segmentCases {
		for range 3 {
			l := newLayout(rng, c.segments, c.most)
			outerAndApply(t, k, rng, l, c.p, c.q)
			scatter(t, k, rng, l, c.p*c.q)
			scatter(t, k, rng, l, c.p)
			spread(t, k, rng, l.rows, c.p)
		}
	}
}

func outerAndApply[F kernels.Float](t *testing.T, k Kernels[F], rng *rand.Rand, l layout, p, q int) {
	n := len(l.start) - 1
	a, b, g := random[F](rng, l.rows*p), random[F](rng, l.rows*q), random[F](rng, n*p*q)
	outer, apply, applyT := untouched(n*p*q), untouched(l.rows*p), untouched(l.rows*q)
	for i := l.first * p * q; i < l.last*p*q; i++ {
		outer[i] = 0
	}
	for r := range l.rows {
		if !l.inside(r) {
			continue
		}
		s := l.owner(r)
		clear(apply[r*p : (r+1)*p])
		clear(applyT[r*q : (r+1)*q])
		for i := range p {
			for j := range q {
				at := s*p*q + i*q + j
				outer[at] += float64(a[r*p+i]) * float64(b[r*q+j])
				apply[r*p+i] += float64(g[at]) * float64(b[r*q+j])
				applyT[r*q+j] += float64(g[at]) * float64(a[r*p+i])
			}
		}
	}
	rowApply := func(dst, a, b []F, start []int32, first, last, p, q int) {
		scratch, check := guarded[F](p * q)
		k.RowApply(dst, a, b, start, first, last, p, q, scratch)
		check(t)
	}
	tol := 60 * epsilon[F]()
	for _, f := range []struct {
		name string
		call func(dst, a, b []F, start []int32, first, last, p, q int)
		x, y []F
		want []float64
	}{
		{"SegOuter", k.SegOuter, a, b, outer}, {"RowApply", rowApply, g, b, apply}, {"RowApplyT", k.RowApplyT, g, a, applyT},
	} {
		dst, check := guarded[F](len(f.want))
		f.call(dst, f.x, f.y, l.start, l.first, l.last, p, q)
		check(t)
		near(t, dst, f.want, nil, tol, "%s %d segments %d x %d", f.name, n, p, q)
	}
}

// untouched returns n guards: what a result holds where nothing is written.
func untouched(n int) []float64 {
	x := make([]float64, n)
	kernels.Fill(x, guard)
	return x
}

func scatter[F kernels.Float](t *testing.T, k Kernels[F], rng *rand.Rand, l layout, cols int) {
	n := len(l.start) - 1
	list := make([]int32, l.rows)
	for i, v := range rng.Perm(l.rows) {
		list[i] = int32(v)
	}
	src := random[F](rng, l.rows*cols)
	for _, some := range [][]int32{list, nil} {
		want := untouched(n * cols)
		clear(want[l.first*cols : l.last*cols])
		for e := range l.rows {
			r := e
			if some != nil {
				r = int(some[e])
			}
			if s := l.owner(e); l.inside(e) {
				for c := range cols {
					want[s*cols+c] += float64(src[r*cols+c])
				}
			}
		}
		dst, check := guarded[F](n * cols)
		k.Scatter(dst, src, l.start, some, l.first, l.last, cols)
		check(t)
		near(t, dst, want, nil, 60*epsilon[F](), "Scatter %d columns", cols)
	}
}

// spread copies some rows to a permutation of more.
func spread[F kernels.Float](t *testing.T, k Kernels[F], rng *rand.Rand, rows, cols int) {
	src := random[F](rng, rows*cols)
	index := make([]int32, 0, 2*rows+1)
	for _, v := range rng.Perm(2*rows + 1) {
		index = append(index, int32(v))
	}
	index = index[:rows]
	want := make([]F, (2*rows+1)*cols)
	for r, i := range index {
		copy(want[int(i)*cols:], src[r*cols:(r+1)*cols])
	}
	dst, check := guarded[F](len(want))
	k.Spread(dst, src, index, cols)
	check(t)
	same(t, dst, want, "Spread %d rows of %d columns", rows, cols)
	spreadAscending(t, k, rng, src, index, cols)
}

// spreadAscending compares the pieces of an ascending index with the whole.
func spreadAscending[F kernels.Float](t *testing.T, k Kernels[F], rng *rand.Rand, src []F, index []int32, cols int) {
	index = slices.Sorted(slices.Values(index))
	rows := len(index)
	want := make([]F, (2*rows+1)*cols)
	k.Spread(want, src, index, cols)
	dst, check := guarded[F](len(want))
	cuts := []int{0, rng.IntN(rows + 1), rng.IntN(rows + 1), rows}
	slices.Sort(cuts)
	for p := range 3 {
		if p == 0 || cuts[p] < cuts[p+1] { // as pieces of work are: none is empty but the only one
			k.SpreadAscending(dst, src, index, cuts[p], cuts[p+1], cols)
		}
	}
	check(t)
	same(t, dst, want, "SpreadAscending %d rows of %d columns, pieces %v", rows, cols, cuts)
}

func softmax[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(13, 14))
	for _, c := range segmentCases {
		for _, cols := range []int{1, 2, 3, 4, 5, 8, 16, 33} {
			for _, phantoms := range []bool{false, true} {
				softmaxCase(t, k, rng, newLayout(rng, c.segments, c.most), cols, phantoms)
			}
		}
	}
}

func softmaxCase[F kernels.Float](t *testing.T, k Kernels[F], rng *rand.Rand, l layout, cols int, phantoms bool) {
	t.Helper()
	x := random[F](rng, l.rows*cols)
	for i := range x {
		x[i] *= 50 // far apart, so that the largest must be taken out first
	}
	if len(x) > 2 {
		x[len(x)/2] = F(math.NaN())
		x[len(x)/3] = F(math.Inf(-1))
	}
	const value = -20.0
	var phantom []F
	if phantoms {
		phantom = make([]F, len(l.start)-1)
		for s := range phantom {
			phantom[s] = F(rng.IntN(4))
		}
	}
	want := softmaxWant(l, x, phantom, value, cols)
	scratch := make([]float64, len(l.start)*cols)
	dst, check := guarded[F](len(x))
	k.SegSoftmax(dst, x, phantom, value, l.start, l.first, l.last, cols, scratch)
	check(t)
	near(t, dst, want, nil, 20*epsilon[F](), "%d segments of %d columns, phantoms %v", len(l.start)-1, cols, phantoms)

	place, check := guarded[F](len(x))
	from, to := int(l.start[l.first])*cols, int(l.start[l.last])*cols
	copy(place[from:to], x[from:to])
	k.SegSoftmax(place, place, phantom, value, l.start, l.first, l.last, cols, scratch)
	check(t)
	same(t, place, dst, "in place, %d columns", cols)
}

func softmaxWant[F kernels.Float](l layout, x, phantom []F, value float64, cols int) []float64 {
	want := untouched(len(x))
	for s := l.first; s < l.last; s++ {
		for c := range cols {
			sum := 0.0
			if phantom != nil {
				sum = float64(phantom[s]) * math.Exp(value)
			}
			for e := int(l.start[s]); e < int(l.start[s+1]); e++ {
				sum += math.Exp(float64(x[e*cols+c]))
			}
			for e := int(l.start[s]); e < int(l.start[s+1]); e++ {
				want[e*cols+c] = math.Exp(float64(x[e*cols+c])) / sum
			}
		}
	}
	return want
}

func pairs[F kernels.Float](t *testing.T, k Kernels[F]) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, c := range segmentCases {
		for _, hd := range [][2]int{{1, 1}, {1, 3}, {4, 1}, {2, 5}, {4, 4}, {4, 16}, {4, 32}, {4, 6}, {3, 33}} {
			l := newLayout(rng, c.segments, c.most)
			heads, d := hd[0], hd[1]
			w := heads * d
			a, b, weight := random[F](rng, l.rows*w), random[F](rng, l.rows*w), random[F](rng, l.pairs*heads)
			dotWant, apply, applyT := untouched(l.pairs*heads), untouched(l.rows*w), untouched(l.rows*w)
			for s := l.first; s < l.last; s++ {
				from, to := int(l.start[s]), int(l.start[s+1])
				clear(dotWant[int(l.pair[s])*heads : int(l.pair[s+1])*heads])
				clear(apply[from*w : to*w])
				clear(applyT[from*w : to*w])
				for j := from; j < to; j++ {
					for kk := from; kk < to; kk++ {
						p := int(l.pair[s]) + (j-from)*(to-from) + kk - from
						for c := range w {
							h := c / d
							dotWant[p*heads+h] += float64(a[j*w+c]) * float64(b[kk*w+c])
							apply[j*w+c] += float64(weight[p*heads+h]) * float64(b[kk*w+c])
							applyT[kk*w+c] += float64(weight[p*heads+h]) * float64(a[j*w+c])
						}
					}
				}
			}
			pairDot := func(dst, a, b []F, start, pair []int32, first, last, heads, d int) {
				scratch, check := guarded[F](kernels.PairDotScratch(c.most, heads, d))
				k.PairDot(dst, a, b, start, pair, first, last, heads, d, scratch)
				check(t)
			}
			for _, f := range []struct {
				name string
				call func(dst, a, b []F, start, pair []int32, first, last, heads, d int)
				x, y []F
				want []float64
			}{
				{"PairDot", pairDot, a, b, dotWant}, {"PairApply", k.PairApply, weight, b, apply},
				{"PairApplyT", k.PairApplyT, weight, a, applyT},
			} {
				dst, check := guarded[F](len(f.want))
				f.call(dst, f.x, f.y, l.start, l.pair, l.first, l.last, heads, d)
				check(t)
				near(t, dst, f.want, nil, 60*epsilon[F](), "%s %d segments, %d heads of %d", f.name, c.segments, heads, d)
			}
		}
	}
}
