package secagg

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// Adding up masks is nearly all the work of a session, so it is done a word of 64 bits, that is two or four lanes, at a
// time: with S the sum of whole words and E the sum of their even lanes, each in a field of twice its width, the odd lanes are
// those of S - E. Both are plain sums; no carry is cut until the end.

const (
	pieceSize = 4096                                   // bytes worked on at once: sums and streams of a piece stay in the first-level cache
	spanSize  = 16 * pieceSize                         // bytes a goroutine does in one go; a chunk has four
	atOnce    = 32                                     // streams that are added to a piece before the next piece
	maxAdded  = 1<<16 - 1                              // streams in one sum: more could overflow the field of an even lane
	pieceWord = pieceSize / 8                          // words
	lineSkew  = 128                                    // bytes between buffers, which must not lie a multiple of 4096 apart
	_         = uint(maxAdded - MaxMembers*MaxMembers) // at most n/3 · 2n/3 pair masks, n self-masks and n inputs
)

// A pad is a mask whose key is set up.
type pad struct {
	block    cipher.Block
	negative bool
}

func newPads(masks []mask) []pad {
	pads := make([]pad, len(masks))
	for k := range masks {
		pads[k] = pad{newBlock(&masks[k].key), masks[k].negative}
	}
	return pads
}

func newBlock(key *[32]byte) cipher.Block {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("secagg: " + err.Error()) // a 32-byte key is always accepted
	}
	return block
}

// newStream starts AES-256-CTR at a multiple of 16 bytes from the beginning of the stream.
func newStream(block cipher.Block, at int) cipher.Stream {
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(at/aes.BlockSize))
	return cipher.NewCTR(block, counter[:])
}

// pieceSum holds S and E of one piece.
type pieceSum struct {
	all  [pieceWord]uint64
	_    [lineSkew]byte
	even [pieceWord]uint64
	_    [lineSkew]byte
}

type pieceBytes struct {
	b [pieceSize]byte
	_ [lineSkew]byte
}

// A tally adds up to maxAdded streams of up to spanSize bytes of lanes. Start with begin.
type tally struct {
	ring      ring
	size      int // bytes
	negatives uint64
	sums      [spanSize / pieceSize]pieceSum
	streams   [2]pieceBytes
	zeros     pieceBytes
	ones      pieceBytes
}

// begin empties the tally for a sum of that many bytes.
func (t *tally) begin(r ring, size int) {
	t.ring, t.size, t.negatives = r, size, 0
	clear(t.sums[:])
	for k := range t.ones.b {
		t.ones.b[k] = 0xff
	}
}

// evens is the mask of the even lanes of a word.
func (t *tally) evens() uint64 {
	if t.ring == ring16 {
		return 0x0000ffff_0000ffff
	}
	return 0x00000000_ffffffff
}

// pieces calls do with every piece in use and its first byte.
func (t *tally) pieces(do func(s *pieceSum, from, n int)) {
	for from := 0; from < t.size; from += pieceSize {
		do(&t.sums[from/pieceSize], from, min(pieceSize, t.size-from))
	}
}

// addBytes adds lanes that are at hand.
func (t *tally) addBytes(lanes []byte) {
	t.pieces(func(s *pieceSum, from, n int) {
		buf := &t.streams[0].b
		clear(buf[copy(buf[:], lanes[from:from+n]):])
		s.add(buf, &t.zeros.b, t.evens())
	})
}

// addPads adds the part of the streams that begins at a byte.
func (t *tally) addPads(pads []pad, at int) {
	var streams [atOnce]cipher.Stream
	for len(pads) > 0 {
		some := pads[:min(atOnce, len(pads))]
		pads = pads[len(some):]
		for k := range some {
			streams[k] = newStream(some[k].block, at)
			if some[k].negative {
				t.negatives++
			}
		}
		t.pieces(func(s *pieceSum, _, _ int) { t.addStreams(s, some, &streams) })
	}
}

// addStreams adds the next piece of every stream, two at a time.
func (t *tally) addStreams(s *pieceSum, pads []pad, streams *[atOnce]cipher.Stream) {
	a, b := &t.streams[0].b, &t.streams[1].b
	for k := 0; k < len(pads); k += 2 {
		streams[k].XORKeyStream(a[:], t.source(pads[k].negative))
		if k+1 == len(pads) {
			s.add(a, &t.zeros.b, t.evens())
			return
		}
		streams[k+1].XORKeyStream(b[:], t.source(pads[k+1].negative))
		s.add(a, b, t.evens())
	}
}

// source is what a stream is XORed with. A lane is subtracted by adding its complement, and one at the end.
func (t *tally) source(negative bool) []byte {
	if negative {
		return t.ones.b[:]
	}
	return t.zeros.b[:]
}

func (s *pieceSum) add(a, b *[pieceSize]byte, evens uint64) {
	for k := range s.all {
		x, y := binary.LittleEndian.Uint64(a[8*k:8*k+8]), binary.LittleEndian.Uint64(b[8*k:8*k+8])
		s.all[k] += x + y
		s.even[k] += x&evens + y&evens
	}
}

// result writes the sum.
func (t *tally) result(out []byte) {
	evens := t.evens()
	one := uint64(1) // in every even lane
	if t.ring == ring16 {
		one |= one << 32
	}
	extraEven := t.negatives * one
	extra := extraEven + extraEven<<(8*t.ring)
	var word [8]byte
	t.pieces(func(s *pieceSum, from, n int) {
		for k := 0; k < n; k += 8 {
			all, even := s.all[k/8]+extra, s.even[k/8]+extraEven
			binary.LittleEndian.PutUint64(word[:], even&evens|(all-even)&^evens)
			copy(out[from+k:from+n], word[:])
		}
	})
}

// lanes writes the sum as numbers.
func (t *tally) lanes(out []uint32) {
	var bytes [spanSize]byte
	t.result(bytes[:t.size])
	t.ring.get(out, bytes[:])
}
