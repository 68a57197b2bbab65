package graph

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/kernels"
)

// A Batch is what one run works on. The Exec reads the slices during Run only and does not change them.
type Batch[F kernels.Float] struct {
	Sizes   map[string]int     // size of each axis but those of Pairs
	Inputs  map[string][]F     // values of each Input, row-major
	Indices map[string][]int32 // values of each Index, one for each row of From
}

// maxElements bounds the rows of a value, which maps count in int32, and maxNumbers rows times columns, so that products of
// sizes cannot overflow. A value of a region never has memory for all of its numbers at once.
const (
	maxElements = math.MaxInt32
	maxNumbers  = min(1<<40, math.MaxInt)
)

// bind checks a batch and derives what the steps need from it: sizes, segments, pairs.
func (e *Exec[F]) bind(b *Batch[F]) error {
	p := e.program
	if e.sizes == nil {
		e.sizes = make([]int, len(p.axes)+len(p.pairs))
		e.planned = make([]int, len(e.sizes))
		e.index = make([]indexState, len(p.indices))
		e.ready, e.bound = make([]int, 0, len(p.indices)), make([]error, len(p.indices))
		e.pairOff, e.pairMost = make([][]int32, len(p.pairs)), make([]int, len(p.pairs))
	}
	for i, name := range p.axes {
		n, ok := b.Sizes[name]
		if !ok {
			return fmt.Errorf("the batch gives no size for axis %q", name)
		}
		if n < 0 || n > maxElements {
			return fmt.Errorf("size %d of axis %q: want 0 to %d", n, name, maxElements)
		}
		e.sizes[i] = n
	}
	if err := e.bindIndices(b); err != nil {
		return err
	}
	return e.bindInputs(b)
}

func (e *Exec[F]) bindInputs(b *Batch[F]) error {
	for i := range e.program.values {
		v := &e.program.values[i]
		rows := e.rowsOf(v)
		if rows > maxElements || int64(rows)*int64(v.cols) > maxNumbers {
			return fmt.Errorf("a tensor of %d x %d numbers is too large; use a smaller batch", rows, v.cols)
		}
		if v.where != inBatch {
			continue
		}
		data, ok := b.Inputs[v.name]
		if !ok {
			return fmt.Errorf("the batch gives no input %q", v.name)
		}
		if len(data) != rows*v.cols {
			return fmt.Errorf("input %q has %d numbers, want %d x %d", v.name, len(data), rows, v.cols)
		}
		e.vals[i] = data
	}
	return nil
}

// rowsOf returns the number of rows of a value.
func (e *Exec[F]) rowsOf(v *value) int { return e.extent(v.rows) }

func (e *Exec[F]) extent(x extent) int {
	if x.axis < 0 {
		return x.mul
	}
	return x.mul * e.sizes[x.axis]
}

// dim returns the number of rows of d, which refers to axes of the program; negative if it depends on pairs that are not
// yet bound.
func (e *Exec[F]) dim(d Dim) int {
	if d.Axis == "" {
		return d.Mul
	}
	for i, p := range e.program.pairs {
		if p.name == d.Axis {
			return d.Mul * e.sizes[len(e.program.axes)+i]
		}
	}
	for i, name := range e.program.axes {
		if name == d.Axis {
			return d.Mul * e.sizes[i]
		}
	}
	panic(fmt.Sprintf("graph: axis %q is not part of the program", d.Axis)) // Compile has collected them all
}
