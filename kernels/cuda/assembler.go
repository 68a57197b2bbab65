package cuda

import (
	"fmt"
	"math"
	"strings"
)

// class is a kind of registers of PTX.
type class int

const (
	regPredicate class = iota
	regWord            // 32 bits
	regLong            // 64 bits
	regSingle
	regDouble
	numClasses
)

// declarations of registers, by class, with the prefix of their names.
var declarations = [numClasses][2]string{{".pred", "%p"}, {".b32", "%r"}, {".b64", "%rd"}, {".f32", "%f"}, {".f64", "%fd"}}

// An assembler writes the instructions of one kernel in PTX. Only those forms are used that the kernels in ptx have as well, but
// for loads of four numbers that may be stored to, and for predicates before instructions that are no branches.
type assembler struct {
	text   strings.Builder
	used   [numClasses]int
	labels int
}

// fresh returns a register that nothing else has.
func (a *assembler) fresh(c class) string {
	a.used[c]++
	return fmt.Sprintf("%s%d", declarations[c][1], a.used[c])
}

// label returns a new name of a place.
func (a *assembler) label() string {
	a.labels++
	return fmt.Sprintf("$L%d", a.labels)
}

// place puts a label here.
func (a *assembler) place(label string) { a.text.WriteString(label + ":\n") }

// do writes an instruction.
func (a *assembler) do(name string, operands ...string) {
	a.text.WriteByte('\t')
	a.text.WriteString(name)
	for i, o := range operands {
		if i > 0 {
			a.text.WriteByte(',')
		}
		a.text.WriteByte(' ')
		a.text.WriteString(o)
	}
	a.text.WriteString(";\n")
}

// where writes an instruction for threads in which a predicate holds; for all, if it is "".
func (a *assembler) where(holds, name string, operands ...string) {
	if holds != "" {
		name = "@" + holds + " " + name
	}
	a.do(name, operands...)
}

// op writes an instruction and returns its result.
func (a *assembler) op(c class, name string, operands ...string) string {
	d := a.fresh(c)
	a.do(name, append([]string{d}, operands...)...)
	return d
}

// both returns the predicate that p and q hold, either of which may be "".
func (a *assembler) both(p, q string) string {
	if p == "" || q == "" {
		return p + q
	}
	return a.op(regPredicate, "and.pred", p, q)
}

// times returns a product of 32-bit numbers in 64 bits.
func (a *assembler) times(x, y string) string { return a.op(regLong, "mul.wide.u32", x, y) }

// ahead returns an address.
func (a *assembler) ahead(address, bytes string) string {
	return a.op(regLong, "add.s64", address, bytes)
}

// at is an operand in memory.
func at(address string, bytes int) string {
	if bytes == 0 {
		return "[" + address + "]"
	}
	return fmt.Sprintf("[%s+%d]", address, bytes)
}

// kernel returns the text of a kernel of which the assembler has the instructions.
func (a *assembler) kernel(name string, params []string, threads int) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".visible .entry %s(\n\t%s\n)\n.maxntid %d, 1, 1\n{\n", name, strings.Join(params, ",\n\t"), threads)
	for c, n := range a.used {
		if n > 0 {
			fmt.Fprintf(&b, "\t.reg %s \t%s<%d>;\n", declarations[c][0], declarations[c][1], n+1)
		}
	}
	return b.String() + a.text.String() + "}\n"
}

// arithmetic writes instructions on numbers of one type. Each is rounded by itself, but for muladd.
type arithmetic struct {
	*assembler
	class class
	typ   string
}

func arithmeticOf(a *assembler, bytes int) arithmetic {
	if bytes == 4 {
		return arithmetic{a, regSingle, "f32"}
	}
	return arithmetic{a, regDouble, "f64"}
}

// num is a constant, rounded to the type.
func (n arithmetic) num(x float64) string {
	if n.class == regSingle {
		return fmt.Sprintf("0f%08X", math.Float32bits(float32(x)))
	}
	return fmt.Sprintf("0d%016X", math.Float64bits(x))
}

// set returns a new register that holds x.
func (n arithmetic) set(x string) string { return n.op(n.class, "mov."+n.typ, x) }

func (n arithmetic) add(x, y string) string       { return n.op(n.class, "add.rn."+n.typ, x, y) }
func (n arithmetic) sub(x, y string) string       { return n.op(n.class, "sub.rn."+n.typ, x, y) }
func (n arithmetic) mul(x, y string) string       { return n.op(n.class, "mul.rn."+n.typ, x, y) }
func (n arithmetic) div(x, y string) string       { return n.op(n.class, "div.rn."+n.typ, x, y) }
func (n arithmetic) muladd(x, y, z string) string { return n.op(n.class, "fma.rn."+n.typ, x, y, z) }
func (n arithmetic) neg(x string) string          { return n.op(n.class, "neg."+n.typ, x) }
func (n arithmetic) magnitude(x string) string    { return n.op(n.class, "abs."+n.typ, x) }
func (n arithmetic) root(x string) string         { return n.op(n.class, "sqrt.rn."+n.typ, x) }
func (n arithmetic) recip(x string) string        { return n.op(n.class, "rcp.rn."+n.typ, x) }

// is returns a predicate; it does not hold of NaN, but for the comparison "nan".
func (n arithmetic) is(comparison, x, y string) string {
	return n.op(regPredicate, "setp."+comparison+"."+n.typ, x, y)
}

// choose returns x where p holds, and y elsewhere.
func (n arithmetic) choose(p, x, y string) string {
	return n.op(n.class, "selp."+n.typ, x, y, p)
}
