package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// A Scenario is a federation and what befalls it. Parse reads one, String writes it down.
type Scenario struct {
	Members int    // 3 to MaxMembers
	Rounds  uint64 // to be certified, the setup round and void ones included
	Seed    uint64 // of everything that is left to chance
	Cohort  int    // minimum cohort of the rules and of every owner's policy; default: a quorum
	Divided int    // into how many cohorts sums are divided at most; 0 for one sum over all
	// Founded begins with a setup round that was certified before the trouble: all members start again from the disks they
	// had after it.
	Founded bool
	// Within is the virtual time that members have to finish after the last trouble; default DefaultWithin.
	Within time.Duration
	Train  Span // how long local work takes

	Links     []LinkRule // from the start; later ones override earlier ones
	Clocks    []ClockRule
	Failures  []Failure
	Echo      int // per cent of the events, envelopes or not, that reach a machine a second time, up to echoDelay later
	Byzantine []Deviation
	Events    []Event

	Expect []Expected // of the certified rounds; empty for any
}

// Expected is what a round should be.
type Expected struct {
	Kind string
	Sums int // that are opened, the trunk's and those of heads; 0 for any number
}

// MaxMembers bounds a Scenario: every message is checked by every member in one thread.
const MaxMembers = 64

// DefaultWithin is the default of Scenario.Within.
const DefaultWithin = 3 * time.Minute

// A Span is a uniformly distributed duration.
type Span struct{ Low, High time.Duration }

// LinkRule changes how directed links behave. Fields that are nil stay as they are.
type LinkRule struct {
	From, To  Members
	Latency   *Span
	Bandwidth *int // bytes per second; 0 for no limit
	Loss      *int // per cent of the envelopes
	Duplicate *int // per cent that come twice
	Reorder   *int // per cent that may overtake others
	Replay    *int // per cent that bring an old one along, of anybody's
}

// changes says whether the rule has anything to say.
func (r *LinkRule) changes() bool {
	return r.Latency != nil || r.Bandwidth != nil || r.Loss != nil || r.Duplicate != nil || r.Reorder != nil || r.Replay != nil
}

// ClockRule says how a member's clock differs from virtual time.
type ClockRule struct {
	Who  Members
	Skew time.Duration // ahead
	PPM  int           // runs faster, in parts per million
}

// A Failure has the local work of members fail in a round.
type Failure struct {
	Who   Members
	Round uint64
}

// A Deviation makes a member Byzantine. A member may have several.
type Deviation struct {
	Who      int
	Strategy string   // see Strategies
	Steps    []string // the types of envelopes that it is about; empty for all
	Towards  Members  // the other members that it is about
	Delay    time.Duration
}

// Members is a set of members; nil means all.
type Members []int

// Has says whether the set has a member.
func (m Members) Has(i int) bool { return m == nil || slices.Contains(m, i) }

