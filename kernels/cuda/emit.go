package cuda

import (
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/kernels"
)

// emission writes the kernel of a tile.
type emission[F kernels.Float] struct {
	*assembler
	t      *Tile[F]
	p      *tilePlan
	n      arithmetic
	size   int // bytes of a number
	params map[[2]int]string
	places []place
}

// A place is where in the tile a thread's number is, or its first of several side by side. Registers are "" where nothing needs them.
type place struct {
	guard    string // holds if there is such a number; "" for always
	row, col string
	whole    string // bytes from the beginning of a matrix of the tile's shape
	colBytes string
	rows     map[int8]string // by partPlan.row
}

// emit returns the text of the kernel for a plan. Its name is that of a function in PTX.
func (t *Tile[F]) emit(p *tilePlan, name string) string {
	a := &assembler{}
	bytes := int(size[F]())
	e := &emission[F]{assembler: a, t: t, p: p, n: arithmeticOf(a, bytes), size: bytes, params: map[[2]int]string{}}
	var declared []string
	for i := range p.params {
		x := &p.params[i]
		param := fmt.Sprintf("%s_param_%d", name, i)
		declared = append(declared, ".param ."+x.typ+" "+param)
		v := e.op(classOf[x.typ], "ld.param."+x.typ, at(param, 0))
		if x.role <= roleDst {
			v = e.op(regLong, "cvta.to.global.u64", v)
		}
		e.params[[2]int{int(x.role), x.i}] = v
	}
	if p.sums {
		e.bands()
	} else {
		e.whole()
	}
	e.do("ret")
	return a.kernel(name, declared, tileThreads)
}

var classOf = map[string]class{"u32": regWord, "u64": regLong, "f32": regSingle, "f64": regDouble}

func (e *emission[F]) param(r paramRole, i int) string { return e.params[[2]int{int(r), i}] }

// whole is a tile without sums: a thread does its lanes and ends.
func (e *emission[F]) whole() {
	block, thread := e.op(regWord, "mov.u32", "%ctaid.x"), e.op(regWord, "mov.u32", "%tid.x")
	i := e.op(regWord, "add.s32", e.op(regWord, "shl.b32", block, fmt.Sprint(tileThreadsLog)), thread)
	inside, end := e.label(), e.op(regPredicate, "setp.lt.u32", i, e.param(roleCount, 0))
	e.do("@"+end+" bra", inside)
	e.do("ret")
	e.place(inside)
	aside := e.p.lanesAside()
	x := place{whole: e.times(i, fmt.Sprint(aside*e.size)), rows: map[int8]string{}}
	if !e.p.flat {
		x.row = e.divide(i)
		x.col = e.op(regWord, "sub.s32", i, e.op(regWord, "mul.lo.s32", x.row, e.param(roleAcross, 0)))
		if aside > 1 {
			x.col = e.op(regWord, "mul.lo.s32", x.col, fmt.Sprint(aside))
		}
		x.colBytes = e.times(x.col, fmt.Sprint(e.size))
	}
	e.places = []place{x}
	e.stores(e.compute())
}

// divide returns x / roleAcross.
func (e *emission[F]) divide(x string) string {
	return e.op(regWord, "cvt.u32.u64", e.op(regLong, "shr.u64", e.times(x, e.param(roleMagic, 0)), e.param(roleShift, 0)))
}

// compute returns the registers of the formula by lane, after all its instructions. All loads come first: a tile may store to where
// its operands are.
func (e *emission[F]) compute() [][]string {
	lanes := make([][]string, e.p.lanes)
	for l := range lanes {
		lanes[l] = make([]string, e.t.Formula.Registers)
	}
	for reg := range e.t.Loads {
		for l, v := range e.load(reg) {
			lanes[l][reg] = v
		}
	}
	for i := range e.t.Formula.Code {
		in := &e.t.Formula.Code[i]
		var k []string
		for c := range constantsOf(in) {
			k = append(k, e.param(roleConstant, 16*i+c))
		}
		for _, v := range lanes {
			v[in.Dst] = e.n.step(in.Op, v[in.A], v[max(in.B, 0)], v[max(in.C, 0)], k)
		}
	}
	return lanes
}

// load returns an operand by lane.
func (e *emission[F]) load(reg int) []string {
	values := make([]string, e.p.lanes)
	zero := true // something may be left
	for _, k := range e.p.parts {
		zero = zero && (int(k.reg) != reg || k.ranged)
	}
	for l := range values {
		values[l] = e.n.fresh(e.n.class)
		if zero || e.places[e.placeOf(l)].guard != "" {
			e.do("mov."+e.n.typ, values[l], e.n.num(0))
		}
	}
	for i := range e.p.parts {
		if k := &e.p.parts[i]; int(k.reg) == reg {
			e.loadPart(i, values)
		}
	}
	return values
}

// placeOf returns which place a lane belongs to.
func (e *emission[F]) placeOf(lane int) int {
	if e.p.vector {
		return 0
	}
	return lane
}

// stores takes registers to memory as they are, where the tile stores them so.
func (e *emission[F]) stores(lanes [][]string) {
	for i := range e.t.Stores {
		s := &e.t.Stores[i]
		if s.Kind != Whole {
			continue
		}
		var values []string
		for _, v := range lanes {
			values = append(values, v[s.Reg])
		}
		if e.p.wide[i] {
			to := e.ahead(e.param(roleDst, i), e.places[0].whole)
			e.do(fmt.Sprintf("st.global.v%d.%s", len(values), e.n.typ), at(to, 0), "{"+strings.Join(values, ", ")+"}")
			continue
		}
		for p := range e.places {
			x := &e.places[p]
			to := e.ahead(e.param(roleDst, i), x.whole)
			for l, v := range values {
				if e.placeOf(l) == p {
					e.where(x.guard, "st.global."+e.n.typ, at(to, e.aside(l)), v)
				}
			}
		}
	}
}

// aside returns how many bytes a lane's number lies beside that of its place.
func (e *emission[F]) aside(lane int) int {
	if e.p.vector {
		return lane * e.size
	}
	return 0
}
