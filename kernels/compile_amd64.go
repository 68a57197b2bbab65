package kernels

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/fedlam/fedlam/kernels/internal/x86"
)

// callCode calls compiled code.
//
//go:noescape
func callCode(entry uintptr, args *arguments)

// compile writes machine code for formulas, all in one piece of memory. Those it cannot compile stay as they are.
func compile[F Float](list []*Fused[F]) {
	target := x86.Target{Wide: current.name == "avx512", Double: !isFloat32[F]()}
	if !compiling || !target.Wide && current.name != "avx2" {
		return
	}
	var machine []byte
	for _, f := range list {
		c, own, err := translate(f.formula, target)
		if err != nil {
			continue
		}
		for len(machine)%64 != 0 {
			machine = append(machine, 0xcc)
		}
		c.entry = uintptr(len(machine))
		machine = append(machine, own...)
		f.code = c
	}
	if len(machine) == 0 {
		return
	}
	t, err := newText(machine)
	for _, f := range list {
		switch {
		case f.code == nil:
		case err != nil:
			f.code = nil
		default:
			f.code.text = t
			f.code.entry += uintptr(unsafe.Pointer(&t.bytes[0]))
		}
	}
}

var errNotCompiled = errors.New("kernels: formula cannot be compiled")

// translator writes the code of one formula.
type translator struct {
	*x86.Assembler
	formula *Formula
	facts
	base     []x86.GP           // by register: where its address is kept; AX if it must be loaded each time
	slot     []int              // by register: position among the pointers, -1 for none
	vec      []int              // by register: the vector register that holds it, -1 for none
	free     uint32             // vector registers
	most     int                // vector registers that were in use at the same time
	uses     map[uint64]int     // of constants, by their bits
	fixed    map[uint64]x86.Vec // constants that stay in a register throughout
	masked   bool               // the part that does what is left after whole vectors
	mask     x86.Vec            // AVX2: the mask
	exceeded bool               // registers did not suffice
}

// kept are the registers that keep addresses. AX is for those that do not fit, CX is the offset of the vector under way, DX
// its end, DI points to the arguments.
var kept = []x86.GP{x86.BX, x86.SI, x86.R8, x86.R9, x86.R10, x86.R11, x86.R12, x86.R13, x86.R15}

// translate returns the code of a formula: a loop over whole vectors, and once more the same with a mask.
func translate(f *Formula, target x86.Target) (*code, []byte, error) {
	c := &code{lanes: target.Lanes(), pointers: f.inMemory()}
	if len(c.pointers) > maxPointers || !f.compilable() {
		return nil, nil, errNotCompiled
	}
	trial := newTranslator(f, target)
	trial.write(c.pointers)
	if trial.exceeded {
		return nil, nil, errNotCompiled
	}
	t := newTranslator(f, target)
	t.fixed = trial.constantsToKeep()
	t.write(c.pointers)
	if t.exceeded {
		return nil, nil, errNotCompiled
	}
	return c, t.Finish(), nil
}

func newTranslator(f *Formula, target x86.Target) *translator {
	return &translator{
		Assembler: x86.New(target), formula: f, facts: f.facts(), uses: map[uint64]int{},
		base: make([]x86.GP, f.Registers), slot: make([]int, f.Registers), vec: make([]int, f.Registers),
	}
}

// constantsToKeep gives the registers that are left to constants, those first that are used most: a vector repeated from
// memory costs as much as a vector read.
func (t *translator) constantsToKeep() map[uint64]x86.Vec {
	words := slices.SortedFunc(maps.Keys(t.uses), func(x, y uint64) int {
		return cmp.Or(cmp.Compare(t.uses[y], t.uses[x]), cmp.Compare(x, y))
	})
	kept := map[uint64]x86.Vec{}
	left := t.Registers() - t.most
	for i, w := range words[:min(left, len(words))] {
		kept[w] = x86.Vec(t.Registers() - 1 - i)
	}
	return kept
}

// write writes the function.
func (t *translator) write(pointers []int) {
	t.begin(pointers)
	rest := t.Jump(x86.Equal)
	t.Align(32)
	loop := t.Len()
	t.body()
	t.AddSmall(x86.CX, t.Bytes())
	t.Compare(x86.CX, x86.DX)
	t.JumpBack(x86.Below, loop)
	rest()
	t.Load(x86.AX, x86.DI, offRest)
	t.Zero(x86.DX)
	t.Compare(x86.AX, x86.DX)
	done := t.Jump(x86.Equal)
	t.prepareMask()
	t.masked = true
	t.body()
	done()
	t.Return()
}

// begin loads addresses and constants, and compares the number of whole vectors with 0.
func (t *translator) begin(pointers []int) {
	for r := range t.slot {
		t.slot[r] = -1
	}
	for i, r := range pointers {
		t.slot[r], t.base[r] = i, x86.AX
		if i < len(kept) {
			t.base[r] = kept[i]
			t.Load(kept[i], x86.DI, t.pointer(r))
		}
	}
	for _, w := range slices.Sorted(maps.Keys(t.fixed)) {
		t.Broadcast(t.fixed[w], w)
	}
	t.Load(x86.DX, x86.DI, offWhole)
	t.Zero(x86.CX)
	t.Compare(x86.CX, x86.DX)
}

