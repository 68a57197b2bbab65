package federation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/federation/sketch"
)

// A falseReport runs round 1 of an audited cluster in which a member lies about the masks that it shares with others.
type falseReport struct {
	*cluster
	long  func(n int, c Contribution)                  // makes the updates of the liars longer than allowed; nil if they are not
	alike bool                                         // the liars tell the same about what M3 hides
	lies  map[int][]int                                // by liar: about its masks with these
	open  func(lower, upper int, honest []byte) []byte // the body of what a lower end opens, nil for nothing; honest is nil where it would open nothing

	lanes  map[int][]uint32           // updates of the liars, in the clear
	opened map[[2]int]bool            // pairs that were opened on the wire
	seeds  map[[2]int]secagg.PairSeed // by lower and upper end
	said   map[string][][]byte        // altered messages, by what they were
}

func newFalseReport(t *testing.T, bits int, liars map[int][]int) *falseReport {
	x := &falseReport{cluster: auditedCluster(t, 7, bits, 64), lies: liars,
		lanes: map[int][]uint32{}, opened: map[[2]int]bool{}, seeds: map[[2]int]secagg.PairSeed{}, said: map[string][][]byte{}}
	x.audit.alarms, x.keep, x.gang = []string{}, true, map[int]bool{}
	for i := range liars {
		x.gang[i] = true
	}
	x.tamper = func(n int, c Contribution) {
		if x.gang[n] && c.Round == 1 && c.Group == ledger.TrunkGroup {
			if x.long != nil {
				x.long(n, c)
			}
			x.lanes[n] = slices.Clone(c.Lanes)
		}
	}
	x.alter = x.lie
	return x
}

// keepSeeds takes the seeds that a member has kept when it opens its shares: later it forgets those that it will not need.
func (x *falseReport) keepSeeds(member int, attempt uint64) {
	trunk := x.nodes[member].machine.r.attempts[attempt].sessions[0]
	for k, seed := range trunk.seeds {
		x.seeds[[2]int{member, trunk.members[k]}] = seed
	}
}

// flat makes all numbers of an update in 32 bits as large as a sum may have them: it is longer than allowed, and the sum passes for an honest one.
func flat(_ int, c Contribution) {
	n := len(c.Lanes) - secagg.WideExtra
	for k := range c.Lanes[:n] {
		c.Lanes[k] = (2*uint32(k%2) - 1) * 8 * c.Lanes[n]
	}
}

// lie changes what leaves the liars in round 1.
func (x *falseReport) lie(from, _ int, raw []byte) [][]byte {
	e, err := ledger.DecodeEnvelope(raw)
	if err != nil || e.Round != 1 {
		return [][]byte{raw}
	}
	signer := slices.IndexFunc(x.genesis.Members, func(m ledger.Member) bool { return m.ID == e.From })
	switch {
	case e.Type == typeUnmask && signer == from:
		x.keepSeeds(from, e.Attempt)
	case e.Type == typeNorms && signer == from && x.lies[signer] != nil:
		return x.once(raw, func() [][]byte { return x.lieInReport(signer, e) })
	case e.Type == typeOpenPair:
		body := e.Body
		if x.open != nil {
			body = x.open(signer, int(e.Seq), e.Body)
		}
		if body == nil {
			return nil
		}
		x.opened[[2]int{signer, int(e.Seq)}] = true
		return [][]byte{x.signed(*e, signer, body)}
	}
	return [][]byte{raw}
}

// once says the same whenever the same message is sent.
func (x *falseReport) once(raw []byte, alter func() [][]byte) [][]byte {
	if x.said[string(raw)] == nil {
		x.said[string(raw)] = alter()
	}
	return x.said[string(raw)]
}

func (x *falseReport) signed(e ledger.Envelope, signer int, body []byte) []byte {
	e.Body = body
	e.SignEnvelope(testKey(signer))
	return e.Encode()
}

