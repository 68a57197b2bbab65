package graph

import (
	"time"

	"github.com/fedlam/fedlam/kernels"
)

// view is what a step sees: the numbers of all values and the maps between rows, of all centres or of a block of them.
type view[F kernels.Float] struct {
	vals    [][]F // by value
	index   []indexState
	pairOff [][]int32 // by pairs: the first pair of each centre, and the number of pairs
}

// Regions whose steps sum over all rows are cut into so many pieces at most, of several blocks each, as each piece keeps sums
// of its own. In others every block is a piece, so that no worker waits long for the last.
const maxRegionPieces = 16

// regionPlan is how a region is done for given sizes.
type regionPlan struct {
	level      int // blocks have 1<<level centres
	grain      int // blocks of a piece
	pieces     int
	localElems int   // numbers that local values need for one block
	sumAt      []int // by step of the region: where its sums begin in partial, or in partial8 for tiles
}

// sums reports whether steps of a region sum over all rows.
func (p *Program) sums(r *region) bool {
	for i := r.first; i <= r.last; i++ {
		if s := &p.steps[i]; s.sumsRows() || s.tile != nil && s.tile.sums > 0 {
			return true
		}
	}
	return false
}

// runRegion does region r.
func (e *Exec[F]) runRegion(r int) {
	plan := &e.regions[r]
	if plan.pieces > 0 {
		e.pool.run(job{regionJob, r}, plan.pieces)
	}
	reg := &e.program.regions[r]
	for i := reg.first; i <= reg.last; i++ {
		s := &e.program.steps[i]
		at := plan.sumAt[i-reg.first]
		switch {
		case s.sumsRows():
			e.combine(s, plan.pieces, e.partial[at:], nil)
		case s.tile != nil && s.tile.sums > 0:
			e.combine(s, plan.pieces, nil, e.partial8[at:])
		}
	}
	e.profile.endRegion(reg)
}

// regionPiece does one piece of a region: some blocks, one after the other.
func (e *Exec[F]) regionPiece(r, piece, worker int) {
	plan := &e.regions[r]
	k := &e.blockings[plan.level]
	for b := piece * plan.grain; b < min((piece+1)*plan.grain, k.blocks); b++ {
		e.regionBlock(r, piece, b, worker)
	}
}

// regionBlock does all steps of a region for one block.
func (e *Exec[F]) regionBlock(r, piece, b, worker int) {
	reg, plan := &e.program.regions[r], &e.regions[r]
	k := &e.blockings[plan.level]
	v := &e.scratch[worker].block
	e.look(v, reg, k, b, e.scratch[worker].local)
	begins := b == piece*plan.grain
	for i := reg.first; i <= reg.last; i++ {
		s := &e.program.steps[i]
		at := plan.sumAt[i-reg.first]
		var sum []F
		var sums []float64
		switch {
		case s.sumsRows():
			n := len(e.vals[s.outs[0]])
			sum = e.partial[at+piece*n : at+(piece+1)*n]
		case s.tile != nil:
			n := s.tile.sums
			sums = e.partial8[at+piece*n : at+(piece+1)*n]
			if begins {
				clear(sums)
			}
		}
		var began time.Time
		if e.profile != nil {
			began = time.Now()
		}
		e.do(s, v, 0, k.rows(s.over, b), sum, !begins, sums, worker)
		if e.profile != nil {
			e.profile.addBlock(worker, i, time.Since(began))
		}
	}
}

// look lets v show block b.
func (e *Exec[F]) look(v *view[F], reg *region, k *blocking, b int, local []F) {
	p := e.program
	for _, id := range reg.values {
		val := &p.values[id]
		root := &p.values[val.root]
		switch {
		case root.local != none:
			n := k.rows(val.rows, b) * val.cols
			at := e.localAt[val.root]
			v.vals[id] = local[at : at+n : at+n]
		case p.alignedRows(val.rows):
			from, to := k.span(val.rows.axis, b)
			n := val.rows.mul * val.cols
			v.vals[id] = e.vals[id][from*n : to*n : to*n]
		default:
			v.vals[id] = e.vals[id]
		}
	}
	e.lookMaps(v, reg, k, b)
}
