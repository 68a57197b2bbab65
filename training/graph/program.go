package graph

import (
	"maps"
	"slices"

	"github.com/fedlam/fedlam/kernels"
)

// A Program is a compiled set of expressions: a fixed order of steps over values. It holds no numbers but constants, never
// changes, and may serve any number of Execs at once.
type Program struct {
	axes     []string // sizes that a batch gives
	pairs    []*Pairs // axes derived at run time; their sizes come after those of axes
	indices  []*Index // index maps in use; a pairs' maps come after its centre
	values   []value
	steps    []step
	leaves   []leaf
	formulas []*kernels.Formula // of the steps with tiles, in their order
	outputs  map[string]int     // value by name

	regions  []region
	aligned  []rowAlignment // by axis, those of pairs last
	root     int            // axis of the centres, -1 if there are none
	mapAxes  [][2]int       // by position in indices: axes from and to, -1 for a fixed number
	internal []bool         // by position in indices: never leaves the rows of a centre

	segmented []bool   // by position in indices: segment starts are needed
	transpose []bool   // by position in indices: the rows that map to each row are needed
	centreOf  []int    // by position in pairs: position in indices of their centre
	pairHeads [][2]int // by position in pairs: the most heads, and the most columns of a head, of a PairDot
}

// extent is a Dim whose axis is a position in the list of sizes, -1 for none.
type extent struct{ axis, mul int }

// storage says where the numbers of a value live.
type storage uint8

const (
	inArena storage = iota // planned anew for each batch
	inBatch                // an input
	inParam
	inConst
	inView   // the numbers of another value
	inFrozen // memory of its own, as it is not computed anew for each batch
)

// value is a tensor that has memory of its own, or shares that of its root.
type value struct {
	rows  extent
	cols  int
	where storage
	root  int // value whose memory it is; itself unless where is inView
	first int // step that computes it, -1 for leaves
	last  int // last step that reads it (or a view of it); len(steps) for outputs
	local int // region outside of which nothing knows it; none for others
	name  string
	data  []float64 // inConst
}

// leaf is an input or a parameter.
type leaf struct {
	name  string
	value int
	input bool
}

// step computes one or more values. Which attributes mean something depends on op.
type step struct {
	op     op // opAdd stands for any fused elementwise step
	args   []int
	outs   []int
	index  int    // position in Program.indices
	pairs  int    // position in Program.pairs
	region int    // none for a step of its own
	frozen bool   // follows from parameters alone, which do not change
	again  bool   // computes what an earlier step has computed, to save memory
	over   extent // rows that the work is cut by
	c      [2]float64
	n      [5]int
	rowMap *kernels.RowMap // opPermute
	tile   *tileProgram
	reuse  []reuse
	label  string
}

// region is a run of steps that are done together, for a few centres at a time.
type region struct {
	first, last int   // steps
	values      []int // that its steps read or compute, views after what they show
	maps        []regionMap
	pairs       []int // positions in pairs
}

// regionMap is an index map that steps of a region use, and what of it.
type regionMap struct {
	index                    int // position in indices
	to, segments, transposed bool
}

// rowAlignment says how the rows of an axis follow from centres: they are the centres, or lie in the segments of a map to
// them, or are the pairs of such rows.
type rowAlignment struct {
	kind alignKind
	by   int // position in indices or pairs
}

type alignKind uint8

const (
	notAligned alignKind = iota
	isRoot
	byIndex
	byPairs
)

// reuse says that output out may take over the memory of argument arg, which nothing reads afterwards.
type reuse struct{ out, arg int }

// A Leaf describes an input or a parameter of a program.
type Leaf struct {
	Name string
	Rows Dim
	Cols int
}

// Inputs returns what a Batch must bring along, by ascending name.
func (p *Program) Inputs() []Leaf { return p.list(true) }

// Params returns the parameters in use, by ascending name.
func (p *Program) Params() []Leaf { return p.list(false) }

func (p *Program) list(inputs bool) []Leaf {
	var out []Leaf
	for _, l := range p.leaves {
		if l.input == inputs {
			v := p.values[l.value]
			d := Dim{Mul: v.rows.mul}
			if v.rows.axis >= 0 {
				d.Axis = p.axisName(v.rows.axis)
			}
			out = append(out, Leaf{l.name, d, v.cols})
		}
	}
	return out
}

func (p *Program) axisName(i int) string {
	if i < len(p.axes) {
		return p.axes[i]
	}
	return p.pairs[i-len(p.axes)].name
}

// Outputs returns the names of the outputs, ascending.
func (p *Program) Outputs() []string { return slices.Sorted(maps.Keys(p.outputs)) }

// Axes returns the names of the sizes that a Batch must bring along, ascending.
func (p *Program) Axes() []string { return slices.Clone(p.axes) }

// Indices returns the names of the index maps that a Batch must bring along, in the order of their creation.
func (p *Program) Indices() []string {
	var names []string
	for _, x := range p.indices {
		if x.pairs == nil {
			names = append(names, x.name)
		}
	}
	return names
}

// Steps returns the number of steps of a run.
func (p *Program) Steps() int { return len(p.steps) }
