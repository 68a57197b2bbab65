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
