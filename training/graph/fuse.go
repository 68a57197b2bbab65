package graph

import "slices"

// maxFused is the largest number of operations in one fused step.
const maxFused = 48

// unit is what becomes one step: a single tensor, or operations of one shape that are computed tile by tile in one pass
// over memory.
type unit struct {
	members []*Tensor // in order
	fused   bool
	key     int // position of the last member in the list of tensors
	region  int
	probe   *Tensor // a member, while members are being replaced
	again   bool    // computes what an earlier unit has computed

	// For scheduling.
	local     bool   // may belong to a region
	waits     int    // units not yet scheduled that this one needs
	feeds     []feed // units that need this one
	notBefore int    // first phase it may belong to
}

func (u *unit) tileShape() shape2 { return tileShape(u.probe) }

// feed leads to a unit that needs another. Beyond a barrier it cannot be of the same region.
type feed struct {
	to      *unit
	barrier bool
}

// inTiles reports whether t is computed by tiles: elementwise operations, and sums of them, which are stored instead.
func inTiles(t *Tensor) bool { return mapped(t) || t.op == opSumRows || t.op == opSumCols }

// mapped reports whether t is computed by tiles and has the shape of the tile.
func mapped(t *Tensor) bool {
	return t.op.elementwise() || t.op == opBroadcastRows || t.op == opBroadcastCols
}

// moves reports whether t only takes numbers from elsewhere, which a tile can do while it loads them.
func moves(t *Tensor) bool {
	return t.op == opGather || t.op == opSlice || t.op == opConcat || t.op == opPlace
}

// cheap reports whether it costs less to compute t again from its operand than to load it from memory.
func cheap(t *Tensor) bool {
	return t.op == opNeg || t.op == opScale || t.op == opAddScalar || t.op == opSquare
}

// maxChain is the most cheap operations in a row that are computed again.
const maxChain = 4

// shape2 is the shape of the tiles that compute a tensor.
type shape2 struct {
	rows Dim
	cols int
}

func tileShape(t *Tensor) shape2 {
	if !mapped(t) {
		t = t.args[0]
	}
	return shape2{t.rows, t.cols}
}

// class is what the members of a fused unit have in common. A path between two tensors that leaves the class raises the
// stage, so units never wait for each other in a circle.
type class struct {
	shape2
	stage int
}

// fuser groups tensors into units.
type fuser struct {
	list     []*Tensor        // arguments first
	position map[*Tensor]int  // in list
	stage    map[*Tensor]int  // how often a path to the tensor leaves a class
	inline   map[*Tensor]bool // moves that tiles do while loading
	again    map[againKey]*Tensor
	out      []*Tensor // list, with what is computed again
}

type againKey struct {
	t     *Tensor
	stage int
}

// fuse returns the units that compute the outputs, given all live tensors, arguments first, and which moves are done by
// the units that read them.
func fuse(list, outputs []*Tensor) ([]*unit, map[*Tensor]bool) {
	f := &fuser{list: list, stage: map[*Tensor]int{}, inline: map[*Tensor]bool{}, again: map[againKey]*Tensor{}}
	f.findInline(outputs)
	for _, t := range list {
		f.assign(t)
	}
	f.list = f.needed(outputs)
	f.position = map[*Tensor]int{}
	for i, t := range f.list {
		f.position[t] = i
	}
	return f.units(), f.inline
}

// findInline marks the moves all of whose readers are tiles of matching rows. A gathered column that tiles of several shapes
// read is none: to fetch single numbers from all over takes longer than to read them once more.
func (f *fuser) findInline(outputs []*Tensor) {
	shapes := map[*Tensor]shape2{} // of readers of columns
	for _, t := range f.list {
		f.inline[t] = moves(t) && t.cols > 0
	}
	for _, t := range outputs {
		f.inline[t] = false
	}
	for _, t := range f.list {
		for _, a := range t.args {
			if !moves(a) {
				continue
			}
			if !inTiles(t) || !fitsTile(a, tileShape(t)) {
				f.inline[a] = false
			}
			if shape, met := shapes[a]; a.op == opGather && a.cols == 1 && met && shape != tileShape(t) {
				f.inline[a] = false
			}
			shapes[a] = tileShape(t)
		}
	}
}

// fitsTile reports whether a covers every row of a tile by itself.
func fitsTile(a *Tensor, s shape2) bool { return a.rows == s.rows && (a.cols == s.cols || a.cols == 1) }

// assign finds the stage of t, and lets it refer to cheap operands computed again in its own stage.
func (f *fuser) assign(t *Tensor) {
	stage := 0
	for _, a := range t.args {
		stage = max(stage, f.after(t, a))
	}
	f.stage[t] = stage
	if inTiles(t) {
		for i, a := range t.args {
			if f.repeatable(t, a) && f.stage[a] != stage {
				t.args = slices.Clone(t.args)
				t.args[i] = f.repeat(a, stage)
			}
		}
	}
	f.out = append(f.out, t)
}

// after returns the earliest stage of t as far as its argument a is concerned.
func (f *fuser) after(t, a *Tensor) int {
	switch {
	case f.inline[a]:
		stage := 0
		for _, from := range a.args {
			stage = max(stage, f.stage[from]+1)
		}
		return stage
	case f.repeatable(t, a):
		return f.after(t, chainBase(a))
	case inTiles(t) && mapped(a) && tileShape(a) == tileShape(t):
		return f.stage[a]
	}
	return f.stage[a] + 1
}

// repeatable reports whether t computes its argument a again if that belongs to an earlier stage.
func (f *fuser) repeatable(t, a *Tensor) bool {
	return inTiles(t) && cheap(a) && tileShape(a) == tileShape(t) && chainBase(a) != nil
}

// chainBase returns what a short chain of cheap operations begins with; nil if it is long.
func chainBase(t *Tensor) *Tensor {
	for range maxChain {
		t = t.args[0]
		if !cheap(t) {
			return t
		}
	}
	return nil
}

// repeat returns a copy of a cheap operation for another stage.
func (f *fuser) repeat(t *Tensor, stage int) *Tensor {
	if !cheap(t) {
		return t
	}
	key := againKey{t, stage}
	if copied, ok := f.again[key]; ok {
		return copied
	}
	c := *t
	c.args = []*Tensor{f.repeat(t.args[0], stage)}
	f.again[key] = &c
	f.stage[&c] = stage
	f.out = append(f.out, &c)
	return &c
}

// needed returns the tensors that are still needed, arguments first.
func (f *fuser) needed(outputs []*Tensor) []*Tensor {
	marks := map[*Tensor]bool{}
	for _, t := range outputs {
		marks[t] = true
	}
	for i := len(f.out) - 1; i >= 0; i-- {
		if marks[f.out[i]] {
			for _, a := range f.out[i].args {
				marks[a] = true
			}
		}
	}
	return slices.DeleteFunc(f.out, func(t *Tensor) bool { return !marks[t] })
}
