package secagg

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cloudflare/circl/kem/xwing"
)

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

// An Opening holds the rebuilt seeds of a session; chunks can be summed one by one, in any order, concurrently.
// Its seeds are public: they open nothing but the sum.
type Opening struct {
	ring      ring
	lanes     int
	survivors []int
	headers   map[int]MaskedHeader
	pads      []pad // to be added to the sum of the masked inputs
	public    publicMasks
	root      [32]byte
}

// Open verifies everything but the chunks and rebuilds the seeds. Errors are those of Sum.
func Open(s Session, in Transcript) (*Opening, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
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
	for _, v := range st.List {
		o.survivors = append(o.survivors, v.Member)
	}
	r := rebuilder{s: &s, sid: s.key(), keys: keys, shares: shares, survivors: o.survivors, openers: openers[:s.Threshold], unmasks: in.Unmasks,
		public: publicMasks{map[int][32]byte{}, map[int]map[int][32]byte{}}}
	opened := r.sid.hash("opened seeds")
	for k, i := range sorted(shares) {
		value, masks, err := r.member(k, i, st.has(i))
		if err != nil {
			return nil, err
		}
		o.pads = append(o.pads, newPads(masks)...)
		opened.Write(binary.BigEndian.AppendUint16(nil, uint16(i)))
		opened.Write(value[:])
	}
	o.root, o.public = sum32(opened), r.public
	return o, nil
}

// rebuilder turns opened shares back into seeds.
type rebuilder struct {
	s         *Session
	sid       keyed
	keys      map[int]Keys
	shares    map[int]Shares
	survivors []int
	openers   []int // exactly Threshold
	unmasks   map[int]Unmask
	public    publicMasks
}

// member rebuilds the secret of dealer i, the k-th of the view, and returns it with the masks that its messages left in
// the sum.
func (r *rebuilder) member(k, i int, alive bool) ([32]byte, []mask, error) {
	which := SecretZ
	if alive {
		which = SecretB
	}
	opened := make([][32]byte, len(r.openers))
	for n, j := range r.openers {
		opened[n] = r.unmasks[j].Opened[k].Share
	}
	value, err := combine(r.openers, opened)
	if err != nil {
		return value, nil, err
	}
	if !r.dealtAs(i, which, value) {
		return value, nil, &Fault{Member: i, What: "the shares it dealt are not those of one secret"}
	}
	if alive {
		if commitment(r.sid, i, value) != r.keys[i].Commitment {
			return value, nil, &Fault{Member: i, What: "its self-mask is not the one it committed to"}
		}
		key := selfMask(r.sid, i, value)
		r.public.self[i] = key
		return value, []mask{{key: key, negative: true}}, nil
	}
	masks, err := r.pairMasks(i, value)
	return value, masks, err
}

// dealtAs deals the secret again and compares every leaf.
func (r *rebuilder) dealtAs(i int, which Secret, value [32]byte) bool {
	again := deal(r.sid, i, which, value, r.s.Threshold)
	deals := r.shares[i].Deals
	for k := range deals {
		published := deals[k].LeafB
		if which == SecretZ {
			published = deals[k].LeafZ
		}
		if again.leaf(deals[k].To) != published {
			return false
		}
	}
	return true
}

// pairMasks rebuilds everything a dropped member derived from z, compares it with what it published, and returns
// the opposite of the masks that the survivors added for it.
func (r *rebuilder) pairMasks(i int, z [32]byte) ([]mask, error) {
	private, public := maskKeyPair(r.sid, i, z)
	if public != r.keys[i].MaskKey {
		return nil, &Fault{Member: i, What: "its mask key is not the one of its shared secret"}
	}
	own := r.shares[i]
	masks := make([]mask, 0, len(r.survivors))
	for _, d := range own.Deals {
		if d.To <= i {
			continue
		}
		key := r.keys[d.To].MaskKey
		secret, cipher, err := encapsulate(r.sid, i, d.To, z, &key)
		if err != nil || !bytes.Equal(cipher, d.Cipher) {
			return nil, &Fault{Member: i, What: fmt.Sprintf("its ciphertext for member %d is not the one of its shared secret", d.To)}
		}
		if r.survived(d.To) { // the survivor comes later and subtracted
			m := r.pairMask(secret, i, d.To)
			r.public.add(d.To, i, m.key)
			masks = append(masks, m)
		}
	}
	for _, j := range r.survivors {
		if j < i { // the survivor comes earlier and added
			from := r.shares[j]
			m := r.pairMask(xwing.Decapsulate(from.to(i).Cipher, private), j, i)
			m.negative = true
			r.public.add(j, i, m.key)
			masks = append(masks, m)
		}
	}
	return masks, nil
}

func (r *rebuilder) pairMask(secret []byte, low, high int) mask {
	key, _ := pairKeys(r.sid, secret, low, high)
	return mask{key: key}
}

func (r *rebuilder) survived(i int) bool {
	for _, j := range r.survivors {
		if j == i {
			return true
		}
	}
	return false
}

// Survivors returns the indices of the members in the sum, ascending.
func (o *Opening) Survivors() []int { return append([]int(nil), o.survivors...) }

// Root binds all opened secrets; it goes into the round record.
func (o *Opening) Root() [32]byte { return o.root }

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
