package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// rowMoves writes the functions that move or sum rows.
func (v target) rowMoves() {
	e := v.elem()
	v.move("copyRows", fmt.Sprintf("func(dst *%s, dstStride int, src *%s, srcStride, rows, cols int)", e, e),
		"copyRows copies the first cols numbers of rows that lie srcStride apart to rows dstStride apart.", copyEach)
	v.move("gatherRows", fmt.Sprintf("func(dst *%s, dstStride int, src *%s, srcStride int, index *int32, rows, cols int)", e, e),
		"gatherRows copies the first cols numbers of the rows of src that index names.", gatherEach)
	v.move("repeatCol", fmt.Sprintf("func(dst *%s, dstStride int, src *%s, srcStride, rows, cols int)", e, e),
		"repeatCol sets cols numbers of each row of dst to the first number of a row of src.", repeatEach)
	v.sums("sumList", true, false)
	v.sums("sumRun", false, false)
	v.sums("addRows", false, true)
	v.sumEach()
}

type moveKind int

const (
	copyEach moveKind = iota
	gatherEach
	repeatEach
)

// move writes a loop over rows with, inside, one over vectors; rows of at most one vector have a loop of their own.
func (v target) move(name, sig, doc string, kind moveKind) {
	TEXT(name+v.name, NOSPLIT, sig)
	Pragma("noescape")
	Doc(doc)
	rows := Load(Param("rows"), GP64())
	cols := Load(Param("cols"), GP64()).(GPVirtual)
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	dstStride, srcStride := v.stride("dstStride"), v.stride("srcStride")
	var index Register
	if kind == gatherEach {
		index = Load(Param("index"), GP64())
	}
	TESTQ(rows, rows)
	JE(LabelRef("done"))
	full := GP64() // columns in vectors but the last, which has 1 to all lanes
	LEAQ(Mem{Base: cols, Disp: -1}, full)
	SHRQ(Imm(uint64(v.laneShift())), full)
	rest, tmp := GP64(), GP64()
	MOVQ(full, tmp)
	SHLQ(Imm(uint64(v.laneShift())), tmp)
	MOVQ(cols, rest)
	SUBQ(tmp, rest)
	tail := v.newMask(rest)
	from := GP64() // the row of src
	r := v.reg()
	next := func() { // from = address of the next row
		if kind != gatherEach {
			MOVQ(src, from)
			ADDQ(srcStride, src)
			return
		}
		MOVLQSX(Mem{Base: index}, from)
		IMULQ(srcStride, from)
		ADDQ(src, from)
		ADDQ(Imm(4), index)
	}

	TESTQ(full, full)
	JNE(LabelRef("wide"))
	exact := v.exactRows()
	for _, x := range exact {
		CMPQ(cols, Imm(uint64(x.cols)))
		JE(LabelRef(x.label))
	}
	Label("narrow")
	next()
	if kind == repeatEach {
		v.broadcast(Mem{Base: from}, r)
	} else {
		tail.load(Mem{Base: from}, r)
	}
	tail.store(r, Mem{Base: dst})
	ADDQ(dstStride, dst)
	DECQ(rows)
	JNE(LabelRef("narrow"))
	JMP(LabelRef("done"))

	for _, x := range exact {
		Label(x.label)
		next()
		x.move(kind == repeatEach, from, dst)
		ADDQ(dstStride, dst)
		DECQ(rows)
		JNE(LabelRef(x.label))
		JMP(LabelRef("done"))
	}

	Label("wide")
	next()
	if kind == repeatEach {
		v.broadcast(Mem{Base: from}, r)
	}
	to, left := GP64(), GP64()
	MOVQ(dst, to)
	MOVQ(full, left)
	Label("vector")
	if kind != repeatEach {
		v.load(Mem{Base: from}, r)
		ADDQ(Imm(uint64(v.bytes())), from)
	}
	v.store(r, Mem{Base: to})
	ADDQ(Imm(uint64(v.bytes())), to)
	DECQ(left)
	JNE(LabelRef("vector"))
	if kind != repeatEach {
		tail.load(Mem{Base: from}, r)
	}
	tail.store(r, Mem{Base: to})
	ADDQ(dstStride, dst)
	DECQ(rows)
	JNE(LabelRef("wide"))
	Label("done")
	VZEROUPPER()
	RET()
}

// exactRow moves rows of as many bytes as some register has, without a mask.
type exactRow struct {
	target
	label string
	cols  int
}

