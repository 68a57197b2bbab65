package dpa2

// triples are the pairs (j, k) of neighbours that the three-body block computes; θ is symmetric. G is too where j and k
// are of one type, so (k, j) is left out and (j, k) counts twice. With embeddings concatenated, G of different types
// depends on their order, so both are kept. In strip mode it is linear in what depends on the order, so one will do,
// with the mean of both tables.
type triples struct {
	pair   []int32 // number of the ordered pair, as graph.Pairs counts them
	centre []int32
	kind   []int32
	weight []float64

	before int // ordered pairs of the atoms so far
}

func newTriples(capacity int) triples {
	return triples{
		pair: make([]int32, 0, capacity), centre: make([]int32, 0, capacity),
		kind: make([]int32, 0, capacity), weight: make([]float64, 0, capacity),
	}
}

// add appends the triples of an atom whose neighbours have the given types.
func (t *triples) add(centre int32, types []int32, strip bool, kinds *kinds) {
	n := len(types)
	for j, left := range types {
		for k, right := range types {
			merged := strip || left == right
			if merged && k < j {
				continue
			}
			t.pair = append(t.pair, int32(t.before+j*n+k))
			t.centre = append(t.centre, centre)
			t.kind = append(t.kind, kinds.number(left, right))
			t.weight = append(t.weight, 1+one(merged && k > j))
		}
	}
	t.before += n * n
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
