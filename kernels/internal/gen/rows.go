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
		if kind == gatherEach {
			v.gatherFour(x, rows, dst, dstStride, src, srcStride, index)
		}
		one := x.label + "One"
		Label(one)
		next()
		x.move(Mem{Base: from}, Mem{Base: dst}, kind == repeatEach)
		ADDQ(dstStride, dst)
		DECQ(rows)
		JNE(LabelRef(one))
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

// gatherFour gathers four short rows at a time; what remains, if anything, is for a loop that comes next.
func (v target) gatherFour(x exactRow, rows, dst, dstStride, src, srcStride, index Register) {
	four := x.label + "Four"
	SUBQ(Imm(4), rows)
	JL(LabelRef(x.label + "Few"))
	Label(four)
	for i := range 4 {
		from := GP64()
		MOVLQSX(Mem{Base: index, Disp: 4 * i}, from)
		IMULQ(srcStride, from)
		x.move(Mem{Base: src, Index: from, Scale: 1}, Mem{Base: dst}, false)
		ADDQ(dstStride, dst)
	}
	ADDQ(Imm(16), index)
	SUBQ(Imm(4), rows)
	JGE(LabelRef(four))
	Label(x.label + "Few")
	ADDQ(Imm(4), rows)
	JE(LabelRef("done"))
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
func (x exactRow) move(src, to Mem, repeat bool) {
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
