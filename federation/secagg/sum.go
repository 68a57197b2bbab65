package secagg

import "fmt"

// Sum verifies the transcript and returns the sum of the survivors' values, exact in Z_2^Bits. Anyone can call it.
// Errors: ErrThreshold when statements or unmask shares are too few, ErrView when messages are missing or not those
// that were stated, *Fault naming a member proven to have cheated.
func Sum(s Session, in Transcript) ([]uint32, error) {
	o, err := Open(s, in)
	if err != nil {
		return nil, err
	}
	for _, i := range o.survivors {
		m := in.Masked[i]
		if !m.Complete() || len(m.Chunks) != s.Chunks() {
			return nil, fmt.Errorf("secagg sum: chunks of the masked input of survivor %d are missing: fetch them", i)
		}
	}
	return o.sum(0, s.Chunks(), func(i, c int) []byte { return in.Masked[i].Chunks[c] })
}

// SumChunk returns chunk c of the sum from that chunk of every survivor's masked input, by member.
func (o *Opening) SumChunk(c int, chunk map[int][]byte) ([]uint32, error) {
	if n := o.ring.chunks(o.lanes); c < 0 || c >= n {
		return nil, fmt.Errorf("secagg sum: chunk %d of %d", c, n)
	}
	return o.sum(c, c+1, func(i, _ int) []byte { return chunk[i] })
}

// sum adds up the chunks from first to before last, which data returns by member and number.
func (o *Opening) sum(first, last int, data func(member, c int) []byte) ([]uint32, error) {
	errs := make([]error, (last-first)*len(o.survivors))
	parallel(len(errs), func(k int, _ *none) {
		i, c := o.survivors[k%len(o.survivors)], first+k/len(o.survivors)
		h := o.headers[i]
		errs[k] = h.check(o.ring, c, data(i, c))
	})
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("secagg sum: %w", err)
		}
	}
	start := first * o.ring.chunkLanes()
	sum := make([]uint32, min(o.lanes, last*o.ring.chunkLanes())-start)
	eachSpan(o.ring, o.lanes, first, last, func(s span, t *tally) {
		t.begin(o.ring, s.size)
		for _, i := range o.survivors {
			t.addBytes(data(i, s.chunk)[s.from:][:s.size])
		}
		t.addPads(o.pads, s.at)
		t.lanes(sum[s.lane-start:][:s.size/int(o.ring)])
	})
	return sum, nil
}