func (v target) exactRows() []exactRow {
	var list []exactRow
	for bytes := v.size(); bytes <= 32; bytes *= 2 {
		list = append(list, exactRow{v, fmt.Sprintf("bytes%d", bytes), bytes / v.size()})
	}
	return list
}

// move copies a row, or repeats its first number.
func (x exactRow) move(repeat bool, from, dst Register) {
	src, to := Mem{Base: from}, Mem{Base: dst}
	bytes := x.cols * x.size()
	switch {
	case bytes == 4:
		r := GP32()
		MOVL(src, r)
		MOVL(r, to)
	case bytes == 8 && repeat && !x.double:
		r := XMM()
		VBROADCASTSS(src, r)
		VMOVQ(r, to)
	case bytes == 8:
		r := GP64()
		MOVQ(src, r)
		MOVQ(r, to)
	case bytes == 16 && repeat && x.double:
		r := XMM()
		VMOVDDUP(src, r)
		VMOVUPD(r, to)
	case bytes == 16 && repeat:
		r := XMM()
		VBROADCASTSS(src, r)
		VMOVUPS(r, to)
	case bytes == 16:
		r := XMM()
		VMOVUPS(src, r)
		VMOVUPS(r, to)
	case repeat:
		r := YMM()
		x.broadcast(src, r)
		VMOVUPS(r, to)
	default:
		r := YMM()
		VMOVUPS(src, r)
		VMOVUPS(r, to)
	}
}

// laneShift is the binary logarithm of lanes.
func (v target) laneShift() int {
	shift := 0
	for 1<<shift < v.lanes() {
		shift++
	}
	return shift
}

// sums writes a function that adds up rows in float64, in their order, half a vector of columns (of float32) at a time.
func (v target) sums(name string, listed, accumulate bool) {
	e := v.elem()
	sig := "func(dst *" + e + ", src *" + e
	doc := name + " sets dst to the sum of rows of src"
	if accumulate {
		sig = "func(dst *float64, src *" + e
		doc = name + " adds rows of src to dst"
	}
	if listed {
		sig += ", list *int32"
		doc += " that list names"
	}
	TEXT(name+v.name, NOSPLIT, sig+", rows, cols int)")
	Pragma("noescape")
	Doc(doc + ", in float64.")
	cols := Load(Param("cols"), GP64()).(GPVirtual)
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	stride := GP64()
	MOVQ(cols, stride)
	SHLQ(Imm(v.shift()), stride)

	d := v // the accumulators are of float64
	d.double = true
	width := d.lanes()
	sum, x := d.reg(), d.reg()
	left, from, at := GP64(), GP64(), GP64()
	var list Register

	block := func(label string, load func(m Mem), begin, end func()) {
		begin()
		MOVQ(src, from)
		Load(Param("rows"), left)
		if listed {
			list = Load(Param("list"), GP64())
		}
		TESTQ(left, left)
		JE(LabelRef(label + "End"))
		Label(label + "Row")
		m := Mem{Base: from}
		if listed {
			MOVLQSX(Mem{Base: list}, at)
			IMULQ(stride, at)
			m = Mem{Base: src, Index: at, Scale: 1}
			ADDQ(Imm(4), list)
		}
		load(m)
		VADDPD(x, sum, sum)
		if !listed {
			ADDQ(stride, from)
		}
		DECQ(left)
		JNE(LabelRef(label + "Row"))
		Label(label + "End")
		end()
	}
	outSize := v.size()
	if accumulate {
		outSize = 8
	}
	half := halfTarget{v}
	Label("many")
	CMPQ(cols, Imm(uint64(width)))
	JL(LabelRef("few"))
	block("many",
		func(m Mem) {
			if v.double {
				VMOVUPD(m, x)
			} else {
				VCVTPS2PD(m, x)
			}
		},
		func() {
			if accumulate {
				VMOVUPD(Mem{Base: dst}, sum)
			} else {
				d.zero(sum)
			}
		},
		func() {
			if accumulate || v.double {
				VMOVUPD(sum, Mem{Base: dst})
			} else {
				h := half.reg()
				v.narrowTo(sum, h)
				half.store(h, Mem{Base: dst})
			}
		})
	ADDQ(Imm(uint64(width*outSize)), dst)
	ADDQ(Imm(uint64(width*v.size())), src)
	SUBQ(Imm(uint64(width)), cols)
	JMP(LabelRef("many"))

	Label("few")
	TESTQ(cols, cols)
	JE(LabelRef("done"))
	tail := half.newMask(cols)
	tailD := tail
	if !v.double {
		tailD = d.newMask(cols)
	}
	h := half.reg()
	block("few",
		func(m Mem) {
			tail.load(m, h)
			if v.double {
				VMOVAPD(h, x)
			} else {
				VCVTPS2PD(h, x)
			}
		},
		func() {
			if accumulate {
				tailD.load(Mem{Base: dst}, sum)
			} else {
				d.zero(sum)
			}
		},
		func() {
			if accumulate || v.double {
				tailD.store(sum, Mem{Base: dst})
			} else {
				v.narrowTo(sum, h)
				tail.store(h, Mem{Base: dst})
			}
		})
	Label("done")
	VZEROUPPER()
	RET()
}

