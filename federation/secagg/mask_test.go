package secagg

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"slices"
	"testing"
)

// apply adds the stream of a mask to all lanes of a vector, as plainly as it can be written. The tally is tested against it.
func (m *mask) apply(r ring, lanes []uint32) {
	block, err := aes.NewCipher(m.key[:])
	if err != nil {
		panic(err)
	}
	stream := make([]byte, int(r)*len(lanes))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(stream, stream)
	for k := range lanes {
		var word [4]byte
		copy(word[:], stream[int(r)*k:int(r)*(k+1)])
		v := binary.LittleEndian.Uint32(word[:])
		if m.negative {
			v = -v
		}
		lanes[k] = (lanes[k] + v) & (1<<(8*r) - 1)
	}
}

// TestTallyAddsStreams compares with plain addition, for lengths around every boundary and any number of streams of any
// sign. Spans of one vector are consecutive parts of its streams.
func TestTallyAddsStreams(t *testing.T) {
	for _, r := range []ring{ring32, ring16} {
		for _, c := range []struct{ lanes, masks, inputs int }{
			{1, 1, 0}, {2, 1, 1}, {3, 2, 1}, {5, 0, 2}, {pieceSize/2 - 1, 3, 1}, {pieceSize + 1, 31, 1}, {spanSize / 4, 32, 0}, {spanSize/2 + 3, 33, 1},
			{ChunkSize/2 + 1, 65, 2}, {2*ChunkSize/2 + 5, 4, 1}, {7, 700, 3},
		} {
			want, got := make([]uint32, c.lanes), make([]byte, int(r)*c.lanes)
			masks := make([]mask, c.masks)
			for k := range masks {
				masks[k] = mask{key: fill32(byte(k)), negative: k%3 == 1}
				masks[k].apply(r, want)
			}
			inputs := make([][]byte, c.inputs)
			for k := range inputs {
				lanes := make([]uint32, c.lanes)
				m := mask{key: fill32(byte(200 + k))}
				m.apply(r, lanes)
				inputs[k] = make([]byte, len(got))
				r.put(inputs[k], lanes)
				m.apply(r, want)
			}
			pads, total := newPads(masks), make([]uint32, c.lanes)
			eachSpan(r, c.lanes, 0, r.chunks(c.lanes), func(s span, sum *tally) {
				sum.begin(r, s.size)
				for _, b := range inputs {
					sum.addBytes(b[s.at:][:s.size])
				}
				sum.addPads(pads, s.at)
				sum.result(got[s.at:][:s.size])
				sum.lanes(total[s.lane:][:s.size/int(r)])
			})
			plain := make([]byte, len(got))
			r.put(plain, want)
			if !slices.Equal(got, plain) || !slices.Equal(total, want) {
				t.Errorf("%d bits, %d lanes, %d masks, %d inputs: the sum differs from plain addition", 8*r, c.lanes, c.masks, c.inputs)
			}
		}
	}
}

// TestTallyHoldsAsManyStreamsAsItSays adds the largest lanes, with which a field would overflow first.
func TestTallyHoldsAsManyStreamsAsItSays(t *testing.T) {
	for _, r := range []ring{ring32, ring16} {
		var sum tally
		sum.begin(r, 12)
		largest, got := slices.Repeat([]byte{0xff}, 12), make([]uint32, 12/r)
		for range maxAdded {
			sum.addBytes(largest)
		}
		sum.lanes(got)
		for k, v := range got {
			if want := uint32(1<<(8*int64(r)) - maxAdded); v != want {
				t.Errorf("%d bits: lane %d of %d streams is %d, want %d", 8*r, k, maxAdded, v, want)
			}
		}
	}
}

// TestMaskUsesTheWholeKey: neither one bit of the 256 of a seed nor two that lie a multiple of 8 apart leave the stream as it is. The control is a
// seed folded to 32 bits, in which those that are 32 apart cancel.
func TestMaskUsesTheWholeKey(t *testing.T) {
	stream := func(key [32]byte) [4]uint32 {
		var sum tally
		var out [4]uint32
		sum.begin(ring32, 16)
		sum.addPads(newPads([]mask{{key: key}}), 0)
		sum.lanes(out[:])
		return out
	}
	folded := func(key [32]byte) (out [32]byte) {
		for i, b := range key {
			out[i%4] ^= b
		}
		return out
	}
	base, collisions := fill32(1), 0
	for bit := range 256 {
		for apart := range 32 {
			key := base
			key[bit/8] ^= 1 << (bit % 8)
			if apart > 0 {
				key[(bit/8+apart)%32] ^= 1 << (bit % 8)
			}
			if stream(key) == stream(base) {
				t.Errorf("bit %d of the seed does not matter, alone or with that of %d bytes later", bit, apart)
			}
			if apart == 4 && stream(folded(key)) == stream(folded(base)) {
				collisions++
			}
		}
	}
	if collisions != 256 {
		t.Errorf("control: folding gave %d collisions of 256", collisions)
	}
}

// TestMembersAgreeOnPairMasks: both ends of a pair hold the same key with opposite signs, and no two pairs the same.
func TestMembersAgreeOnPairMasks(t *testing.T) {
	p := newParty(t, testSession(5, 1))
	if err := p.until(atConfirm); err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]bool{}
	for i := range p.members {
		for j := range i {
			a, b := p.members[i].peers[j], p.members[j].peers[i]
			if a.mask.key != b.mask.key || !a.mask.negative || b.mask.negative || a.confirmKey != b.confirmKey {
				t.Errorf("members %d and %d disagree", i, j)
			}
			if a.mask.key == a.confirmKey || seen[a.mask.key] {
				t.Errorf("the key of members %d and %d is used twice", i, j)
			}
			seen[a.mask.key] = true
		}
	}
}
