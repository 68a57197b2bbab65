package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// calm is when the trouble of a generated scenario ends at the latest.
const calm = 20 * time.Second

// Generate draws a scenario that the protocol must survive from a seed: members die, pause, run out of disk and come back,
// links lose, delay, repeat and reorder, sides are cut off from each other, clocks differ, all at points in time or at steps of the
// protocol. No more members than the smallest sum can miss are killed or Byzantine. When calm has come all links are good.
func Generate(seed uint64, k Kind) *Scenario {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(k))), s: &Scenario{}, outage: k == Outage}
	g.s.Seed = g.Uint64()
	g.s.Members = pick(g.Rand, 4, 4, 4, 5, 5, 7)
	g.s.Rounds, g.s.Founded = uint64(2+g.IntN(3)), g.IntN(2) == 0
	g.mortal = g.Perm(g.s.Members)
	if g.s.Cohort = ledger.Quorum(g.s.Members); g.s.Cohort < g.s.Members-1 && g.chance(4) {
		g.s.Cohort++
	}
	if !g.outage {
		g.mortal = g.mortal[:g.s.Members-g.s.Cohort]
	}
	if k == WithLiars {
		g.liars()
	}
	g.network()
	g.clocks()
	if g.chance(4) {
		g.s.Echo = 1 + g.IntN(40)
	}
	if len(g.mortal) > 0 && g.chance(4) {
		g.s.Failures = []Failure{{g.some(g.mortal), uint64(g.IntN(int(g.s.Rounds)))}}
	}
	for range g.IntN(6) {
		g.event()
	}
	g.pacify()
	return g.s
}

// Kind says what may be in a generated scenario.
type Kind uint64

// Kinds of generated scenarios.
const (
	Honest    Kind = iota // all members do what the protocol says
	WithLiars             // some members, fewer than a third, deviate
	Outage                // any number of members is killed at once, and all of them come back
)

type generator struct {
	*rand.Rand
	s      *Scenario
	mortal []int // who may be killed, for a while or for good
	outage bool
}

// chance is true in one of n cases.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

// some draws one or more of some members.
func (g *generator) some(of []int) Members {
	g.Shuffle(len(of), func(a, b int) { of[a], of[b] = of[b], of[a] })
	return sorted(slices.Clone(of[:1+g.IntN(len(of))]))
}

// network makes links worse than good, in one way or another.
func (g *generator) network() {
	everybody := LinkRule{}
	if g.chance(2) {
		low := time.Duration(1+g.IntN(100)) * time.Millisecond
		everybody.Latency = &Span{low, low + time.Duration(g.IntN(200))*time.Millisecond}
	}
	if g.chance(4) {
		everybody.Bandwidth = value(pick(g.Rand, 30_000, 100_000, 1_000_000))
	}
	if g.chance(3) {
		everybody.Loss = value(1 + g.IntN(25))
	}
	if g.chance(4) {
		everybody.Duplicate = value(1 + g.IntN(100))
	}
	if g.chance(3) {
		everybody.Reorder = value(1 + g.IntN(100))
	}
	if g.chance(6) {
		everybody.Replay = value(1 + g.IntN(30))
	}
	if everybody.changes() {
		g.s.Links = append(g.s.Links, everybody)
	}
	if g.chance(4) { // somebody sits behind a worse line than the others
		one := LinkRule{From: Members{g.IntN(g.s.Members)}, Latency: &Span{200 * time.Millisecond, 400 * time.Millisecond}, Loss: value(g.IntN(20))}
		g.s.Links = append(g.s.Links, one)
	}
}

func value(n int) *int { return &n }

func (g *generator) clocks() {
	for i := range g.s.Members {
		if g.chance(4) {
			g.s.Clocks = append(g.s.Clocks, ClockRule{Who: Members{i}, Skew: time.Duration(g.IntN(7200)-3600) * time.Second})
		}
		if g.chance(4) {
			g.s.Clocks = append(g.s.Clocks, ClockRule{Who: Members{i}, PPM: 1 + g.IntN(2000)})
		}
	}
}

// event adds something that happens before calm.
func (g *generator) event() {
	when := g.moment()
	do := Do{Verb: pick(g.Rand, Kill, Kill, Kill, Pause, Full, Cut, Hold, Skew)}
	switch do.Verb {
	case Kill, Full:
		if len(g.mortal) == 0 {
			return
		}
		do.Who, do.For = g.some(g.mortal), min(away(g.Rand), calm/4)
		if do.Verb == Kill && !g.outage && g.chance(4) {
			do.Who, do.For = g.some(g.mortal[:1]), 0
		}
	case Pause:
		do.Who, do.For = g.some(g.Perm(g.s.Members)), min(away(g.Rand), calm/4)
	case Cut, Hold:
		do.Sides, do.For = g.sides(), min(2*away(g.Rand), calm/2)
	case Skew:
		do.Who, do.Skew = g.some(g.Perm(g.s.Members)), time.Duration(g.IntN(20)-5)*time.Second
	}
	if when.Step != "" && when.Of == Own && !do.Verb.personal() {
		when.Of = Anybody
	}
	g.s.Events = append(g.s.Events, Event{when, do})
}

// moment draws a point in time, a step of the protocol, or a number of actions.
func (g *generator) moment() When {
	switch g.IntN(3) {
	case 0:
		return When{At: time.Duration(g.IntN(4000)) * time.Millisecond, Of: Own}
	case 1:
		return When{Action: 1 + g.IntN(80), Of: Own}
	}
	w := When{Step: pick(g.Rand, Steps...), Edge: pick(g.Rand, Before, Amid, After), Round: uint64(g.IntN(int(g.s.Rounds))), Of: pick(g.Rand, Own, Anybody, g.IntN(g.s.Members))}
	if byOne(w.Step) && w.Of == Own {
		w.Of = Anybody
	}
	return w
}

// sides splits the members in two or three.
func (g *generator) sides() (out []Members) {
	order := g.Perm(g.s.Members)
	for parts := 2 + g.IntN(2); parts > 1; parts-- {
		n := 1 + g.IntN(len(order)-parts+1)
		out, order = append(out, sorted(order[:n:n])), order[n:]
	}
	return append(out, sorted(order))
}

// pacify ends all trouble.
func (g *generator) pacify() {
	if len(g.s.Links) > 0 {
		good := &LinkRule{Latency: &Span{time.Millisecond, 30 * time.Millisecond}, Bandwidth: value(0), Loss: value(0), Duplicate: value(0), Reorder: value(0), Replay: value(0)}
		g.s.Events = append(g.s.Events, Event{When{At: calm, Of: Own}, Do{Verb: Link, Link: good}})
	}
}

// liars lets members deviate, in one to three ways each.
func (g *generator) liars() {
	for range 1 + g.IntN(len(g.mortal)) {
		i := g.mortal[0]
		g.mortal = g.mortal[1:]
		for range 1 + g.IntN(3) {
			d := Deviation{Who: i, Strategy: pick(g.Rand, Strategies()...)}
			if !g.chance(3) {
				d.Steps = []string{pick(g.Rand, Steps...)}
			}
			if d.Strategy == "delay" {
				d.Delay = time.Duration(1+g.IntN(5000)) * time.Millisecond
			}
			if d.Strategy == twinStrategy || g.chance(2) {
				d.Towards = g.some(g.Perm(g.s.Members)[1:])
			}
			if d.Strategy == twinStrategy {
				d.Steps = nil
			}
			g.s.Byzantine = append(g.s.Byzantine, d)
		}
	}
}
