package cuda

import "fmt"

// Shared memory of a kernel with sums: partial sums of threads, sums so far of rows that are cut, and the registers that are summed.
const (
	partialBytes = 8 * tileThreads
	carryBytes   = 8
)

// summed returns the registers that a tile sums, each once, in the order of its stores.
func (t *Tile[F]) summed() []int {
	var list []int
	seen := [256]bool{}
	for i := range t.Stores {
		if s := &t.Stores[i]; s.Kind != Whole && !seen[s.Reg] {
			seen[s.Reg] = true
			list = append(list, s.Reg)
		}
	}
	return list
}

// lineAt returns where the line of the k-th summed register begins in shared memory.
func (t *Tile[F]) lineAt(k int) int {
	return partialBytes + carryBytes*len(t.Stores) + k*t.numbers()*int(size[F]())
}

// sharedBytes returns how much shared memory the kernel with sums has.
func (t *Tile[F]) sharedBytes() int { return t.lineAt(len(t.summed())) }

// band holds registers of the loop over bands of rows: those of the band under way, what it is cut into across, and more that does not
// change.
type band struct {
	shared, thread         string // address and number
	block                  string
	index                  string
	row0, rows             string
	col0, across           string
	begins, opens, carries string // the first band of the block; the first columns; more columns come
}

// bands is a tile with sums: the same loops as in src/elementwise.cu, so that sums have the same order.
func (e *emission[F]) bands() {
	b := &band{shared: e.op(regLong, "mov.u64", "dynamic_shared")}
	b.thread, b.block = e.op(regWord, "mov.u32", "%tid.x"), e.op(regWord, "mov.u32", "%ctaid.x")
	stride := e.op(regWord, "mov.u32", "%nctaid.x")
	b.index = e.op(regWord, "mov.u32", b.block)
	b.row0, b.rows, b.col0, b.across = e.fresh(regWord), e.fresh(regWord), e.fresh(regWord), e.fresh(regWord)
	nextBand, nextCols := e.label(), e.label()

	e.place(nextBand)
	e.do("mul.lo.s32", b.row0, b.index, e.param(roleHigh, 0))
	left := e.op(regWord, "sub.s32", e.param(roleRows, 0), b.row0)
	e.do("min.s32", b.rows, left, e.param(roleHigh, 0))
	e.do("mov.u32", b.col0, "0")
	b.begins = e.op(regPredicate, "setp.eq.s32", b.index, b.block)

	e.place(nextCols)
	left = e.op(regWord, "sub.s32", e.param(roleCols, 0), b.col0)
	e.do("min.s32", b.across, left, e.param(roleAcross, 0))
	b.opens = e.op(regPredicate, "setp.eq.s32", b.col0, "0")
	b.carries = e.op(regPredicate, "setp.gt.s32", left, e.param(roleAcross, 0))
	e.bandPlaces(b)
	lanes := e.compute()
	e.stores(lanes)
	e.lines(b, lanes)
	e.sumStores(b)
	e.do("add.s32", b.col0, b.col0, e.param(roleAcross, 0))
	e.do("@"+e.op(regPredicate, "setp.lt.s32", b.col0, e.param(roleCols, 0))+" bra", nextCols)
	e.do("add.s32", b.index, b.index, stride)
	e.do("@"+e.op(regPredicate, "setp.lt.s32", b.index, e.param(roleBands, 0))+" bra", nextBand)
}

// bandPlaces finds the places of a thread's numbers, which are tileThreads apart.
func (e *emission[F]) bandPlaces(b *band) {
	numbers := e.op(regWord, "mul.lo.s32", b.rows, b.across)
	e.places = nil
	for l := range e.p.lanes {
		i := b.thread
		if l > 0 {
			i = e.op(regWord, "add.s32", i, fmt.Sprint(l*tileThreads))
		}
		down := e.divide(i)
		x := place{guard: e.op(regPredicate, "setp.lt.s32", i, numbers), rows: map[int8]string{}}
		x.row = e.op(regWord, "add.s32", b.row0, down)
		x.col = e.op(regWord, "sub.s32", i, e.op(regWord, "mul.lo.s32", down, e.param(roleAcross, 0)))
		x.col = e.op(regWord, "add.s32", x.col, b.col0)
		x.colBytes = e.times(x.col, fmt.Sprint(e.size))
		pitch := e.op(regWord, "mul.lo.s32", e.param(roleCols, 0), fmt.Sprint(e.size))
		x.whole = e.ahead(e.times(x.row, pitch), x.colBytes)
		e.places = append(e.places, x)
	}
}

