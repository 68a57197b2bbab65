package dpa2

// triples are the pairs (j, k) of neighbours that the three-body block computes; θ is symmetric. G is too where j and k
// are of one type, so (k, j) is left out and (j, k) counts twice. With embeddings concatenated, G of different types
// depends on their order, so both are kept. In strip mode it is linear in what depends on the order, so one will do,
// with the mean of both tables. Triples of one atom and one pair of types lie side by side.
type triples struct {
	pair   []int32 // number of the ordered pair, as graph.Pairs counts them
	centre []int32
	kind   []int32
	weight []float64
	groups groups

	before int // ordered pairs of the atoms so far
}

func newTriples(capacity int) triples {
	ints := func() []int32 { return make([]int32, 0, capacity) }
	return triples{pair: ints(), centre: ints(), kind: ints(), weight: make([]float64, 0, capacity), groups: groups{of: ints()}}
}

// add appends the triples of an atom whose neighbours have the given types, those of one type side by side.
func (t *triples) add(centre int32, types []int32, strip bool, kinds *kinds) {
	list := runs(types)
	for a, left := range list {
		for b, right := range list {
			if strip && b < a {
				continue
			}
			kind := kinds.number(types[left.from], types[right.from])
			merged := strip || a == b
			for j := left.from; j < left.to; j++ {
				for k := right.from; k < right.to; k++ {
					if a == b && k < j {
						continue
					}
					t.pair = append(t.pair, int32(t.before+j*len(types)+k))
					t.centre = append(t.centre, centre)
					t.kind = append(t.kind, kind)
					t.weight = append(t.weight, 1+one(merged && k != j))
					t.groups.add(centre, kind)
				}
			}
		}
	}
	t.before += len(types) * len(types)
}

// run is a stretch of equal numbers: from (included) to (excluded).
type run struct{ from, to int }

func runs(list []int32) []run {
	var out []run
	for k, v := range list {
		if k == 0 || v != list[k-1] {
			out = append(out, run{from: k})
		}
		out[len(out)-1].to = k + 1
	}
	return out
}

// numTriples returns the number of triples of the sample.
func (s *Sample) numTriples(strip bool) int {
	total, near := 0, &s.near[nearThree]
	count := map[int32]int{}
	for i := range s.types {
		list := near.edge[near.start[i]:near.start[i+1]]
		n := len(list)
		if strip {
			total += n * (n + 1) / 2
			continue
		}
		clear(count)
		for _, e := range list {
			count[lookup(s.types[s.neighbor[e]])]++
		}
		total += n * n
		for _, same := range count {
			total -= same * (same - 1) / 2
		}
	}
	return total
}