// sumEach writes the function that adds up the numbers of each row in float64.
func (v target) sumEach() {
	TEXT("sumEach"+v.name, NOSPLIT, "func(dst, src *"+v.elem()+", rows, cols int)")
	Pragma("noescape")
	Doc("sumEach sets each number of dst to the sum of a row of src, in float64.")
	rows := Load(Param("rows"), GP64())
	cols := Load(Param("cols"), GP64()).(GPVirtual)
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	d := v
	d.double = true
	half := halfTarget{v}
	full, rest := GP64(), GP64() // vectors, and numbers after them
	MOVQ(cols, full)
	SHRQ(Imm(uint64(d.laneShift())), full)
	MOVQ(full, rest)
	SHLQ(Imm(uint64(d.laneShift())), rest)
	SUBQ(rest, cols)
	MOVQ(cols, rest)
	tail := half.newMask(rest)
	sum, x, left := d.reg(), d.reg(), GP64()
	h := half.reg()
	TESTQ(rows, rows)
	JE(LabelRef("done"))
	Label("row")
	tail.load(Mem{Base: src}, h)
	if v.double {
		VMOVAPD(h, sum)
	} else {
		VCVTPS2PD(h, sum)
	}
	LEAQ(Mem{Base: src, Index: rest, Scale: uint8(v.size())}, src)
	MOVQ(full, left)
	TESTQ(left, left)
	JE(LabelRef("add"))
	Label("vector")
	if v.double {
		VADDPD(Mem{Base: src}, sum, sum)
	} else {
		VCVTPS2PD(Mem{Base: src}, x)
		VADDPD(x, sum, sum)
	}
	ADDQ(Imm(uint64(d.lanes()*v.size())), src)
	DECQ(left)
	JNE(LabelRef("vector"))
	Label("add")
	total := v.addLanes(sum)
	if v.double {
		VMOVSD(total, Mem{Base: dst})
	} else {
		VCVTSD2SS(total, total, total)
		VMOVSS(total, Mem{Base: dst})
	}
	ADDQ(Imm(uint64(v.size())), dst)
	DECQ(rows)
	JNE(LabelRef("row"))
	Label("done")
	VZEROUPPER()
	RET()
}

// addLanes returns the sum of the numbers of a vector of float64, in the lowest lane.
func (v target) addLanes(sum VecVirtual) VecVirtual {
	low, high := YMM(), YMM()
	if v.wide {
		VEXTRACTF64X4(Imm(1), sum, high)
		VADDPD(sum.AsY(), high, low)
	} else {
		low = sum
	}
	upper := XMM()
	VEXTRACTF128(Imm(1), low, upper)
	VADDPD(low.AsX(), upper, upper)
	swapped := XMM()
	VPERMILPD(Imm(1), upper, swapped)
	VADDSD(swapped, upper, upper)
	return upper
}

// halfTarget works on half vectors of float32, or on whole ones of float64.
type halfTarget struct{ target }

func (h halfTarget) reg() VecVirtual {
	switch {
	case h.double:
		return h.target.reg()
	case h.wide:
		return YMM()
	}
	return XMM()
}

// narrowTo rounds a vector of float64 to float32.
func (v target) narrowTo(x, y VecVirtual) {
	if v.wide {
		VCVTPD2PS(x, y)
	} else {
		VCVTPD2PSY(x, y)
	}
}

// newMask returns the mask of the first n lanes of a half vector.
func (h halfTarget) newMask(n GPVirtual) mask {
	if h.double || h.wide {
		return h.target.newMask(n) // a mask register serves any width
	}
	m := mask{target: h.target}
	table, at := GP64(), GP64()
	LEAQ(h.maskTable(), table)
	MOVQ(I32(int32(h.lanes())), at) // the last of the ones come first
	SUBQ(n, at)
	m.vec = XMM()
	VMOVUPS(Mem{Base: table, Index: at, Scale: 4}, m.vec)
	return m
}