// lieInReport moves the sketch of the liar's update into its pair masks with others, and adds what it opens as their lower end.
func (x *falseReport) lieInReport(liar int, e *ledger.Envelope) [][]byte {
	trunk := x.nodes[liar].machine.r.attempts[e.Attempt].sessions[0]
	report, err := sketch.DecodeReport(e.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	owner := liar
	if x.alike {
		owner = 3
	}
	sum := x.sketchOf(owner, trunk, report.Seed)
	var extra [][]byte
	for _, with := range x.lies[liar] {
		k := slices.Index(trunk.members, with)
		words := report.Pairs[slices.IndexFunc(report.Pairs, func(p sketch.Pair) bool { return p.With == k })].Sketch
		for r := range words {
			if owner == min(liar, with) {
				words[r] += sum[r]
			} else {
				words[r] -= sum[r]
			}
			words[r] &= 1<<report.Bits - 1
		}
		if liar < with && x.open != nil {
			if body := x.open(liar, with, nil); body != nil {
				open := ledger.Envelope{Type: typeOpenPair, Round: e.Round, Attempt: e.Attempt, Session: e.Session, Seq: uint64(with)}
				extra = append(extra, x.signed(open, liar, body))
				x.opened[[2]int{liar, with}] = true
			}
		}
		clear(sum) // the first of the pairs hides all, the others quarrel about nothing
		sum[0] = 1
	}
	return append(extra, x.signed(*e, liar, report.Encode())) // what is opened comes before anybody can know why
}

// sketchOf sketches the update that a liar has masked.
func (x *falseReport) sketchOf(liar int, trunk *session, seed [32]byte) []uint32 {
	m := x.nodes[liar].machine
	q, err := m.r.state.coder(m.r.layout, trunk.name, m.rules, len(m.epoch.Members), len(trunk.members), trunk.public.ID)
	if err != nil {
		x.t.Fatal(err)
	}
	norm, peak := q.(bounded).Bounds()
	s, err := sketch.New(seed, sketch.Config{Lanes: m.r.layout.Len(trunk.name), Bits: m.laneBits(), Rows: m.rules.AuditRows, Bound: norm, Peak: peak})
	if err != nil {
		x.t.Fatal(err)
	}
	out := s.Zero()
	s.Add(out, 0, x.lanes[liar])
	return out
}

// A judgement is what the honest members made of round 1.
type judgement struct {
	shunned []int // by all of them
	named   []int // as too long, by all of them
	barred  []int // by any of them
	opened  [][2]int
	kind    string // of the round
}

func (x *falseReport) outcome() judgement {
	x.t.Helper()
	x.run(2 * time.Minute)
	if testing.Verbose() {
		x.t.Log(strings.Join(x.audit.story, "\n"))
	}
	out := judgement{kind: x.kinds()[1]}
	story := "\n" + strings.Join(x.audit.story, "\n") + "\n"
	for i := range x.nodes {
		shun, name, bar, honest := 0, 0, 0, 0
		for j, n := range x.nodes {
			if x.gang[j] {
				continue
			}
			honest++
			if n.machine.shunned()[i] {
				shun++
			}
			if slices.ContainsFunc(x.audit.alarms, func(s string) bool {
				return strings.HasPrefix(s, fmt.Sprintf("M%d alarms in round 1: the update of M%d in round 1 was", j, i))
			}) {
				name++
			}
			if strings.Contains(story, fmt.Sprintf(" M%d round 1: M%d is left out of the next round: it contradicts", j, i)) {
				bar++
			}
		}
		if shun > 0 && shun < honest || name > 0 && name < honest {
			x.t.Errorf("of %d honest members %d shun M%d and %d name it as too long, want all or none", honest, shun, i, name)
		}
		if shun > 0 {
			out.shunned = append(out.shunned, i)
		}
		if name > 0 {
			out.named = append(out.named, i)
		}
		if bar > 0 {
			out.barred = append(out.barred, i)
		}
	}
	out.opened = slices.SortedFunc(maps.Keys(x.opened), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return out
}

func (x *falseReport) want(want judgement) {
	x.t.Helper()
	if got := x.outcome(); fmt.Sprint(got) != fmt.Sprint(want) {
		x.t.Errorf("got %+v\nwant %+v\nalarms %q", got, want, x.audit.alarms)
	}
}
