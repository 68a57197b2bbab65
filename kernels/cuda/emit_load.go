package cuda

import (
	"fmt"
	"strings"
)

// loadPart sets the values, by lane, that part i has.
func (e *emission[F]) loadPart(i int, values []string) {
	k := &e.p.parts[i]
	if k.kind == partFixed && k.row == oneRow && !k.ranged { // one number, there for every thread
		v := e.op(e.n.class, "ld.global."+e.n.typ, at(e.param(roleSrc, i), 0))
		for _, to := range values {
			e.do("mov."+e.n.typ, to, v)
		}
		return
	}
	for p := range e.places {
		x := &e.places[p]
		holds := x.guard
		if k.ranged && (k.wide || !e.p.vector) {
			holds = e.both(holds, e.inside(i, x.col))
		}
		address := e.address(i, x)
		switch {
		case k.kind == partFixed && e.p.vector:
			e.loadRepeated(i, x, address, holds, values)
		case k.wide:
			e.where(holds, fmt.Sprintf("ld.global.v%d.%s", len(values), e.n.typ), "{"+strings.Join(values, ", ")+"}", at(address, 0))
		default:
			e.loadEach(i, p, address, holds, values)
		}
	}
}

// loadEach loads lanes of a place one by one.
func (e *emission[F]) loadEach(i, p int, address, holds string, values []string) {
	k, x := &e.p.parts[i], &e.places[p]
	for l, to := range values {
		if e.placeOf(l) != p {
			continue
		}
		h, from := holds, at(address, e.aside(l))
		if k.ranged && e.p.vector {
			h = e.both(h, e.inside(i, e.column(x, l)))
		}
		if k.kind == partListed {
			from = e.listed(i, x, l, address)
		}
		e.where(h, "ld.global."+e.n.typ, to, from)
	}
}

// loadRepeated loads the one number of a row for lanes side by side.
func (e *emission[F]) loadRepeated(i int, x *place, address, holds string, values []string) {
	k := &e.p.parts[i]
	if !k.ranged || k.wide {
		e.where(holds, "ld.global."+e.n.typ, values[0], at(address, 0))
		for _, to := range values[1:] {
			e.where(holds, "mov."+e.n.typ, to, values[0])
		}
		return
	}
	for l, to := range values {
		e.where(e.both(holds, e.inside(i, e.column(x, l))), "ld.global."+e.n.typ, to, at(address, 0))
	}
}

// column returns the column of a lane.
func (e *emission[F]) column(x *place, lane int) string {
	if !e.p.vector || lane == 0 {
		return x.col
	}
	return e.op(regWord, "add.s32", x.col, fmt.Sprint(lane))
}

// inside returns whether a part has a column.
func (e *emission[F]) inside(i int, col string) string {
	from := e.op(regPredicate, "setp.ge.u32", col, e.param(roleFrom, i))
	return e.both(from, e.op(regPredicate, "setp.lt.u32", col, e.param(roleTo, i)))
}

// address returns where the number of a place is in a part; for parts with a list of columns, where the row begins.
func (e *emission[F]) address(i int, x *place) string {
	k := &e.p.parts[i]
	if k.kind == partPlain {
		return e.ahead(e.param(roleSrc, i), x.whole)
	}
	address := e.param(roleSrc, i)
	if k.row != oneRow {
		address = e.ahead(address, e.times(e.row(k.row, x), e.param(roleStride, i)))
	}
	if k.kind == partShifted {
		address = e.ahead(address, x.colBytes)
	}
	return address
}

// row returns the row of a source, which is loaded once for all parts that take it from the same list.
func (e *emission[F]) row(index int8, x *place) string {
	if index == ownRow {
		return x.row
	}
	if r, ok := x.rows[index]; ok {
		return r
	}
	r := e.fresh(regWord)
	if x.guard != "" {
		e.do("mov.u32", r, "0")
	}
	list := e.ahead(e.param(roleIndex, int(index)), e.times(x.row, "4"))
	e.where(x.guard, "ld.global.u32", r, at(list, 0))
	x.rows[index] = r
	return r
}

// listed returns the operand in memory of a lane whose column stands in a map.
func (e *emission[F]) listed(i int, x *place, lane int, row string) string {
	entry := e.ahead(e.param(roleMap, int(e.p.parts[i].maps)), e.times(x.col, "4"))
	c := e.fresh(regWord)
	if x.guard != "" {
		e.do("mov.u32", c, "0")
	}
	beside := 0
	if e.p.vector {
		beside = 4 * lane
	}
	e.where(x.guard, "ld.global.u32", c, at(entry, beside))
	return at(e.ahead(row, e.times(c, fmt.Sprint(e.size))), 0)
}
