package secagg

import (
	"encoding/binary"
	"slices"
)

// An Opening holds the rebuilt seeds of a session; chunks can be summed one by one, in any order, concurrently.
// Its seeds are public: they open nothing but the sum.
type Opening struct {
	ring      ring
	lanes     int
	survivors []int
	parts     []part // one, or one for each cohort
	headers   map[int]MaskedHeader
	public    publicMasks
	root      [32]byte
}

// A part is what is summed together.
type part struct {
	survivors []int
	pads      []pad // to be added to the sum of the masked inputs
}

// Open verifies everything but the chunks and rebuilds the seeds. Errors are those of Sum.
func Open(s Session, in Transcript) (*Opening, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return open(s, in)
}

// open is Open of a session that is known to protect its members.
func open(s Session, in Transcript) (*Opening, error) {
	st, err := in.agreed(&s)
	if err != nil {
		return nil, err
	}
	keys, shares, err := in.dealers(&s, &st)
	if err != nil {
		return nil, err
	}
	headers, err := in.headers(&s, &st)
	if err != nil {
		return nil, err
	}
	openers, err := in.openers(&s, &st, shares)
	if err != nil {
		return nil, err
	}
	o := &Opening{ring: s.ring(), lanes: s.Lanes, headers: headers}
	o.survivors = st.members()
	for _, list := range s.Parts(o.survivors) {
		o.parts = append(o.parts, part{survivors: list})
	}
	r := rebuilder{s: &s, sid: s.key(), keys: keys, shares: shares, survivors: o.survivors, openers: openers[:s.Threshold], unmasks: in.Unmasks}
	if r.points, err = newInterpolation(r.openers); err != nil {
		return nil, err
	}
	dealers := sorted(shares)
	seeds := make([]rebuilt, len(dealers))
	parallel(len(dealers), func(k int, _ *none) { seeds[k] = r.member(k, dealers[k], st.has(dealers[k])) })
	o.public = publicMasks{map[int][32]byte{}, map[int]map[int][32]byte{}}
	opened := r.sid.hash("opened seeds")
	for k, seed := range seeds {
		if seed.err != nil {
			return nil, seed.err
		}
		o.takeOff(seed.masks)
		o.public.add(dealers[k], seed.masks)
		opened.Write(binary.BigEndian.AppendUint16(nil, uint16(dealers[k])))
		opened.Write(seed.value[:])
	}
	o.root = sum32(opened)
	return o, nil
}

// takeOff has masks added to the sum that the input is in which they come from.
func (o *Opening) takeOff(masks []mask) {
	for g := range o.parts {
		var own []mask
		for _, m := range masks {
			if slices.Contains(o.parts[g].survivors, m.of) {
				own = append(own, m)
			}
		}
		o.parts[g].pads = append(o.parts[g].pads, newPads(own)...)
	}
}

// Parts returns who is summed together, ascending, for each sum: of one sum over all, or of each cohort.
func (o *Opening) Parts() [][]int {
	out := make([][]int, len(o.parts))
	for g := range o.parts {
		out[g] = slices.Clone(o.parts[g].survivors)
	}
	return out
}

// Survivors returns the indices of the members in the sum, ascending.
func (o *Opening) Survivors() []int { return append([]int(nil), o.survivors...) }

// Root binds all opened secrets; it goes into the round record.
func (o *Opening) Root() [32]byte { return o.root }
