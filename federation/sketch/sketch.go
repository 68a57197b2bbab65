package sketch

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// A Sketch is a set of R public random linear functionals over Z_2^bits. It is immutable.
type Sketch struct {
	c    Config
	seed [32]byte
	plan

	// A code is the bucket of a lane, and signBit if the lane is subtracted. lanes says which lanes the codes
	// belong to, ascending; nil means all.
	codes []uint16
	lanes []uint32
}

const (
	signBit   = 1 << 12 // above the buckets of MaxRows
	chunkSize = 1 << 16 // bytes that are generated at a time
)

// New draws the functionals from a seed made by Seed. It takes two bytes of memory for every lane, or six for every lane
// that is looked at when they are sampled. Errors: a Config that no test can serve.
func New(seed [32]byte, c Config) (*Sketch, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	p, err := c.plan()
	if err != nil {
		return nil, err
	}
	s := &Sketch{c: c, seed: seed, plan: p}
	key := sha256.Sum256(append([]byte(domain+"/functionals\x00"), seed[:]...))
	if p.rate == fullRate {
		s.codes = make([]uint16, 0, c.Lanes)
	}
	eachWord(key, c.Lanes, s.place)
	return s, nil
}

// place reads the random word of a lane: bit 31 is the sign, bits 12 to 30 decide whether it is looked at, the lowest are
// the bucket.
func (s *Sketch) place(lane int, word uint32) {
	if int(word>>12&(fullRate-1)) >= s.rate {
		return
	}
	s.codes = append(s.codes, uint16(word)&uint16(s.c.Rows-1)|uint16(word>>31)*signBit)
	if s.rate < fullRate {
		s.lanes = append(s.lanes, uint32(lane))
	}
}

func eachWord(key [32]byte, n int, do func(i int, word uint32)) {
	stream, buf := newStream(key), make([]byte, chunkSize)
	for from := 0; from < n; from += chunkSize / 4 {
		part := buf[:4*min(chunkSize/4, n-from)]
		clear(part)
		stream.XORKeyStream(part, part)
		for k := range len(part) / 4 {
			do(from+k, binary.LittleEndian.Uint32(part[4*k:]))
		}
	}
}

func newBlock(key [32]byte) cipher.Block {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("sketch: " + err.Error()) // a 32-byte key is always accepted
	}
	return block
}

func newStream(key [32]byte) cipher.Stream {
	return cipher.NewCTR(newBlock(key), make([]byte, aes.BlockSize))
}

// Rows is R, the length of every sketch.
func (s *Sketch) Rows() int { return s.c.Rows }

// Seed is what the sketch was drawn from.
func (s *Sketch) Seed() [32]byte { return s.seed }

// Rate is p, the share of lanes that are looked at.
func (s *Sketch) Rate() float64 { return s.share() }

// Sampled is the number of lanes that are looked at.
func (s *Sketch) Sampled() int { return len(s.codes) }

// Zero returns an empty sketch.
func (s *Sketch) Zero() []uint32 { return make([]uint32, s.c.Rows) }

// Add adds the sketch of a piece of a vector, whose first word is lane at, to dst, of Rows words. Words are
// taken, and dst is kept, modulo 2^Bits. Lanes outside the sketch do not count. Pieces may come in any order.
func (s *Sketch) Add(dst []uint32, at int, words []uint32) {
	s.add(dst, at, len(words), func(k int) uint32 { return words[k] })
}

// AddBytes is Add of words in their little-endian form of Bits/8 bytes, as they are sent.
func (s *Sketch) AddBytes(dst []uint32, at int, data []byte) {
	n := len(data) / (s.c.Bits / 8)
	switch {
	case s.lanes == nil && at >= 0 && at+n <= s.c.Lanes:
		s.addAll(dst, s.codes[at:at+n], data)
	case s.c.Bits == 16:
		s.add(dst, at, n, func(k int) uint32 { return uint32(binary.LittleEndian.Uint16(data[2*k:])) })
	default:
		s.add(dst, at, n, func(k int) uint32 { return binary.LittleEndian.Uint32(data[4*k:]) })
	}
}

// addAll is the costly case: every lane of every pair mask. Positive and negative lanes have sums of their own, which are
// subtracted at the end; the array is as long as a code can say, so that no index needs a check.
func (s *Sketch) addAll(dst []uint32, codes []uint16, data []byte) {
	var sums [2 * signBit]uint32
	if s.c.Bits == 16 {
		data = data[:2*len(codes)]
		for k, code := range codes {
			sums[code%(2*signBit)] += uint32(binary.LittleEndian.Uint16(data[2*k:]))
		}
	} else {
		data = data[:4*len(codes)]
		for k, code := range codes {
			sums[code%(2*signBit)] += binary.LittleEndian.Uint32(data[4*k:])
		}
	}
	dst = dst[:s.c.Rows]
	for r := range dst {
		dst[r] += sums[r] - sums[r|signBit]
	}
	s.reduce(dst)
}

// add is the plain form of all the others.
func (s *Sketch) add(dst []uint32, at, n int, word func(k int) uint32) {
	dst = dst[:s.c.Rows]
	first, last := s.codesOf(at, at+n)
	for i := first; i < last; i++ {
		lane := i
		if s.lanes != nil {
			lane = int(s.lanes[i])
		}
		addWord(dst, s.codes[i], word(lane-at))
	}
	s.reduce(dst)
}

func addWord(dst []uint32, code uint16, word uint32) {
	flip := -uint32(code / signBit) // 0, or all ones to negate: signs are not predictable, so no branch
	dst[code&^signBit] += (word ^ flip) - flip
}

// codesOf returns which codes belong to lanes from up to, but not including, to.
func (s *Sketch) codesOf(from, to int) (first, last int) {
	from, to = max(0, min(from, s.c.Lanes)), max(0, min(to, s.c.Lanes))
	if s.lanes == nil {
		return from, to
	}
	first, _ = slices.BinarySearch(s.lanes, uint32(from))
	last, _ = slices.BinarySearch(s.lanes, uint32(to))
	return first, last
}

// reduce keeps a sketch in the ring.
func (s *Sketch) reduce(dst []uint32) {
	for k := range dst {
		dst[k] &= 1<<s.c.Bits - 1
	}
}
