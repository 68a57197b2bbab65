package secagg

import "fmt"

// Sum verifies the transcript and returns the sum of the survivors' values, exact in Z_2^Bits; of a session with cohorts, their
// sums one after the other. Anyone can call it.
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
	var sums []uint32
	for g := range o.parts {
		sum, err := o.sum(&o.parts[g], 0, s.Chunks(), func(i, c int) []byte { return in.Masked[i].Chunks[c] })
		if err != nil {
			return nil, err
		}
		sums = append(sums, sum...)
	}
	return sums, nil
}

// SumChunk returns chunk c of the sum from that chunk of every survivor's masked input, by member. It is for a session without
// cohorts.
func (o *Opening) SumChunk(c int, chunk map[int][]byte) ([]uint32, error) {
	if len(o.parts) != 1 {
		return nil, fmt.Errorf("secagg sum: the session has sums of %d cohorts: add each up with SumPart", len(o.parts))
	}
	return o.SumPart(0, c, chunk)
}

// SumPart returns chunk c of a sum, see Parts, from that chunk of the masked inputs of those who are in it.
func (o *Opening) SumPart(part, c int, chunk map[int][]byte) ([]uint32, error) {
	if n := o.ring.chunks(o.lanes); c < 0 || c >= n || part < 0 || part >= len(o.parts) {
		return nil, fmt.Errorf("secagg sum: chunk %d of %d in sum %d of %d", c, n, part, len(o.parts))
	}
	return o.sum(&o.parts[part], c, c+1, func(i, _ int) []byte { return chunk[i] })
}

// sum adds up the chunks of a part from first to before last, which data returns by member and number.
func (o *Opening) sum(p *part, first, last int, data func(member, c int) []byte) ([]uint32, error) {
	errs := make([]error, (last-first)*len(p.survivors))
	parallel(len(errs), func(k int, _ *none) {
		i, c := p.survivors[k%len(p.survivors)], first+k/len(p.survivors)
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
		for _, i := range p.survivors {
			t.addBytes(data(i, s.chunk)[s.from:][:s.size])
		}
		t.addPads(p.pads, s.at)
		t.lanes(sum[s.lane-start:][:s.size/int(o.ring)])
	})
	return sum, nil
}
