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
}

// StartProfile begins to measure the time of each step, from zero.
func (e *Exec[F]) StartProfile() {
	n := len(e.program.steps)
	e.profile = &profile{calls: make([]int, n), total: make([]time.Duration, n), least: make([]time.Duration, n)}
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
			Step: i, Kind: s.kind(), Label: s.label, Product: s.op.product(),
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
		d := time.Since(p.began)
		if p.calls[p.step] == 0 || d < p.least[p.step] {
			p.least[p.step] = d
		}
		p.calls[p.step]++
		p.total[p.step] += d
	}
}
