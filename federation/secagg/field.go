package secagg

import "encoding/binary"

// An element is four words of GF(2^8) elements: 32 secret bytes computed on at once. The field is that of AES,
// modulo x^8+x^4+x^3+x+1. Scalars (Shamir points, Lagrange weights) are public, vectors are secret: no branch and
// no memory address depends on a vector.
type element [4]uint64

func loadElement(b [32]byte) (e element) {
	for i := range e {
		e[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return e
}

func (e element) bytes() (b [32]byte) {
	for i := range e {
		binary.LittleEndian.PutUint64(b[8*i:], e[i])
	}
	return b
}

// add is addition and subtraction.
func (e *element) add(o *element) {
	for i := range e {
		e[i] ^= o[i]
	}
}

// scale multiplies all 32 bytes by a public scalar.
func (e *element) scale(by byte) {
	power := *e
	*e = element{}
	for ; by != 0; by >>= 1 {
		if by&1 != 0 {
			e.add(&power)
		}
		power.double()
	}
}

// double multiplies by x.
func (e *element) double() {
	const high, low = 0x8080808080808080, 0x0101010101010101
	for i, w := range e {
		carry := w & high >> 7 & low
		e[i] = w&^high<<1 ^ carry*0x1b
	}
}

// mul multiplies two public scalars.
func mul(a, b byte) byte {
	var p byte
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			p ^= a
		}
		carry := a >> 7
		a = a<<1 ^ carry*0x1b
	}
	return p
}

// invert returns a^254, the inverse of a public scalar other than 0.
func invert(a byte) byte {
	p := byte(1)
	for range 254 {
		p = mul(p, a)
	}
	return p
}
