package graph

import (
	"slices"
	"time"
)

// NodeTime says how long one step of a program has taken.
type NodeTime struct {
	Step   int    // position in the schedule
	Label  string // operations and shape
	Rows   int    // rows of the result in the last run
	Cols   int
	Pieces int // pieces the work was cut into in the last run
	Calls  int
	Total  time.Duration
	Least  time.Duration // of a single call: what it takes when nothing disturbs
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

// Profile returns the times measured since StartProfile, the longest first; nil without StartProfile.
func (e *Exec[F]) Profile() []NodeTime {
	if e.profile == nil {
		return nil
	}
	list := make([]NodeTime, len(e.program.steps))
	for i := range list {
		s := &e.program.steps[i]
		v := &e.program.values[s.outs[0]]
		list[i] = NodeTime{i, s.label, e.rowsOf(v), v.cols, e.work[i].pieces, e.profile.calls[i], e.profile.total[i], e.profile.least[i]}
	}
	slices.SortStableFunc(list, func(x, y NodeTime) int { return int(y.Total - x.Total) })
	return list
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
