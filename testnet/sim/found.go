package sim

import (
	"fmt"
	"maps"
	"sync"
)

// foundation is what the disks hold after an undisturbed setup round.
type foundation struct {
	once  sync.Once
	disks []*process
	audit *audit
	err   error
}

// foundations are shared by all scenarios of one size: the setup round of many members takes a while.
var foundations sync.Map // [3]int{members, cohort, divided} to *foundation

// found lets the members have the setup round already.
func (w *World) found() error {
	v, _ := foundations.LoadOrStore([3]int{w.s.Members, w.s.Cohort, w.s.Divided}, &foundation{})
	f := v.(*foundation)
	f.once.Do(func() {
		var before *World
		if before, f.err = newWorld(&Scenario{Members: w.s.Members, Cohort: w.s.Cohort, Divided: w.s.Divided, Rounds: 1}); f.err != nil {
			return
		}
		before.play()
		f.disks, f.audit = before.processes, before.audit
		f.err = before.outcome().Err()
	})
	if f.err != nil {
		return fmt.Errorf("the setup round before the scenario: %w", f.err)
	}
	maps.Copy(w.audit.records, f.audit.records)
	maps.Copy(w.audit.kinds, f.audit.kinds)
	maps.Copy(w.audit.groups, f.audit.groups)
	for _, p := range w.processes {
		from := f.disks[p.index]
		p.disk, p.blocks = maps.Clone(from.disk), maps.Clone(from.blocks)
		p.finished = from.finished
	}
	return nil
}
