package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
)

// An Outcome is what came of a scenario.
type Outcome struct {
	Scenario *Scenario
	Kinds    []string      // of the certified rounds
	Faults   []string      // invariants that do not hold
	Stalled  []string      // members that have not got to the end in time
	Took     time.Duration // virtual
	Calm     time.Duration // of it after the last trouble
	Main     []string      // the story: main steps
	Full     []string      // the story: everything that members told their owners, too

	Disturbed int // rounds in which something was done
	Unfired   int // events whose moment did not come
	Sums      int // certified sums compared with what members contributed
	Divided   int // cohorts among them that were summed apart, the first of each sum not counted
	Opened    int // messages with opened shares that were looked into
}

func (w *World) outcome() *Outcome {
	o := &Outcome{Scenario: w.s, Faults: w.audit.faults, Stalled: w.stalled, Took: w.now, Calm: w.now - min(w.trouble, w.now), Main: w.main, Full: w.full,
		Disturbed: len(w.disturbed), Unfired: len(w.waiting) + w.timed, Sums: w.audit.sums, Divided: w.audit.divided, Opened: w.audit.opened}
	for k := uint64(0); w.audit.kinds[k] != ""; k++ {
		o.Kinds = append(o.Kinds, w.audit.kinds[k])
	}
	return o
}

// Voids is how many of the rounds were lost.
func (o *Outcome) Voids() (n int) {
	for _, k := range o.Kinds {
		if k == ledger.Void {
			n++
		}
	}
	return n
}

// Err says what is wrong, with all that is needed to see it again; nil when nothing is.
func (o *Outcome) Err() error { return o.report(slices.Concat(o.Faults, o.Stalled)) }

// Unsafe is Err for scenarios that may stand still: it says which invariants do not hold.
func (o *Outcome) Unsafe() error { return o.report(o.Faults) }

func (o *Outcome) report(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	const last = 60
	return fmt.Errorf("%s\n--- scenario, seed %d ---\n%s--- what happened last ---\n%s", strings.Join(wrong, "\n"), o.Scenario.Seed, o.Scenario,
		strings.Join(o.Full[max(0, len(o.Full)-last):], "\n"))
}

// note adds a main step to the story.
func (w *World) note(format string, args ...any) {
	line := fmt.Sprintf("%8.3fs  %s", w.now.Seconds(), fmt.Sprintf(format, args...))
	w.main, w.full = append(w.main, line), append(w.full, line)
}

// progress adds what a member tells its owner to the full story.
func (w *World) progress(p *process, a federation.Progress) {
	w.full = append(w.full, fmt.Sprintf("%8.3fs    %s round %d: %s", w.now.Seconds(), p, a.Round, a.Text))
	if a.Level == federation.Alarm && p.honest() {
		w.audit.alarmed(p, a.Text)
	}
}

// attemptText names an attempt, except where the message concerns the round as a whole.
func attemptText(attempt uint64) string {
	if attempt >= ledger.MaxAttempts {
		return ""
	}
	return fmt.Sprintf(", attempt %d", attempt)
}
