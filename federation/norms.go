package federation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/sketch"
)

// A normAudit says whose update in the trunk is longer than the federation allows, in the round in which it is summed; see package
// sketch. The trunk's shares are open then, and masked inputs are known by their roots, so nobody chooses its input for the
// functionals. Who is named costs everybody the round, once: it is in no roster that others propose any more.
type normAudit struct {
	audit  *sketch.Audit
	taken  map[int]bool   // members whose report was taken
	until  time.Time      // reports are waited for
	result *sketch.Result // of what was taken so far
	liars  map[int]bool   // places of those that opened pairs proved to lie
	done   bool           // also when the rules' audit cannot serve this round
}

// auditsNorms says whether norms are audited in this round.
func (m *Machine) auditsNorms() bool {
	return m.rules.AuditRows > 0 && m.r.base.Kind == ledger.Train
}

// bounded is a coder that knows how long an honest member's lanes are.
type bounded interface {
	Bounds() (norm, peak float64)
}

var (
	_ bounded = wideCoder{}
	_ bounded = narrowCoder{}
)

// normsAudited does what is due in the audit of an opened trunk, and says whether it is over.
func (m *Machine) normsAudited(a *attempt, trunk *session) bool {
	if !m.auditsNorms() || a.norms != nil && a.norms.done {
		return true
	}
	if a.norms == nil {
		if err := m.beginAudit(a, trunk); err != nil {
			m.tell(Warning, "the norms of this round's updates are not audited: %v", err)
			a.norms = &normAudit{done: true}
			trunk.wipePairs()
			return true
		}
	}
	n := a.norms
	if m.gather(a, trunk) || n.result == nil {
		result := n.audit.Result()
		n.result = &result
	}
	if !n.over(m.now, m.stepTime(a, typeNorms)) {
		return false
	}
	n.done = true
	m.judgeNorms(a, trunk, n.final())
	return true
}

// beginAudit draws the functionals, sketches what is public, and reports on the own masks.
func (m *Machine) beginAudit(a *attempt, trunk *session) error {
	q, err := m.r.state.coder(m.r.layout, trunk.name, m.rules, len(m.epoch.Members), trunk.peers(), trunk.public.ID)
	if err != nil {
		return err
	}
	norm, peak := q.(bounded).Bounds()
	x, roots := trunk.opened, map[int][32]byte{}
	for _, k := range x.list {
		roots[k] = trunk.masked[k].Header.Root()
	}
	s, err := sketch.New(sketch.Seed(trunk.public.ID, x.seeds.Root(), roots), sketch.Config{
		Lanes: m.r.layout.Len(trunk.name), Bits: m.laneBits(), Rows: m.rules.AuditRows, Bound: norm, Peak: peak})
	if err != nil {
		return err
	}
	audit, err := s.NewAudit(x.seeds.Parts()...)
	if err != nil {
		return err
	}
	for _, k := range x.list {
		if err := audit.Input(k, trunk.sketchInput(s, k)); err != nil {
			return err
		}
	}
	a.norms = &normAudit{audit: audit, taken: map[int]bool{}, liars: map[int]bool{}, until: m.now.Add(m.stepTime(a, typeNorms))}
	a.since[typeNorms] = m.now
	if trunk.pairs != nil && slices.Contains(x.list, trunk.self) {
		report := s.Report(trunk.self, trunk.pairs)
		clear(trunk.pairs)
		trunk.pairs = nil
		m.say(typeNorms, a.number, 0, report.Encode())
	}
	return nil
}

// sketchInput is the sketch of a survivor's masked input, without the masks that are public.
func (s *session) sketchInput(of *sketch.Sketch, k int) []uint32 {
	out := make([]uint32, of.Rows())
	for c, data := range s.masked[k].Chunks {
		of.AddBytes(out, c*s.public.ChunkLanes(), data)
	}
	self, dropped := s.opened.seeds.PublicMasks(k)
	of.RemovePublic(out, k, self, dropped)
	return out
}

// onNorms keeps a report until the sum is open here.
func (m *Machine) onNorms(a *attempt, s *stored) error {
	if !m.auditsNorms() || slices.Index(a.roster, s.from) < 0 || s.env.Seq != 0 {
		return fmt.Errorf("%w: nobody asked for norms", errBody)
	}
	a.reports[s.from] = s.env.Body
	m.gatherLate(a)
	return nil
}

// takeReports hands the reports that are new to the audit, and says whether there were any.
func (a *attempt) takeReports(trunk *session, bad func(member int, err error)) (some bool) {
	for i, body := range a.reports {
		if a.norms.taken[i] {
			continue
		}
		a.norms.taken[i], some = true, true
		if err := a.norms.takeReport(trunk, i, body); err != nil {
			bad(i, err)
		}
	}
	return some
}

func (n *normAudit) takeReport(trunk *session, member int, body []byte) error {
	report, err := sketch.DecodeReport(body)
	if err == nil && report.From != slices.Index(trunk.members, member) {
		err = fmt.Errorf("%w: it is in another member's name", errBody)
	}
	if err == nil {
		err = n.audit.Report(report)
	}
	return err
}

// judgeNorms acts on what the audit found. Who is too long voids the round and is shunned. Of a pair that still contradicts itself one lies, and who is
// silent without having been restarted may have something to hide: they are left out of the next roster.
func (m *Machine) judgeNorms(a *attempt, trunk *session, result sketch.Result) {
	var names []string
	for _, v := range result.Verdicts {
		i := trunk.members[v.Member]
		m.tell(Debug, "the update of %s is %.2g of the longest allowed, give or take %.2g", m.name(i), v.Norm/v.Bound, v.StdErr/v.Bound)
		if v.Violates {
			names = append(names, m.name(i))
			why := fmt.Sprintf("the update of %s in round %d was %.1f times as long as allowed", m.name(i), m.r.number, v.Norm/v.Bound)
			if m.shuns(i) { // for what it did to hide this, perhaps
				m.tell(Alarm, "%s", why)
			}
			m.shun(i, why)
		}
	}
	certain, both := sketch.Barred(result.Quarrels, m.spare())
	for _, k := range slices.Concat(certain, both) {
		m.bar(trunk.members[k], "it contradicts another member about their common mask")
	}
	for _, k := range result.Silent {
		if i := trunk.members[k]; a.quits[i] == 0 {
			m.bar(i, "it did not report on its masks")
		}
	}
	if len(names) > 0 {
		m.giveUp("updates longer than allowed were summed, of " + strings.Join(names, ", "))
	}
}

// bar leaves a member out of the rosters that this one proposes in the next round.
func (m *Machine) bar(member int, why string) {
	if member != m.self {
		m.barred[m.epoch.Members[member].ID] = m.r.number + 1
		m.tell(Warning, "%s is left out of the next round: %s", m.name(member), why)
	}
}