func (t *translator) pointer(r int) int { return offPointer + 8*t.slot[r] }

// prepareMask brings the mask into place. AX holds its bits.
func (t *translator) prepareMask() {
	if t.Wide {
		t.SetMask(1, x86.AX)
		return
	}
	t.mask = x86.Vec(t.Registers() - 1 - len(t.fixed))
	t.Load(x86.AX, x86.DI, offMask)
	t.Move(t.mask, x86.At(x86.AX, x86.DX))
}

// body writes the instructions for one vector.
func (t *translator) body() {
	t.free = uint32(1<<(t.Registers()-len(t.fixed)) - 1)
	if t.masked && !t.Wide {
		t.free &^= 1 << t.mask
	}
	for r := range t.vec {
		t.vec[r] = -1
	}
	for i := range t.formula.Code {
		t.instruction(i)
	}
}

// address returns the registers whose sum is the address of the vector of register r.
func (t *translator) address(r int) (base, index x86.GP) {
	if t.base[r] == x86.AX {
		t.Load(x86.AX, x86.DI, t.pointer(r))
	}
	return t.base[r], x86.CX
}

// alloc returns a free vector register.
func (t *translator) alloc() x86.Vec {
	for v := range t.Registers() {
		if t.free>>v&1 != 0 {
			t.free &^= 1 << v
			t.most = max(t.most, t.Registers()-bits.OnesCount32(t.free))
			return x86.Vec(v)
		}
	}
	t.exceeded = true
	return 0
}

func (t *translator) release(v x86.Vec) { t.free |= 1 << v }

// reg returns the vector register of register r, which it loads if need be.
func (t *translator) reg(r int) x86.Vec {
	if t.vec[r] < 0 {
		v := t.alloc()
		base, index := t.address(r)
		if t.masked {
			t.LoadMasked(v, base, index, t.mask)
		} else {
			t.Move(v, x86.At(base, index))
		}
		t.vec[r] = int(v)
	}
	return x86.Vec(t.vec[r])
}

// inMemoryOnly reports whether register r should stay in memory, as an operand of its only reader.
func (t *translator) inMemoryOnly(r int) bool { return t.vec[r] < 0 && t.reads[r] == 1 && !t.masked }

// rm returns register r as a last operand. Nothing else may be loaded between rm and the instruction.
func (t *translator) rm(r int) x86.Operand {
	if t.inMemoryOnly(r) {
		return x86.At(t.address(r))
	}
	return x86.Reg(t.reg(r))
}

// drop frees the vector registers that instruction i reads for the last time.
func (t *translator) drop(i int) {
	for k, r := range t.formula.Code[i].reads() {
		if t.last[i][k] && t.vec[r] >= 0 {
			t.release(x86.Vec(t.vec[r]))
			t.vec[r] = -1
		}
	}
}

// own takes the vector register of register r away from it, to be the result.
func (t *translator) own(r int) x86.Vec {
	v := t.reg(r)
	t.vec[r] = -1
	return v
}

// result makes v the result of instruction i.
func (t *translator) result(i int, v x86.Vec) {
	dst := t.formula.Code[i].Dst
	if t.stored[dst] == i {
		base, index := t.address(dst)
		if t.masked {
			t.StoreMasked(base, index, v, t.mask)
		} else {
			t.Store(base, index, v)
		}
	}
	if t.readLater[i] {
		t.vec[dst] = int(v)
	} else {
		t.release(v)
	}
}

// word returns the bits of a number.
func (t *translator) word(x float64) uint64 {
	if t.Double {
		return math.Float64bits(x)
	}
	return uint64(math.Float32bits(float32(x)))
}

// number returns the number x in every lane, as a last operand.
func (t *translator) number(x float64) x86.Operand { return t.bits(t.word(x)) }

// bits returns a constant with the bits w in every lane, as a last operand.
func (t *translator) bits(w uint64) x86.Operand {
	if v, ok := t.keeps(w); ok {
		return x86.Reg(v)
	}
	return x86.Word(w)
}

// keeps returns the register that holds a constant throughout, if there is one, and counts its uses.
func (t *translator) keeps(w uint64) (v x86.Vec, ok bool) {
	t.uses[w]++
	v, ok = t.fixed[w]
	return v, ok
}

// constant returns a register that holds x and must not be changed. It must be given back with giveBack.
func (t *translator) constant(x float64) x86.Vec {
	w := t.word(x)
	if v, ok := t.keeps(w); ok {
		return v
	}
	v := t.alloc()
	t.Broadcast(v, w)
	return v
}

// giveBack frees what constant has returned, unless the constant stays.
func (t *translator) giveBack(v x86.Vec) {
	if int(v) < t.Registers()-len(t.fixed) {
		t.release(v)
	}
}

// set sets v to the number x, to be changed.
func (t *translator) set(v x86.Vec, x float64) {
	w := t.word(x)
	if k, ok := t.keeps(w); ok {
		t.Move(v, x86.Reg(k))
		return
	}
	t.Broadcast(v, w)
}
