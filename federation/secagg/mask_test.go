package secagg

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"slices"
	"testing"
)

// TestMaskIsOneStream: chunks of a mask are consecutive parts of AES-256-CTR from counter zero.
func TestMaskIsOneStream(t *testing.T) {
	m := mask{key: fill32(3)}
	n := 2*ChunkLanes + 5
	block, err := aes.NewCipher(m.key[:])
	if err != nil {
		t.Fatal(err)
	}
	stream := make([]byte, 4*n)
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(stream, stream)
	lanes := make([]uint32, n)
	buf := make([]byte, ChunkSize)
	for _, c := range []int{2, 0, 1} {
		m.apply(lanes[c*ChunkLanes:][:chunkBytes(n, c)/4], c, buf)
	}
	for k := range lanes {
		if want := binary.LittleEndian.Uint32(stream[4*k:]); lanes[k] != want {
			t.Fatalf("word %d = %x, want %x", k, lanes[k], want)
		}
	}
	m.negative = true
	m.apply(lanes[:7], 0, buf)
	if !slices.Equal(lanes[:7], make([]uint32, 7)) {
		t.Errorf("adding and subtracting leaves %x", lanes[:7])
	}
}

// TestMaskUsesTheWholeKey: every bit of the 256 of a seed changes the stream. The control is a seed folded to 32 bits.
func TestMaskUsesTheWholeKey(t *testing.T) {
	stream := func(key [32]byte) [4]uint32 {
		var out [4]uint32
		m := mask{key: key}
		m.apply(out[:], 0, make([]byte, ChunkSize))
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
		key := base
		key[bit/8] ^= 1 << (bit % 8)
		if stream(key) == stream(base) {
			t.Errorf("bit %d of the seed does not matter", bit)
		}
		key[(bit/8+4)%32] ^= 1 << (bit % 8)
		if stream(folded(key)) == stream(folded(base)) {
			collisions++
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
