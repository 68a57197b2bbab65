package graph

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A Tensor is one expression of a Builder: a matrix of Rows x Cols numbers, row-major, whose values exist only when
// an Exec runs. It is immutable.
type Tensor struct {
	owner *Builder
	id    int // position in owner.nodes; arguments have smaller ids
	op    op
	args  []*Tensor
	rows  Dim
	cols  int

	// Attributes; which ones mean something depends on op.
	name  string    // opInput, opParam
	data  []float64 // opConst
	index *Index    // opGather ... opSegSoftmax
	pairs *Pairs    // opPair...
	c     [2]float64
	n     [5]int
	perm  []int // opPermute
}

// Rows returns the number of rows.
func (t *Tensor) Rows() Dim { return t.rows }

// Cols returns the number of columns.
func (t *Tensor) Cols() int { return t.cols }

// String describes the expression's outermost operation, for messages.
func (t *Tensor) String() string {
	if t.name != "" {
		return fmt.Sprintf("%v %q %v x %d", t.op, t.name, t.rows, t.cols)
	}
	return fmt.Sprintf("%v#%d %v x %d", t.op, t.id, t.rows, t.cols)
}

func (t *Tensor) shape() string { return fmt.Sprintf("%v x %d", t.rows, t.cols) }

// A Builder collects expressions. Its methods panic on operands whose shapes do not fit, with a message that names
// the operation and the shapes: that is a mistake in the calling code, not in data. A Builder is for one goroutine.
//
// Structurally equal expressions are one Tensor: calling b.Tanh(x) twice returns the same pointer. Leaves made by
// Const and Full are always distinct, so that Grad can tell them apart.
type Builder struct {
	nodes  []*Tensor
	byKey  map[string]*Tensor
	leaves map[string]*Tensor // inputs and parameters by name
	index  map[string]*Index
	order  []*Index // index maps given by name, in order of creation
	pairs  map[string]*Pairs

	// In the second Builder that Compile makes, equal leaves are one Tensor, and indices are those of the first.
	source *Builder
}

// New returns an empty Builder.
func New() *Builder {
	return &Builder{
		byKey:  map[string]*Tensor{},
		leaves: map[string]*Tensor{},
		index:  map[string]*Index{},
		pairs:  map[string]*Pairs{},
	}
}

// add returns t, or the equal expression made earlier.
func (b *Builder) add(t Tensor) *Tensor {
	for _, a := range t.args {
		if a.owner != b {
			panic(fmt.Sprintf("graph: %v: operand %v belongs to another Builder", t.op, a))
		}
	}
	if b.source == nil && (t.op == opConst || t.op == opFull) {
		return b.append(&t)
	}
	key := t.key()
	if old, ok := b.byKey[key]; ok {
		return old
	}
	b.byKey[key] = b.append(&t)
	return &t
}

func (b *Builder) append(t *Tensor) *Tensor {
	t.owner, t.id = b, len(b.nodes)
	b.nodes = append(b.nodes, t)
	return t
}

// key encodes everything that determines the values of t.
func (t *Tensor) key() string {
	k := make([]byte, 0, 128)
	put := func(v int) { k = binary.AppendVarint(k, int64(v)) }
	put(int(t.op))
	put(len(t.args))
	for _, a := range t.args {
		put(a.id)
	}
	put(t.rows.Mul)
	put(t.cols)
	for _, v := range t.n {
		put(v)
	}
	for _, v := range t.c {
		k = binary.LittleEndian.AppendUint64(k, math.Float64bits(v))
	}
	if t.index != nil {
		put(t.index.id + 1)
	} else {
		put(0)
	}
	if t.pairs != nil {
		put(t.pairs.id + 1)
	} else {
		put(0)
	}
	put(len(t.perm))
	for _, v := range t.perm {
		put(v)
	}
	put(len(t.data))
	for _, v := range t.data {
		k = binary.LittleEndian.AppendUint64(k, math.Float64bits(v))
	}
	k = append(k, t.rows.Axis...)
	k = append(k, 0)
	return string(append(k, t.name...))
}
