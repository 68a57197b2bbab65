package ledger

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/robust"
)

// Rules are what all members of an epoch keep to. They are part of the genesis and so of every CID after it.
type Rules struct {
	MinCohort int // smallest number of members in any sum over the trunk; 5, or 3 or 4 where every member's own policy says so
	MinGroup  int // smallest number of contributors of a head or an element row; 5, or down to 2 for demonstrations

	Steps uint64 // local optimiser steps per round

	Outer    string  // "nesterov" or "fedavg"
	Rate     float64 // outer learning rate, above 0, at most 10
	Momentum float64 // of Nesterov, in [0,1)

	Owners int // how many members hold and add up each chunk of a sum; 0 means that every member holds and adds up everything

	LaneBits   int     // of the ring that updates are summed in: 32, or 16 for half the bytes (rotated updates, secagg.Narrow)
	ValueBits  int     // of quantisation to 32 bits, see secagg.QuantizerConfig
	WeightBits int     // likewise
	AuditRows  int     // functionals of every update that are made public to audit its norm, see package sketch; 0 for no audit
	Cohorts    int     // into how many random cohorts, summed apart, members of a sum are divided at most; 0 for one sum over all
	Robust     string  // rule over the means of cohorts: "median", "trimmed-mean" or "geometric-median"; empty without cohorts
	Fragments  int     // parts of the trunk that are summed in turn, one in each training round, while local training goes on; 0 for all of it at once
	FirstScale float64 // full scale of updates in the first training round, parameter units

	JoinGrace   time.Duration // how long a round waits for more members once a quorum is ready
	StepTimeout time.Duration // how long a step of the protocol may take before the next coordinator tries
	MaskTimeout time.Duration // the same for the step in which masked inputs travel
	Forfeit     time.Duration // how long a member that saw another open shares waits before it gives the round up
}

// OuterNesterov and OuterFedAvg are the values of Rules.Outer.
const (
	OuterNesterov = "nesterov"
	OuterFedAvg   = "fedavg"
)

// robustRules are the values of Rules.Robust, as package robust names them.
var robustRules = []string{robust.NameMedian, robust.NameTrimmedMean, robust.NameGeometricMedian}

// MaxFragments is the largest value of Rules.Fragments: with more, a number waits too long for its turn.
const MaxFragments = 64

// Streams says whether the trunk is summed in fragments. One fragment is no fragments.
func (r *Rules) Streams() bool { return r.Fragments > 1 }

// DefaultRules are those of a federation of five or more institutions.
func DefaultRules() Rules {
	return Rules{
		MinCohort: 5, MinGroup: 5, Steps: 100,
		Outer: OuterNesterov, Rate: 0.7, Momentum: 0.9,
		LaneBits: 32, ValueBits: 16, WeightBits: 8, FirstScale: 1.0 / 16,
		JoinGrace: 10 * time.Minute, StepTimeout: time.Minute, MaskTimeout: 10 * time.Minute, Forfeit: 3 * time.Minute,
	}
}