// lines puts what is summed into shared memory, and waits until all threads have.
func (e *emission[F]) lines(b *band, lanes [][]string) {
	thread := e.ahead(b.shared, e.times(b.thread, fmt.Sprint(e.size)))
	for k, reg := range e.t.summed() {
		for l := range lanes {
			e.where(e.places[l].guard, "st.shared."+e.n.typ, at(thread, e.t.lineAt(k)+l*tileThreads*e.size), lanes[l][reg])
		}
	}
	e.do("bar.sync", "0")
}

func (e *emission[F]) sumStores(b *band) {
	line := map[int]int{}
	for k, reg := range e.t.summed() {
		line[reg] = e.t.lineAt(k)
	}
	for i := range e.t.Stores {
		switch s := &e.t.Stores[i]; s.Kind {
		case SumCols:
			e.sumCols(b, i, line[s.Reg])
		case SumRows:
			e.sumRows(b, i, line[s.Reg])
		}
	}
}

// strided adds up count numbers of a line from first on, step apart: the sum is in double, as in the functions of elementwise.cu.
// from and step count bytes, first and by the numbers that end is compared with.
func (e *emission[F]) strided(sum, address, step, first, by, end string) {
	again := e.label()
	e.place(again)
	v := e.op(e.n.class, "ld.shared."+e.n.typ, at(address, 0))
	if e.size == 4 {
		v = e.op(regDouble, "cvt.f64.f32", v)
	}
	e.do("add.rn.f64", sum, sum, v)
	e.do("add.s64", address, address, step)
	e.do("add.s32", first, first, by)
	e.do("@"+e.op(regPredicate, "setp.lt.s32", first, end)+" bra", again)
}

// gather adds the partial sums of lanes, the first of which is number first of them, step apart.
func (e *emission[F]) gather(b *band, all, first, step, lanes string) {
	address := e.ahead(b.shared, e.times(first, "8"))
	bytes := e.times(step, "8")
	l, again := e.op(regWord, "mov.u32", "0"), e.label()
	e.place(again)
	e.do("add.rn.f64", all, all, e.op(regDouble, "ld.shared.f64", at(address, 0)))
	e.do("add.s64", address, address, bytes)
	e.do("add.s32", l, l, "1")
	e.do("@"+e.op(regPredicate, "setp.lt.s32", l, lanes)+" bra", again)
}

// sumCols is sum_cols.
func (e *emission[F]) sumCols(b *band, store, line int) {
	threads := e.op(regWord, "mov.u32", fmt.Sprint(tileThreads))
	lanes := e.op(regWord, "max.s32", e.op(regWord, "div.s32", threads, b.rows), "1")
	high := e.op(regWord, "div.s32", threads, lanes) // rows at a time
	row := e.op(regWord, "div.u32", b.thread, lanes)
	lane := e.op(regWord, "sub.s32", b.thread, e.op(regWord, "mul.lo.s32", row, lanes))
	below := e.op(regWord, "mov.u32", "0") // the first of them
	next, summed, done := e.label(), e.label(), e.label()
	partial := e.ahead(b.shared, e.times(b.thread, "8"))
	step := e.times(lanes, fmt.Sprint(e.size))

	e.place(next)
	sum := e.op(regDouble, "mov.f64", "0d0000000000000000")
	mine := e.op(regWord, "add.s32", below, row)
	e.do("@"+e.op(regPredicate, "setp.ge.s32", row, high)+" bra", summed)
	e.do("@"+e.op(regPredicate, "setp.ge.s32", mine, b.rows)+" bra", summed)
	e.do("@"+e.op(regPredicate, "setp.ge.s32", lane, b.across)+" bra", summed)
	from := e.op(regWord, "add.s32", e.op(regWord, "mul.lo.s32", mine, b.across), lane)
	address := e.ahead(e.ahead(b.shared, e.times(from, fmt.Sprint(e.size))), fmt.Sprint(line))
	e.strided(sum, address, step, e.op(regWord, "mov.u32", lane), lanes, b.across)
	e.place(summed)
	e.do("st.shared.f64", at(partial, 0), sum)
	e.do("bar.sync", "0")

	mine = e.op(regWord, "add.s32", below, b.thread)
	e.do("@"+e.op(regPredicate, "setp.ge.s32", b.thread, high)+" bra", done)
	e.do("@"+e.op(regPredicate, "setp.ge.s32", mine, b.rows)+" bra", done)
	e.rowSum(b, store, mine, lanes)
	e.place(done)
	e.do("bar.sync", "0")
	e.do("add.s32", below, below, high)
	e.do("@"+e.op(regPredicate, "setp.lt.s32", below, b.rows)+" bra", next)
}

