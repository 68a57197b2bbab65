package x86

import "encoding/binary"

// Load sets r to the 8 bytes at base + disp.
func (a *Assembler) Load(r, base GP, disp int) { a.general(0x8b, r, base, disp) }

// Zero sets r to 0.
func (a *Assembler) Zero(r GP) {
	a.code = append(a.code, 0x48|byte(r)>>3<<2|byte(r)>>3, 0x31, 3<<6|byte(r)&7<<3|byte(r)&7)
}

// AddSmall adds n, from -128 to 127, to r.
func (a *Assembler) AddSmall(r GP, n int) {
	a.code = append(a.code, 0x48|byte(r)>>3, 0x83, 3<<6|byte(r)&7, byte(n))
}

// Compare compares x with y, for a jump.
func (a *Assembler) Compare(x, y GP) {
	a.code = append(a.code, 0x48|byte(y)>>3<<2|byte(x)>>3, 0x39, 3<<6|byte(y)&7<<3|byte(x)&7)
}

// Condition is what a conditional jump depends on.
type Condition byte

// The conditions of unsigned comparison.
const (
	Below Condition = 2
	Equal Condition = 4
)

// JumpBack jumps to an earlier place, a result of Len.
func (a *Assembler) JumpBack(c Condition, to int) {
	a.code = append(a.code, 0x0f, 0x80|byte(c))
	a.code = binary.LittleEndian.AppendUint32(a.code, uint32(to-len(a.code)-4))
}

// Jump jumps to a later place: the one where the returned function is called.
func (a *Assembler) Jump(c Condition) (here func()) {
	a.code = append(a.code, 0x0f, 0x80|byte(c), 0, 0, 0, 0)
	end := len(a.code)
	return func() { binary.LittleEndian.PutUint32(a.code[end-4:], uint32(len(a.code)-end)) }
}

// SetMask sets mask register k to the lowest 16 bits of r. AVX-512 only.
func (a *Assembler) SetMask(k byte, r GP) {
	a.code = append(a.code, 0xc4, 6<<5|(^byte(r)>>3&1)<<5|1, 0x78, 0x92, 3<<6|k<<3|byte(r)&7)
}

// Return ends the code: it forgets the upper halves of vector registers, which slow down older instructions, and returns.
func (a *Assembler) Return() { a.code = append(a.code, 0xc5, 0xf8, 0x77, 0xc3) }

// Align fills up with instructions that do nothing, until the place is a multiple of n.
func (a *Assembler) Align(n int) {
	for len(a.code)%n != 0 {
		a.code = append(a.code, 0x90)
	}
}