// list returns the members of a set, of n.
func (m Members) list(n int) []int {
	if m != nil {
		return m
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// An Event is something that is done to the federation at some moment.
type Event struct {
	When When
	Do   Do
}

// When is a moment: a point in virtual time, a step of the protocol, or a number of actions.
type When struct {
	At     time.Duration // since the start
	Step   string        // when set: a type of envelope, when it is said for the first time in Round
	Edge   Edge          // which side of the step
	Of     int           // who says it: a member, or Own, or Anybody
	Round  uint64
	Action int // when not 0: after that many actions of the member concerned that others or a later life can see
}

// Values of When.Of that are no member.
const (
	Own     = -1 // every member that the event is about, by itself
	Anybody = -2
)

// Edge is a side of a step.
type Edge string

// Edges of a step: just before its envelopes leave, when they have reached the wire towards some members only, and after all have.
const (
	Before Edge = "at"
	Amid   Edge = "amid"
	After  Edge = "after"
)

// Do is what is done.
type Do struct {
	Verb  Verb
	Who   Members       // of kill, pause, full, skew
	For   time.Duration // of kill, pause, full, cut and hold; a kill for 0 is for good, a cut for 0 lasts until a heal
	Sides []Members     // of cut and hold
	Link  *LinkRule
	Skew  time.Duration
}

// A Verb names what is done.
type Verb string

// The verbs.
const (
	Kill  Verb = "kill"      // like SIGKILL; the disk stays
	Pause Verb = "pause"     // like SIGSTOP; events queue up
	Full  Verb = "disk-full" // the next write fails, and the member stops as the node does, until there is space again
	Cut   Verb = "cut"       // envelopes between the sides are lost
	Hold  Verb = "hold"      // envelopes between the sides wait until the heal
	Heal  Verb = "heal"      // ends all cuts and holds
	Link  Verb = "link"      // changes links
	Skew  Verb = "skew"      // a clock jumps
)

// personal says whether the verb is about members, each by itself.
func (v Verb) personal() bool { return v == Kill || v == Pause || v == Full || v == Skew }

// Validate fills in defaults and refuses what makes no sense.
func (s *Scenario) Validate() error {
	if s.Members < 3 || s.Members > MaxMembers {
		return fmt.Errorf("scenario of %d members, want 3 to %d", s.Members, MaxMembers)
	}
	if s.Cohort == 0 {
		s.Cohort = ledger.Quorum(s.Members)
	}
	if s.Rounds == 0 {
		s.Rounds = 3
	}
	if s.Within == 0 {
		s.Within = DefaultWithin
	}
	if s.Train == (Span{}) {
		s.Train = Span{200 * time.Millisecond, 230 * time.Millisecond}
	}
	if s.Cohort < 2 || s.Cohort > s.Members {
		return fmt.Errorf("cohort %d of %d members, want 2 or more", s.Cohort, s.Members)
	}
	if len(s.Expect) > 0 && uint64(len(s.Expect)) != s.Rounds {
		return fmt.Errorf("%d rounds are expected to have kinds and %d to be certified: make them equal", len(s.Expect), s.Rounds)
	}
	for _, e := range s.Expect {
		if e.Kind != ledger.Setup && e.Kind != ledger.Train && e.Kind != ledger.Void {
			return fmt.Errorf("expected kind %q, want setup, train or void", e.Kind)
		}
	}
	return errors.Join(s.checkByzantine(), s.checkMembers())
}

func (s *Scenario) checkByzantine() error {
	for _, d := range s.Byzantine {
		if strategies[d.Strategy] == nil && d.Strategy != twinStrategy {
			return fmt.Errorf("strategy %q of member %d: want one of %v", d.Strategy, d.Who, Strategies())
		}
		if d.Strategy == twinStrategy && d.Towards == nil {
			return fmt.Errorf("member %d: say whom its twin talks to, for instance: byzantine %d twin to 0,1", d.Who, d.Who)
		}
	}
	if f := len(s.liars()); 3*f >= s.Members {
		return fmt.Errorf("%d Byzantine members of %d: fewer than a third is what the protocol survives", f, s.Members)
	}
	return nil
}

// liars returns the Byzantine members.
func (s *Scenario) liars() map[int]bool {
	out := map[int]bool{}
	for _, d := range s.Byzantine {
		out[d.Who] = true
	}
	return out
}

// checkMembers holds every member named to the number of members.
func (s *Scenario) checkMembers() error {
	var named []int
	for _, r := range s.Links {
		named = append(append(named, r.From...), r.To...)
	}
	for _, r := range s.Clocks {
		named = append(named, r.Who...)
	}
	for _, f := range s.Failures {
		named = append(named, f.Who...)
	}
	for _, d := range s.Byzantine {
		named = append(append(named, d.Who), d.Towards...)
	}
	for _, e := range s.Events {
		named = append(named, e.Do.Who...)
		named = append(named, max(e.When.Of, 0))
		for _, side := range e.Do.Sides {
			named = append(named, side...)
		}
		if r := e.Do.Link; r != nil {
			named = append(append(named, r.From...), r.To...)
		}
	}
	for _, i := range named {
		if i < 0 || i >= s.Members {
			return fmt.Errorf("member %d is named, and there are members 0 to %d", i, s.Members-1)
		}
	}
	return nil
}
