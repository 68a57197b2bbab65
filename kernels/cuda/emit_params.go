package cuda

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/fedlam/fedlam/kernels"
)

// tileParam is a parameter of the kernel. Those of 64 bits come first.
type tileParam struct {
	role paramRole
	i    int
	typ  string // of PTX
	bits uint64
}

// paramRole says what a parameter is; some roles have one for each part, store or constant.
type paramRole uint8

const (
	roleSrc paramRole = iota
	roleIndex
	roleMap
	roleDst
	roleConstant // of an instruction: 16 times its number and the position there
	roleCount    // numbers, or groups of lanes side by side
	roleAcross   // columns, in the same unit
	roleMagic    // division by roleAcross, see reciprocal
	roleShift
	roleStride // bytes between rows of a part
	roleFrom   // the columns that a part covers
	roleTo
	roleRows
	roleCols
	roleHigh // rows of a band
	roleBands
)

// reciprocal returns numbers with which x / d is x * magic >> shift for all x below 2^31; the product fits 64 bits.
func reciprocal(d int) (magic uint32, shift int) {
	shift = 31 + bits.Len32(uint32(d-1))
	return uint32((1<<shift + uint64(d) - 1) / uint64(d)), shift
}

// fillParams lists the parameters of the kernel with their values.
func (t *Tile[F]) fillParams(p *tilePlan) {
	add := func(role paramRole, i int, typ string, v uint64) {
		p.params = append(p.params, tileParam{role, i, typ, v})
	}
	t.addressParams(p)
	t.constantParams(p)
	if p.sums {
		t.bandParams(p)
	} else {
		across := t.Cols / p.lanesAside()
		add(roleCount, 0, "u32", uint64(t.Rows)*uint64(across))
		if !p.flat {
			magic, shift := reciprocal(across)
			add(roleAcross, 0, "u32", uint64(across))
			add(roleMagic, 0, "u32", uint64(magic))
			add(roleShift, 0, "u32", uint64(shift))
		}
	}
	k := 0
	for _, l := range t.Loads {
		for i := range l {
			x, part := &l[i], &p.parts[k]
			if part.kind != partPlain && part.row != oneRow {
				add(roleStride, k, "u32", uint64(x.srcCols(t.Cols))*size[F]())
			}
			if part.ranged {
				add(roleFrom, k, "u32", uint64(x.At))
				add(roleTo, k, "u32", uint64(x.At+x.width(t.Cols)))
			}
			k++
		}
	}
}

// lanesAside is how many numbers of a thread lie side by side.
func (p *tilePlan) lanesAside() int {
	if p.vector {
		return p.lanes
	}
	return 1
}

// addressParams: that of a part is where column 0 of the tile's row 0 would be.
func (t *Tile[F]) addressParams(p *tilePlan) {
	add := func(role paramRole, i int, addr uint64) {
		p.params = append(p.params, tileParam{role, i, "u64", addr})
	}
	k := 0
	for _, l := range t.Loads {
		for i := range l {
			x := &l[i]
			from := x.From - x.At
			switch p.parts[k].kind {
			case partFixed:
				from = x.From
			case partListed:
				from = 0
			}
			add(roleSrc, k, x.Src.addr+uint64(from)*size[F]()) // from may be below 0: so is the sum then, as it should
			k++
		}
	}
	for i, a := range p.index {
		add(roleIndex, i, a)
	}
	for i, a := range p.maps {
		add(roleMap, i, a)
	}
	for i, to := range t.destinations() {
		add(roleDst, i, to)
	}
}

// constantParams: those of the switch function are double, others of the element type.
func (t *Tile[F]) constantParams(p *tilePlan) {
	for i := range t.Formula.Code {
		in := &t.Formula.Code[i]
		if in.Op != kernels.OpSwitch {
			continue
		}
		inv, below, c := kernels.SwitchPolynomial(in.S, in.T, in.N)
		for k, v := range [...]float64{in.S, inv, below, c[0], c[1], c[2], c[3], c[4], c[5]} {
			p.params = append(p.params, tileParam{roleConstant, 16*i + k, "f64", math.Float64bits(v)})
		}
	}
	for i := range t.Formula.Code {
		in := &t.Formula.Code[i]
		if n := constantsOf(in); in.Op != kernels.OpSwitch && n > 0 {
			for k, v := range []float64{in.S, in.T}[:n] {
				p.params = append(p.params, tileParam{roleConstant, 16*i + k, floatName[F](), floatBits[F](v)})
			}
		}
	}
}

// floatName is the element type in PTX.
func floatName[F kernels.Float]() string {
	if size[F]() == 4 {
		return "f32"
	}
	return "f64"
}

// floatBits rounds a number to the element type.
func floatBits[F kernels.Float](v float64) uint64 {
	if size[F]() == 4 {
		return uint64(math.Float32bits(float32(v)))
	}
	return math.Float64bits(v)
}

// bandParams are those of tiles with sums; see src/elementwise.cu for the order in which they are taken.
func (t *Tile[F]) bandParams(p *tilePlan) {
	add := func(role paramRole, v int) { p.params = append(p.params, tileParam{role, 0, "u32", uint64(v)}) }
	width := min(t.Cols, t.numbers())
	high := t.numbers() / width
	magic, shift := reciprocal(width)
	add(roleRows, t.Rows)
	add(roleCols, t.Cols)
	add(roleAcross, width)
	add(roleMagic, int(magic))
	add(roleShift, shift)
	add(roleHigh, high)
	add(roleBands, (t.Rows+high-1)/high)
}

// encodeParams adds the parameters to the arguments of a launch.
func (p *tilePlan) encodeParams(r *Recorder) {
	for i := range p.params {
		if x := &p.params[i]; x.typ[1:] == "64" {
			r.wide(x.bits)
		} else {
			r.args = binary.LittleEndian.AppendUint32(r.args, uint32(x.bits))
		}
	}
}
