package cuda

import (
	"encoding/binary"

	"github.com/fedlam/fedlam/kernels"
)

// reads returns the registers that an instruction reads.
func reads(in *kernels.Instr) []int {
	r := []int{in.A, in.B, in.C}
	switch in.Op {
	case kernels.OpMulAdd, kernels.OpMulSub, kernels.OpSubMul:
		return r
	case kernels.OpAdd, kernels.OpSub, kernels.OpMul, kernels.OpMulMul, kernels.OpAddScaled:
		return r[:2]
	}
	return r[:1]
}

// live returns how many registers of the formula hold something at once, at most, in units of 32 bits.
func (t *Tile[F]) live() int {
	var last [256]int // the last reader, counted from 1; one past the end for a store
	code := t.Formula.Code
	for i := range code {
		for _, r := range reads(&code[i]) {
			last[r] = i + 1
		}
	}
	for i := range t.Stores {
		last[t.Stores[i].Reg] = len(code) + 1
	}
	live, most := t.Formula.Inputs, t.Formula.Inputs
	var held [256]bool
	for i := range code {
		if d := code[i].Dst; last[d] > i+1 && !held[d] {
			held[d] = true
			live++
		}
		most = max(most, live)
		for _, r := range reads(&code[i]) {
			if last[r] == i+1 {
				last[r] = 0
				live--
			}
		}
	}
	return most * int(size[F]()) / 4
}

// writeKey makes the key of the kernel: tiles with equal keys have the same text and the same parameters, but for their values.
func (t *Tile[F]) writeKey(p *tilePlan) {
	k := append(p.key, byte(size[F]()), byte(p.lanes), byte(flag(p.vector)), byte(flag(p.flat)), byte(flag(p.sums)))
	if p.sums {
		k = binary.LittleEndian.AppendUint16(k, uint16(t.numbers()))
	}
	k = append(k, byte(len(t.Loads)), byte(len(p.parts)), byte(len(t.Stores)))
	for _, x := range p.parts {
		k = append(k, x.reg, byte(x.kind), byte(x.row), byte(x.maps), byte(flag(x.ranged)<<1|flag(x.wide)))
	}
	for i := range t.Stores {
		k = append(k, byte(t.Stores[i].Kind), byte(t.Stores[i].Reg), byte(flag(p.wide[i])))
	}
	for i := range t.Formula.Code {
		in := &t.Formula.Code[i]
		k = append(k, byte(in.Op), byte(in.Dst))
		for _, r := range reads(in) {
			k = append(k, byte(r))
		}
	}
	p.key = k
}
