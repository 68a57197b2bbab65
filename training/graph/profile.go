package graph

import (
	"slices"
	"time"
)

// NodeTime says what one step of a program does and how long it has taken.
type NodeTime struct {
	Step    int    // position in the schedule
	Kind    string // name of the Builder method; "Elementwise" for fused ones, "MatMulT" with the left factor transposed
	Label   string // operations and shape
	Product bool   // counts for ProductFLOP
	Again   bool   // computed before, in this run or once for all; not counted in FLOP and ProductFLOP
	Rows    int    // rows of the result in the last run
	Cols    int
	Pieces  int   // pieces the work was cut into in the last run
	FLOP    int64 // floating-point operations of a call, for the sizes of the last run
	Bytes   int64 // operands read and results written by a call, likewise
	Calls   int
	Total   time.Duration
	Least   time.Duration // of a single call: what it takes when nothing disturbs
}

// profile measures steps; nil does nothing.
type profile struct {
	calls []int
	total []time.Duration
	least []time.Duration
	began time.Time
	step  int

	blocks [][]time.Duration // by worker and step: this run's time in regions
}

// StartProfile begins to measure the time of each step, from zero.
func (e *Exec[F]) StartProfile() {
	n := len(e.program.steps)
	e.profile = &profile{calls: make([]int, n), total: make([]time.Duration, n), least: make([]time.Duration, n)}
	for range e.scratch {
		e.profile.blocks = append(e.profile.blocks, make([]time.Duration, n))
	}
}

// Profile returns the times measured since StartProfile, the longest first; nil without StartProfile
// and before the first run.
func (e *Exec[F]) Profile() []NodeTime {
	if e.profile == nil || !e.hasPlan {
		return nil
	}
	list := make([]NodeTime, len(e.program.steps))
	for i := range list {
		s := &e.program.steps[i]
		v := &e.program.values[s.outs[0]]
		list[i] = NodeTime{
			Step: i, Kind: s.kind(), Label: s.label, Product: s.op.product(), Again: s.again || s.frozen,
			Rows: e.rowsOf(v), Cols: v.cols, Pieces: e.work[i].pieces, FLOP: e.stepFLOP(s), Bytes: e.stepBytes(s),
			Calls: e.profile.calls[i], Total: e.profile.total[i], Least: e.profile.least[i],
		}
	}
	slices.SortStableFunc(list, func(x, y NodeTime) int { return int(y.Total - x.Total) })
	return list
}

// kind names the operation of a step.
func (s *step) kind() string {
	if s.tile != nil {
		return "Elementwise"
	}
	if s.op == opMatMul && Transpose(s.n[0]) == T {
		return "MatMulT"
	}
	return s.op.String()
}

func (p *profile) begin(step int) {
	if p != nil {
		p.step, p.began = step, time.Now()
	}
}

func (p *profile) end() {
	if p != nil {
		p.add(p.step, time.Since(p.began))
	}
}

func (p *profile) add(step int, d time.Duration) {
	if p.calls[step] == 0 || d < p.least[step] {
		p.least[step] = d
	}
	p.calls[step]++
	p.total[step] += d
}

// addBlock adds the time of a step for one block of centres.
func (p *profile) addBlock(worker, step int, d time.Duration) { p.blocks[worker][step] += d }

// endRegion counts one call of each step of a region: the time that all workers together have spent on it.
func (p *profile) endRegion(r *region) {
	if p == nil {
		return
	}
	for i := r.first; i <= r.last; i++ {
		var d time.Duration
		for _, times := range p.blocks {
			d += times[i]
			times[i] = 0
		}
		p.add(i, d)
	}
}
