package secagg

import (
	"crypto/cipher"
	"math"
)

// maxBlock is the largest number of values that are mixed with each other, 4^8: 512 KiB, which a second-level cache holds.
const maxBlock = 1 << 16

// A rotation is a randomised Hadamard transform of a vector: random signs, then the normalised Walsh-Hadamard transform of every
// block. Each result is a sum of all values of its block with random signs, so nearly Gaussian whatever the values were, and
// the norm of a block stays (Suresh et al. 2017, Distributed Mean Estimation with Limited Communication, section 3).
//
// A block is the largest power of 4 that fits, at most maxBlock: its normalisation, a power of two, is exact. What is left over
// behind the last whole block is mixed by a second transform of the last block's length that ends with the vector; the vector
// does not grow. Everything is sums and differences in a fixed order, so results have the same bits on every machine.
type rotation struct {
	signs  cipher.Block // AES-256-CTR, one bit a value; the second transform has the bits behind those of the first
	size   int
	block  int
	second int // where in the stream its bits begin, in bytes
}

// newRotation derives the signs from a public seed.
func newRotation(seed [32]byte, size int) *rotation {
	h := newHash("rotation")
	h.Write(seed[:])
	key := sum32(h)
	block := 1
	for 4*block <= min(size, maxBlock) {
		block *= 4
	}
	const align = 16
	return &rotation{signs: newBlock(&key), size: size, block: block, second: (size/8 + align) / align * align}
}

// apply rotates x, of the rotation's size, in place.
func (r *rotation) apply(x []float64) {
	r.each(x, r.forward)
	if r.size%r.block != 0 {
		r.forward(x[r.size-r.block:], r.second, new(signBits))
	}
}

// invert undoes apply.
func (r *rotation) invert(x []float64) {
	if r.size%r.block != 0 {
		r.backward(x[r.size-r.block:], r.second, new(signBits))
	}
	r.each(x, r.backward)
}

type signBits [maxBlock / 8]byte

// each transforms all whole blocks. Small ones are grouped so that their signs begin at a multiple of a cipher block.
func (r *rotation) each(x []float64, transform func(x []float64, at int, signs *signBits)) {
	whole := r.size / r.block * r.block
	parallel((whole+maxBlock-1)/maxBlock, func(i int, signs *signBits) {
		from := i * maxBlock
		transform(x[from:min(from+maxBlock, whole)], from/8, signs)
	})
}

// forward transforms one or more blocks, whose signs begin at a byte of the stream.
func (r *rotation) forward(x []float64, at int, signs *signBits) {
	r.flip(x, at, signs)
	for ; len(x) > 0; x = x[r.block:] {
		hadamard(x[:r.block])
	}
}

func (r *rotation) backward(x []float64, at int, signs *signBits) {
	for rest := x; len(rest) > 0; rest = rest[r.block:] {
		hadamard(rest[:r.block])
	}
	r.flip(x, at, signs)
}

// flip multiplies by the random signs and by 1/sqrt(block), which is exact.
func (r *rotation) flip(x []float64, at int, signs *signBits) {
	bits := signs[:(len(x)+7)/8]
	clear(bits)
	newStream(r.signs, at).XORKeyStream(bits, bits)
	norm := 1 / math.Sqrt(float64(r.block))
	scale := [2]float64{norm, -norm}
	for k, b := range bits {
		part := x[8*k : min(8*k+8, len(x))]
		for n := range part {
			part[n] = float64(part[n] * scale[b>>n&1])
		}
	}
}

// hadamard is the Walsh-Hadamard transform in natural order, not normalised, of a power of 4 of values. Quarters are combined
// first, so that what follows works in ever smaller parts of the cache.
func hadamard(x []float64) {
	const inCache = 1 << 10
	if len(x) > inCache {
		q := len(x) / 4
		combine4(x[:q], x[q:2*q], x[2*q:3*q], x[3*q:])
		for ; len(x) > 0; x = x[q:] {
			hadamard(x[:q])
		}
		return
	}
	for q := len(x) / 4; q > 1; q /= 4 {
		for rest := x; len(rest) > 0; rest = rest[4*q:] {
			combine4(rest[:q], rest[q:2*q], rest[2*q:3*q], rest[3*q:4*q])
		}
	}
	for ; len(x) >= 4; x = x[4:] {
		s, t, u, v := x[0]+x[1], x[0]-x[1], x[2]+x[3], x[2]-x[3]
		x[0], x[1], x[2], x[3] = s+u, t+v, s-u, t-v
	}
}

// combine4 is two levels of the transform.
func combine4(a, b, c, d []float64) {
	b, c, d = b[:len(a)], c[:len(a)], d[:len(a)]
	for k := range a {
		s, t, u, v := a[k]+b[k], a[k]-b[k], c[k]+d[k], c[k]-d[k]
		a[k], b[k], c[k], d[k] = s+u, t+v, s-u, t-v
	}
}