// rowSum adds up what lanes have summed of row mine of the band, and stores it, or carries it to the columns that come.
func (e *emission[F]) rowSum(b *band, store int, mine, lanes string) {
	carry := at(b.shared, partialBytes+carryBytes*store)
	all := e.op(regDouble, "mov.f64", "0d0000000000000000")
	add := e.label()
	e.do("@"+b.opens+" bra", add)
	e.do("ld.shared.f64", all, carry)
	e.place(add)
	e.gather(b, all, e.op(regWord, "mul.lo.s32", b.thread, lanes), e.op(regWord, "mov.u32", "1"), lanes)
	e.where(b.carries, "st.shared.f64", carry, all)
	last := e.op(regPredicate, "not.pred", b.carries)
	if e.size == 4 {
		all = e.op(regSingle, "cvt.rn.f32.f64", all)
	}
	row := e.op(regWord, "add.s32", b.row0, mine)
	e.where(last, "st.global."+e.n.typ, at(e.ahead(e.param(roleDst, store), e.times(row, fmt.Sprint(e.size))), 0), all)
}

// sumRows is sum_rows.
func (e *emission[F]) sumRows(b *band, store, line int) {
	threads := e.op(regWord, "mov.u32", fmt.Sprint(tileThreads))
	left := e.op(regWord, "mov.u32", "0") // the first of the columns under way, and how many there are
	next, summed, done := e.label(), e.label(), e.label()
	partial := e.ahead(b.shared, e.times(b.thread, "8"))
	block := e.times(b.block, e.op(regWord, "mul.lo.s32", e.param(roleCols, 0), "8"))
	block = e.ahead(e.param(roleDst, store), block)

	e.place(next)
	width := e.op(regWord, "min.s32", e.op(regWord, "sub.s32", b.across, left), threads)
	lanes := e.op(regWord, "div.s32", threads, width)
	lane := e.op(regWord, "div.u32", b.thread, width)
	c := e.op(regWord, "sub.s32", b.thread, e.op(regWord, "mul.lo.s32", lane, width))
	sum := e.op(regDouble, "mov.f64", "0d0000000000000000")
	e.do("@"+e.op(regPredicate, "setp.ge.s32", lane, lanes)+" bra", summed)
	e.do("@"+e.op(regPredicate, "setp.ge.s32", lane, b.rows)+" bra", summed)
	from := e.op(regWord, "add.s32", e.op(regWord, "mul.lo.s32", lane, b.across), e.op(regWord, "add.s32", left, c))
	address := e.ahead(e.ahead(b.shared, e.times(from, fmt.Sprint(e.size))), fmt.Sprint(line))
	step := e.times(e.op(regWord, "mul.lo.s32", lanes, b.across), fmt.Sprint(e.size))
	e.strided(sum, address, step, e.op(regWord, "mov.u32", lane), lanes, b.rows)
	e.place(summed)
	e.do("st.shared.f64", at(partial, 0), sum)
	e.do("bar.sync", "0")

	e.do("@"+e.op(regPredicate, "setp.ge.s32", b.thread, width)+" bra", done)
	col := e.op(regWord, "add.s32", e.op(regWord, "add.s32", b.col0, left), b.thread)
	to := at(e.ahead(block, e.times(col, "8")), 0)
	all, add := e.op(regDouble, "mov.f64", "0d0000000000000000"), e.label()
	e.do("@"+b.begins+" bra", add)
	e.do("ld.global.f64", all, to)
	e.place(add)
	e.gather(b, all, b.thread, width, lanes)
	e.do("st.global.f64", to, all)
	e.place(done)
	e.do("bar.sync", "0")
	e.do("add.s32", left, left, fmt.Sprint(tileThreads))
	e.do("@"+e.op(regPredicate, "setp.lt.s32", left, b.across)+" bra", next)
}