// Validate refuses rules that no federation can live by.
func (r *Rules) Validate() error {
	switch {
	case r.MinCohort < 2 || r.MinCohort > MaxMembers:
		return fmt.Errorf("rules: minimum cohort %d, want 2 to %d", r.MinCohort, MaxMembers)
	case r.MinGroup < 2 || r.MinGroup > MaxMembers:
		return fmt.Errorf("rules: minimum group %d, want 2 to %d: a sum over one member is that member's update", r.MinGroup, MaxMembers)
	case r.Steps < 1 || r.Steps > 1e6:
		return fmt.Errorf("rules: %d local steps, want 1 to 1000000", r.Steps)
	case r.Outer != OuterNesterov && r.Outer != OuterFedAvg:
		return fmt.Errorf("rules: outer optimizer %.20q, want %q or %q", r.Outer, OuterNesterov, OuterFedAvg)
	case !(r.Rate > 0 && r.Rate <= 10):
		return errors.New("rules: outer rate must be above 0 and at most 10")
	case !(r.Momentum >= 0 && r.Momentum < 1):
		return errors.New("rules: outer momentum must be in [0,1)")
	case r.Owners < 0 || r.Owners > MaxMembers:
		return fmt.Errorf("rules: %d owners of a chunk, want 0 to %d", r.Owners, MaxMembers)
	case r.ValueBits < 16 || r.ValueBits > 24 || r.WeightBits < 0 || r.WeightBits > 16:
		return fmt.Errorf("rules: %d value bits and %d weight bits, want 16 to 24 and 0 to 16", r.ValueBits, r.WeightBits)
	case r.LaneBits != 32 && r.LaneBits != 16:
		return fmt.Errorf("rules: %d lane bits, want 32 or 16", r.LaneBits)
	case r.AuditRows != 0 && (r.AuditRows < 16 || r.AuditRows > 4096 || r.AuditRows&(r.AuditRows-1) != 0):
		return fmt.Errorf("rules: %d audit rows, want 0 for no audit, or a power of two from 16 to 4096, such as 64", r.AuditRows)
	case r.AuditRows > 0 && r.Owners > 0:
		return errors.New("rules: audit_rows needs every member to hold all masked inputs: leave owners at 0")
	case r.Cohorts != 0 && (r.Cohorts < 3 || r.Cohorts > MaxMembers/2):
		return fmt.Errorf("rules: %d cohorts, want 0 for one sum over all, or 3 to %d, of which a rule outvotes fewer than half", r.Cohorts, MaxMembers/2)
	case r.Cohorts > 0 != (r.Robust != "") || r.Robust != "" && !slices.Contains(robustRules, r.Robust):
		return fmt.Errorf("rules: robust rule %.20q with %d cohorts, want one of %q with cohorts, and none without", r.Robust, r.Cohorts, robustRules)
	case r.Cohorts > 0 && r.Owners > 0:
		return errors.New("rules: cohorts needs every member to hold all masked inputs: leave owners at 0")
	case r.Fragments < 0 || r.Fragments > MaxFragments:
		return fmt.Errorf("rules: %d fragments, want 0 to sum the whole trunk in every round, or 2 to %d", r.Fragments, MaxFragments)
	case !(r.FirstScale >= 1e-12 && r.FirstScale <= 1e12) || math.IsNaN(r.FirstScale):
		return errors.New("rules: first scale must be between 1e-12 and 1e12")
	}
	for _, d := range r.durations() {
		if *d.is < time.Millisecond || *d.is > 30*24*time.Hour || *d.is%time.Millisecond != 0 {
			return fmt.Errorf("rules: %s is %v, want whole milliseconds up to 30 days", d.name, *d.is)
		}
	}
	return nil
}

type namedDuration struct {
	name string
	is   *time.Duration
}

func (r *Rules) durations() []namedDuration {
	return []namedDuration{
		{"join_grace_ms", &r.JoinGrace}, {"step_timeout_ms", &r.StepTimeout},
		{"mask_timeout_ms", &r.MaskTimeout}, {"forfeit_ms", &r.Forfeit},
	}
}

func (r *Rules) fields() fields {
	f := fields{
		"min_cohort": uint64(r.MinCohort), "min_group": uint64(r.MinGroup), "steps": r.Steps,
		"outer": r.Outer, "rate": r.Rate, "momentum": r.Momentum,
		"value_bits": uint64(r.ValueBits), "weight_bits": uint64(r.WeightBits), "first_scale": r.FirstScale,
	}
	if r.LaneBits != 32 {
		f["lane_bits"] = uint64(r.LaneBits)
	}
	if r.AuditRows > 0 {
		f["audit_rows"] = uint64(r.AuditRows)
	}
	if r.Cohorts > 0 {
		f["cohorts"], f["robust"] = uint64(r.Cohorts), r.Robust
	}
	if r.Streams() {
		f["fragments"] = uint64(r.Fragments)
	}
	for _, d := range r.durations() {
		f[d.name] = uint64(*d.is / time.Millisecond)
	}
	if r.Owners > 0 { // documents from before this rule keep their CIDs
		f["owners"] = uint64(r.Owners)
	}
	return f
}

func (r *Rules) read(in reader) {
	r.MinCohort, r.MinGroup = int(in.uint("min_cohort", MaxMembers)), int(in.uint("min_group", MaxMembers))
	r.Steps = in.uint("steps", 1e6)
	r.Outer, r.Rate, r.Momentum = in.text("outer"), in.float("rate"), in.float("momentum")
	r.ValueBits, r.WeightBits = int(in.uint("value_bits", 32)), int(in.uint("weight_bits", 32))
	r.FirstScale = in.float("first_scale")
	if r.LaneBits = 32; in.has("lane_bits") {
		r.LaneBits = int(in.uint("lane_bits", 31)) // 32 is said by leaving it out
	}
	if r.AuditRows = 0; in.has("audit_rows") {
		r.AuditRows = int(in.uint("audit_rows", 4096))
	}
	if in.has("owners") {
		r.Owners = int(in.uint("owners", MaxMembers))
	}
	if r.Cohorts, r.Robust = 0, ""; in.has("cohorts") {
		r.Cohorts, r.Robust = int(in.uint("cohorts", MaxMembers)), in.text("robust")
	}
	if r.Fragments = 0; in.has("fragments") {
		r.Fragments = int(in.uint("fragments", MaxFragments))
	}
	for _, d := range r.durations() {
		*d.is = time.Duration(in.uint(d.name, 31*24*3600*1000)) * time.Millisecond
	}
}
