package dpa2

// triples are the pairs (j, k) of neighbours that the three-body block computes; θ is symmetric. G is too where j and k
// are of one type, so (k, j) is left out and (j, k) counts twice. With embeddings concatenated, G of different types
// depends on their order, so both are kept. In strip mode it is linear in what depends on the order, so one will do,
// with the mean of both tables. Triples are in the order of the ordered pairs; in strip mode, those of one atom and one pair of
// types lie side by side.
type triples struct {
	strip        bool
	pair         []int32 // number of the ordered pair, as graph.Pairs counts them
	weight       []uint8
	centre, kind []int32 // unless strip
	groups       groups  // strip

	before int   // ordered pairs of the atoms so far
	runs   []run // of the atom under way
}

// clear empties all lists and makes room for n triples.
func (t *triples) clear(n int) {
	room(n, &t.pair)
	room(n, &t.weight)
	if t.strip {
		room(n, &t.groups.of)
	} else {
		room(n, &t.centre, &t.kind)
	}
	t.groups.clear()
	t.before = 0
}

// add appends the triples of an atom whose neighbours have the given types, those of one type side by side.
func (t *triples) add(centre int32, types []int32, kinds *kinds) {
	t.runs = appendRuns(t.runs[:0], types)
	if t.strip {
		t.addGroups(centre, types, kinds)
	} else {
		t.addRows(centre, types, kinds)
	}
	t.before += len(types) * len(types)
}

// addRows appends, neighbour by neighbour, the triples of an atom whose types have been cut into runs.
func (t *triples) addRows(centre int32, types []int32, kinds *kinds) {
	for a, left := range t.runs {
		for j := left.from; j < left.to; j++ {
			for b, right := range t.runs {
				t.addRow(j, right, len(types), a == b)
				kind, n := kinds.number(types[left.from], types[right.from]), len(t.pair)
				for len(t.centre) < n {
					t.centre = append(t.centre, centre)
					t.kind = append(t.kind, kind)
				}
			}
		}
	}
}

// addGroups appends, run by run, the triples of an atom in strip mode.
func (t *triples) addGroups(centre int32, types []int32, kinds *kinds) {
	for a, left := range t.runs {
		for _, right := range t.runs[a:] {
			for j := left.from; j < left.to; j++ {
				t.addRow(j, right, len(types), left == right)
			}
			kind := kinds.number(types[left.from], types[right.from])
			t.groups.add(centre, kind, len(t.pair)-len(t.groups.of))
		}
	}
}

// addRow appends the pairs of neighbour j, of n, and those of a run; those with j ≤ k only if it is j's own.
func (t *triples) addRow(j int, right run, n int, own bool) {
	weight := uint8(1)
	if t.strip || own {
		weight = 2
	}
	pair, weights := t.pair, t.weight
	row, k := t.before+j*n, right.from
	if own {
		pair = append(pair, int32(row+j))
		weights = append(weights, 1)
		k = j + 1
	}
	for ; k < right.to; k++ {
		pair = append(pair, int32(row+k))
		weights = append(weights, weight)
	}
	t.pair, t.weight = pair, weights
}

// run is a stretch of equal numbers: from (included) to (excluded).
type run struct{ from, to int }

func appendRuns(out []run, list []int32) []run {
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
	for i := range s.types {
		list := near.edge[near.start[i]:near.start[i+1]]
		total += len(list) * len(list)
		merged := 0 // earlier neighbours k of neighbour j whose pair (j, k) is left out
		for j, e := range list {
			if j > 0 && !strip && s.types[s.neighbor[e]] != s.types[s.neighbor[list[j-1]]] {
				merged = 0
			}
			total -= merged
			merged++
		}
	}
	return total
}
