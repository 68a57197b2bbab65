package graph

import "fmt"

// Input returns a tensor whose values each Batch brings along under this name. A name has one shape.
func (b *Builder) Input(name string, rows Dim, cols int) *Tensor {
	return b.leaf(opInput, name, rows, cols)
}

// Param returns a tensor whose values stay in the Exec between runs, see Exec.Param. A name has one shape.
func (b *Builder) Param(name string, rows, cols int) *Tensor {
	return b.leaf(opParam, name, Fixed(rows), cols)
}

func (b *Builder) leaf(o op, name string, rows Dim, cols int) *Tensor {
	want(name != "", o, "needs a name")
	want(cols >= 0, o, "%q: %d columns", name, cols)
	if old, ok := b.leaves[name]; ok {
		want(old.op == o && old.rows == rows && old.cols == cols, o,
			"%q asked for as %v x %d, but it exists as %v", name, rows, cols, old)
		return old
	}
	t := b.append(&Tensor{op: o, name: name, rows: rows, cols: cols})
	b.leaves[name] = t
	return t
}

// Const returns a tensor of numbers known now. It keeps data, row-major, which must not change afterwards.
func (b *Builder) Const(rows, cols int, data []float64) *Tensor {
	want(rows >= 0 && cols >= 0 && len(data) == rows*cols, opConst, "%d x %d from %d numbers", rows, cols, len(data))
	return b.add(Tensor{op: opConst, rows: Fixed(rows), cols: cols, data: data})
}

// Full returns a tensor with the same number v everywhere.
func (b *Builder) Full(rows Dim, cols int, v float64) *Tensor {
	want(cols >= 0, opFull, "%d columns", cols)
	return b.add(Tensor{op: opFull, rows: rows, cols: cols, c: [2]float64{v}})
}

// An Index maps each row of one axis to a row of another, []int32 at run time: edges to their centre atoms, atoms to
// their type, atoms to their frame.
type Index struct {
	owner    *Builder
	id       int
	name     string
	from, to Dim
	order    mapOrder
	pairs    *Pairs // left or right map of pairs, derived at run time
}

// mapOrder is what is known of the order of a map.
type mapOrder uint8

const (
	anyOrder  mapOrder = iota
	ascending          // values never decrease
	once               // no value comes twice
)

func (o mapOrder) String() string { return [...]string{"of any order", "sorted", "unique"}[o] }

func (x *Index) sorted() bool { return x.order == ascending }

// From returns the rows that are mapped.
func (x *Index) From() Dim { return x.from }

// To returns the rows that are mapped to.
func (x *Index) To() Dim { return x.to }

func (x *Index) String() string { return fmt.Sprintf("index %q %v -> %v", x.name, x.from, x.to) }

// Index returns a map of any order, given by each Batch under this name.
func (b *Builder) Index(name string, from, to Dim) *Index {
	return b.namedIndex(name, from, to, anyOrder)
}

// SortedIndex returns a map whose values never decrease from one row to the next, so that the rows that map to one
// row are contiguous: a segment. Segments may be empty.
func (b *Builder) SortedIndex(name string, from, to Dim) *Index {
	return b.namedIndex(name, from, to, ascending)
}

// UniqueIndex returns a map by which no two rows lead to the same one; in any order.
func (b *Builder) UniqueIndex(name string, from, to Dim) *Index {
	return b.namedIndex(name, from, to, once)
}

func (b *Builder) namedIndex(name string, from, to Dim, order mapOrder) *Index {
	if name == "" {
		panic("graph: Index: needs a name")
	}
	if old, ok := b.index[name]; ok {
		if old.from != from || old.to != to || old.order != order {
			panic(fmt.Sprintf("graph: Index: %q asked for as %v -> %v (%v), but it exists as %v (%v)",
				name, from, to, order, old, old.order))
		}
		return old
	}
	x := b.newIndex(Index{name: name, from: from, to: to, order: order})
	b.index[name] = x
	return x
}

func (b *Builder) newIndex(x Index) *Index {
	x.owner, x.id = b, len(b.order)
	b.order = append(b.order, &x)
	return &x
}

// Pairs is the set of all ordered pairs (j, k), j = k included, of rows that share a centre. If centre i owns the n
// rows from s on, its pairs occupy n*n consecutive rows, and (j, k) is row (j-s)*n + (k-s) of them.
type Pairs struct {
	owner       *Builder
	id          int
	name        string
	centre      *Index
	left, right *Index
}

// Dim returns the number of pairs: the axis that carries the name of the Pairs.
func (p *Pairs) Dim() Dim { return Axis(p.name) }

// Left maps a pair (j, k) to row j. It is sorted.
func (p *Pairs) Left() *Index { return p.left }

// Right maps a pair (j, k) to row k.
func (p *Pairs) Right() *Index { return p.right }

// Pairs returns the pairs of the rows of a sorted index. They are derived from it at run time; the name is that of
// their axis and must not be among the sizes of a Batch.
func (b *Builder) Pairs(name string, centre *Index) *Pairs {
	if name == "" || centre == nil || centre.owner != b || !centre.sorted() {
		panic(fmt.Sprintf("graph: Pairs: %q: needs a name and a sorted index of the same Builder, got %v", name, centre))
	}
	if old, ok := b.pairs[name]; ok {
		if old.centre != centre {
			panic(fmt.Sprintf("graph: Pairs: %q asked for over %v, but it exists over %v", name, centre, old.centre))
		}
		return old
	}
	p := &Pairs{owner: b, id: len(b.pairs), name: name, centre: centre}
	p.left = b.newIndex(Index{name: name + ".left", from: p.Dim(), to: centre.from, order: ascending, pairs: p})
	p.right = b.newIndex(Index{name: name + ".right", from: p.Dim(), to: centre.from, pairs: p})
	b.pairs[name] = p
	return p
}
