package secagg

import (
	"bytes"
	"fmt"

	"github.com/cloudflare/circl/kem/xwing"
)

// rebuilder turns opened shares back into seeds.
type rebuilder struct {
	s         *Session
	sid       keyed
	keys      map[int]Keys
	shares    map[int]Shares
	survivors []int
	openers   []int // exactly Threshold
	points    interpolation
	unmasks   map[int]Unmask
}

// rebuilt is the secret of one dealer, and the masks that its messages left in the sum.
type rebuilt struct {
	value [32]byte
	masks []mask
	err   error
}

// member rebuilds the secret of dealer i, the k-th of the view.
func (r *rebuilder) member(k, i int, alive bool) rebuilt {
	which := SecretZ
	if alive {
		which = SecretB
	}
	opened := make([][32]byte, len(r.openers))
	for n, j := range r.openers {
		opened[n] = r.unmasks[j].Opened[k].Share
	}
	value, err := r.points.atZero(opened)
	if err != nil {
		return rebuilt{err: err}
	}
	if !r.dealtAs(i, which, value) {
		return rebuilt{err: &Fault{Member: i, What: "the shares it dealt are not those of one secret"}}
	}
	if alive {
		if commitment(r.sid, i, value) != r.keys[i].Commitment {
			return rebuilt{err: &Fault{Member: i, What: "its self-mask is not the one it committed to"}}
		}
		return rebuilt{value: value, masks: []mask{{key: selfMask(r.sid, i, value), negative: true, of: i}}}
	}
	masks, err := r.pairMasks(i, value)
	return rebuilt{value, masks, err}
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
		if r.survived(d.To) && r.s.Together(i, d.To) { // the survivor comes later and subtracted
			m := r.pairMask(secret, i, d.To)
			m.of = d.To
			masks = append(masks, m)
		}
	}
	for _, j := range r.survivors {
		if j < i && r.s.Together(i, j) { // the survivor comes earlier and added
			from := r.shares[j]
			m := r.pairMask(xwing.Decapsulate(from.to(i).Cipher, private), j, i)
			m.negative, m.of = true, j
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
