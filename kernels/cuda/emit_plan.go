package cuda

import "math"

// A tilePlan is how a tile is done by code of its own: what kernel it needs, which depends on its formula and on the kinds of its
// operands and stores but not on sizes and addresses, and the arguments of a launch.
type tilePlan struct {
	lanes  int  // numbers of a thread
	vector bool // they lie side by side and are loaded at once where that is possible; else threads apart
	flat   bool // all operands are matrices of the tile's shape, or scalars: rows do not matter
	sums   bool
	parts  []partPlan
	wide   []bool // by store: 16 bytes at once
	index  []uint64
	maps   []uint64
	params []tileParam
	key    []byte // of the kernel: all but params, and the formula
}

// partPlan is the kind of a part.
type partPlan struct {
	reg    uint8 // the operand it is of
	kind   partKind
	row    int8 // ownRow, oneRow, or a position in tilePlan.index
	maps   int8 // position in tilePlan.maps
	ranged bool // it covers some columns only
	wide   bool // lanes side by side are loaded at once, or are all inside the part or all outside
}

// partKind says how the address of a number follows from its row and column.
type partKind uint8

const (
	partPlain   partKind = iota // it is that of the tile's number
	partShifted                 // the column plus something
	partFixed                   // always the same column
	partListed                  // the column stands in a map
)

const (
	ownRow = -1
	oneRow = -2
)

// lanesBytes is how much a thread loads at once.
const lanesBytes = 16

// mostLive is how many 32-bit registers of a formula may be live at a time in a thread that does several numbers side by side; those
// for addresses and within functions come on top.
const mostLive = 128

// mostLaunchShared is how much shared memory a block may have.
const mostLaunchShared = 48 << 10

// mostEmittedParts keeps the parameters of a kernel below the 4096 bytes that a launch may have.
const mostEmittedParts = 64

// plan fills p; it reports false if sizes are beyond what emitted code counts with.
func (t *Tile[F]) plan(p *tilePlan) bool {
	*p = tilePlan{parts: p.parts[:0], wide: p.wide[:0], index: p.index[:0], maps: p.maps[:0], params: p.params[:0], key: p.key[:0], lanes: 1}
	p.sums, p.flat = t.sums(), !t.sums()
	for _, l := range t.Loads {
		p.flat = p.flat && (len(l) == 0 || len(l) == 1 && (l[0].plain(t.Cols) || l[0].Repeat == Scalar && l[0].covers(t.Cols)))
	}
	if t.Rows > math.MaxInt32 || uint64(t.Cols)*size[F]() > math.MaxInt32 || p.sums && t.sharedBytes() > mostLaunchShared {
		return false
	}
	lanes := lanesBytes / int(size[F]())
	if p.sums {
		p.lanes = max(1, t.numbers()/tileThreads)
	} else if t.Cols%lanes == 0 && t.live()*lanesBytes/4 <= mostLive {
		p.lanes, p.vector = lanes, true
	}
	for reg, l := range t.Loads {
		if len(p.parts)+len(l) > mostEmittedParts {
			return false
		}
		for i := range l {
			part, ok := t.planPart(p, &l[i])
			if !ok {
				return false
			}
			part.reg = uint8(reg)
			p.parts = append(p.parts, part)
		}
	}
	for i := range t.Stores {
		s := &t.Stores[i]
		p.wide = append(p.wide, p.vector && s.Dst.addr%lanesBytes == 0)
	}
	t.writeKey(p)
	t.fillParams(p)
	return p.sums || t.Rows*t.Cols/p.lanes <= math.MaxInt32
}

// covers reports whether a part has all columns.
func (p *Part[F]) covers(cols int) bool { return p.At == 0 && p.width(cols) == cols }

func (t *Tile[F]) planPart(p *tilePlan, x *Part[F]) (partPlan, bool) {
	k := partPlan{kind: partShifted, row: ownRow, maps: -1, ranged: !x.covers(t.Cols)}
	stride := x.srcCols(t.Cols)
	if uint64(stride)*size[F]() > math.MaxUint32 {
		return k, false
	}
	switch {
	case x.Repeat == Row || x.Repeat == Scalar:
		k.row, stride = oneRow, 0
	case x.Index.n != 0:
		k.row = slot(&p.index, x.Index.addr)
	}
	switch {
	case x.Map.n != 0:
		k.kind, k.maps = partListed, slot(&p.maps, x.Map.addr)
	case x.Repeat == Column || x.Repeat == Scalar:
		k.kind = partFixed
	case x.plain(t.Cols) && !p.sums:
		k.kind = partPlain
	}
	k.wide = p.vector && k.kind != partListed && x.At%p.lanes == 0 && x.width(t.Cols)%p.lanes == 0
	if k.kind != partFixed {
		k.wide = k.wide && x.From%p.lanes == 0 && stride%p.lanes == 0 && x.Src.addr%lanesBytes == 0
	}
	return k, true
}

// slot returns the position of an address in a list, to which it is added if it is new.
func slot(list *[]uint64, addr uint64) int8 {
	for i, a := range *list {
		if a == addr {
			return int8(i)
		}
	}
	*list = append(*list, addr)
	return int8(len(*list) - 1)
}
