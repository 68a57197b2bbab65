package secagg

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cloudflare/circl/kem/xwing"
)

// Sum verifies the transcript and returns the sum of the survivors' values, exact in Z_2^32. Anyone can call it.
// Errors: ErrThreshold when statements or unmask shares are too few, ErrView when messages are missing or not those
// that were stated, *Fault naming a member proven to have cheated.
func Sum(s Session, in Transcript) ([]uint32, error) {
	o, err := Open(s, in)
	if err != nil {
		return nil, err
	}
	for _, i := range o.survivors {
		m := in.Masked[i]
		if !m.Complete() || len(m.Chunks) != chunks(s.Lanes) {
			return nil, fmt.Errorf("secagg sum: chunks of the masked input of survivor %d are missing: fetch them", i)
		}
	}
	sum := make([]uint32, s.Lanes)
	errs := make([]error, chunks(s.Lanes))
	eachChunk(len(errs), func(c int, buf []byte) {
		errs[c] = o.sumChunk(sum[c*ChunkLanes:][:chunkBytes(s.Lanes, c)/4], c, buf, func(i int) []byte { return in.Masked[i].Chunks[c] })
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return sum, nil
}

// An Opening holds the rebuilt seeds of a session; chunks can be summed one by one, in any order, concurrently.
// Its seeds are public: they open nothing but the sum.
type Opening struct {
	lanes     int
	survivors []int
	headers   map[int]MaskedHeader
	masks     []mask // to be added to the sum of the masked inputs
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
	o := &Opening{lanes: s.Lanes, headers: headers}
	for _, v := range st.List {
		o.survivors = append(o.survivors, v.Member)
	}
	r := rebuilder{s: &s, sid: keyed(s.ID), keys: keys, shares: shares, survivors: o.survivors, openers: openers[:s.Threshold], unmasks: in.Unmasks}
	opened := r.sid.hash("opened seeds")
	for k, i := range sorted(shares) {
		value, masks, err := r.member(k, i, st.has(i))
		if err != nil {
			return nil, err
		}
		o.masks = append(o.masks, masks...)
		opened.Write(binary.BigEndian.AppendUint16(nil, uint16(i)))
		opened.Write(value[:])
	}
	o.root = sum32(opened)
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
		return value, []mask{{key: selfMask(r.sid, i, value), negative: true}}, nil
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
			masks = append(masks, r.pairMask(secret, i, d.To))
		}
	}
	for _, j := range r.survivors {
		if j < i { // the survivor comes earlier and added
			from := r.shares[j]
			m := r.pairMask(xwing.Decapsulate(from.to(i).Cipher, private), j, i)
			m.negative = true
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
	if c < 0 || c >= chunks(o.lanes) {
		return nil, fmt.Errorf("secagg sum: chunk %d of %d", c, chunks(o.lanes))
	}
	sum := make([]uint32, chunkBytes(o.lanes, c)/4)
	if err := o.sumChunk(sum, c, make([]byte, ChunkSize), func(i int) []byte { return chunk[i] }); err != nil {
		return nil, err
	}
	return sum, nil
}

func (o *Opening) sumChunk(sum []uint32, c int, buf []byte, chunk func(member int) []byte) error {
	for _, i := range o.survivors {
		data, h := chunk(i), o.headers[i]
		if err := h.check(c, data); err != nil {
			return fmt.Errorf("secagg sum: %w", err)
		}
		for k := range sum {
			sum[k] += binary.LittleEndian.Uint32(data[4*k:])
		}
	}
	for k := range o.masks {
		o.masks[k].apply(sum, c, buf)
	}
	return nil
}
