package federation

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// result is a record that this member computed itself, with all that it names.
type result struct {
	record  *ledger.Round
	cid     cid.Cid
	weights *weights.Set
	state   *weights.Set
	files   []File
	epoch   []byte // the document that an epoch record names
	kept    bool   // files and record are durable
}

// onUnmask files opened shares of the trunk.
func (m *Machine) onUnmask(a *attempt, s *stored) error {
	v, err := secagg.DecodeUnmask(s.env.Body)
	trunk := a.sessions[0]
	if err := keep(trunk, trunk.unmasks, slices.Index(trunk.members, s.from), v, v.Session, v.From, err); err != nil {
		return err
	}
	m.noteReleased(a)
	return nil
}

// noteReleased notes that others have opened shares of the trunk, once that is certain: a quorum has agreed to the sum, or
// more say so than can be dishonest. One liar could make all members give up otherwise.
func (m *Machine) noteReleased(a *attempt) {
	trunk := a.sessions[0]
	others := len(trunk.unmasks)
	if _, own := trunk.unmasks[trunk.self]; own {
		others--
	}
	if m.r.released.IsZero() && others > 0 && (others > m.spare() || m.agreement(a) != nil) {
		m.r.released = m.now
		m.waitInVain()
	}
}

// conclude computes the outcome of an attempt from public messages, when they suffice, to vote for it. Spectators do it
// too: whoever has the messages gets the same record.
func (m *Machine) conclude(a *attempt) bool {
	if a.summed || len(a.sessions) == 0 || len(a.sessions[0].unmasks) < m.quorum {
		return false
	}
	p := m.agreement(a)
	if p == nil || !m.allOpen(a, p.heads) {
		return false
	}
	sessions := []*session{a.sessions[0]}
	for _, h := range p.heads {
		sessions = append(sessions, a.headSession(h))
	}
	x, err := m.open(a.sessions[0])
	if err == nil {
		if x == nil || !m.normsAudited(a, a.sessions[0]) {
			return false
		}
		if done, did := m.audit(a, sessions); !done {
			return did
		}
	}
	a.summed = true
	if m.r.mustVoid != "" {
		return true
	}
	if err == nil {
		err = m.concludeSums(a, sessions)
	}
	if err != nil {
		a.useless = true
		m.giveUp("its sum is of no use: " + err.Error())
	}
	return true
}

// concludeSums makes the outcome of the opened sums.
func (m *Machine) concludeSums(a *attempt, sessions []*session) error {
	var sums []*sum
	for _, s := range sessions {
		sums = append(sums, s.sum)
	}
	if m.r.base.Kind == ledger.Setup {
		return m.concludeSetup(a, sums)
	}
	return m.concludeTraining(a, sums)
}

// giveUp notes that the round cannot have a sum. Everybody with the same messages finds the same, so the round is void.
func (m *Machine) giveUp(why string) {
	m.r.mustVoid = why
	m.tell(Warning, "the round is void: %s", why)
}

// concludeSetup decodes the statistics and asks the Trainer to apply them.
func (m *Machine) concludeSetup(a *attempt, sums []*sum) error {
	wide, err := secagg.NewWide(len(m.epoch.Members))
	if err != nil {
		return err
	}
	totals := SetupTotals{Heads: map[string][]float64{}}
	for _, x := range sums {
		values, err := wide.Decode(x.lanes)
		if err != nil {
			return err
		}
		if x.group.Name != ledger.TrunkGroup {
			totals.Heads[strings.TrimPrefix(x.group.Name, ledger.HeadGroup(""))] = values
			continue
		}
		totals.Trunk = values[:m.cfg.SetupTrunk]
		for _, n := range values[m.cfg.SetupTrunk:] {
			if n < 0 || n > float64(x.members) || n != math.Trunc(n) {
				return fmt.Errorf("%g members are said to have an element", n)
			}
			totals.Elements = append(totals.Elements, uint64(n))
		}
	}
	a.setup = m.newRecord(a, sums)
	a.setup.Elements = totals.Elements
	m.tell(Info, "statistics summed over %d members", sums[0].members)
	m.do(ApplySetup{m.r.number, a.number, m.r.weights, totals})
	return nil
}

func (m *Machine) setupApplied(e SetupApplied) {
	if m.r == nil || e.Round != m.r.number || e.Weights == nil {
		return
	}
	a := m.r.attempts[e.Attempt]
	if a == nil {
		return
	}
	if a.stale > 0 {
		a.stale--
		return
	}
	if a.setup == nil {
		return
	}
	record := a.setup
	a.setup = nil
	if err := m.r.weights.SameShapes(e.Weights); err != nil {
		m.tell(Alarm, "the trainer changed the model while applying the statistics: %v; this member does not sign the round", err)
		return
	}
	layout, err := m.layOut(e.Weights, record.Elements)
	if err == nil {
		err = m.finishResult(record, e.Weights.Clone(), newOuterState(e.Weights, layout, m.rules))
	}
	if err != nil {
		a.useless = true
		m.giveUp("its sum is of no use: " + err.Error())
	}
}

// concludeTraining takes the outer step. A head whose sum cannot be used keeps its weights.
func (m *Machine) concludeTraining(a *attempt, sums []*sum) error {
	w, state := m.r.weights.Clone(), outerState{m.r.state.set.Clone()}
	record := m.newRecord(a, nil)
	for _, x := range sums {
		group := x.group
		q, err := m.r.state.coder(m.r.layout, group.Name, m.rules, len(m.epoch.Members), x.peers, group.Session)
		if err != nil {
			return err
		}
		d, err := m.mean(q, x)
		next := [][2]float64(nil)
		if err == nil {
			next, err = q.next(d)
		}
		if err != nil && group.Name == ledger.TrunkGroup {
			return err
		}
		if err != nil {
			m.tell(Warning, "%s keeps its weights: %v", group.Name, err)
			continue
		}
		norm := state.step(m.outer, w, m.r.layout.Slices(group.Name), d, next)
		group.Weight = d.weight
		record.Groups = append(record.Groups, group)
		record.Metrics = append(record.Metrics, ledger.Metric{Name: "update_norm/" + group.Name, Value: norm})
	}
	slices.SortFunc(record.Metrics, func(x, y ledger.Metric) int {
		if x.Name < y.Name {
			return -1
		}
		return 1
	})
	return m.finishResult(record, w, state)
}

// newRecord begins the record of an attempt.
func (m *Machine) newRecord(a *attempt, sums []*sum) *ledger.Round {
	record := *m.r.base
	ids := make([]ledger.MemberID, len(a.roster))
	for k, i := range a.roster {
		ids[k] = m.epoch.Members[i].ID
	}
	record.Attempt, record.Roster = a.number, ledger.RosterHash(ids)
	for _, x := range sums {
		record.Groups = append(record.Groups, x.group)
	}
	return &record
}

// finishResult encodes weights and state and makes the record that names them this member's own.
func (m *Machine) finishResult(record *ledger.Round, w *weights.Set, state outerState) error {
	weightsFile, err := encodeFile(w)
	if err != nil {
		return err
	}
	stateFile, err := encodeFile(state.set)
	if err != nil {
		return err
	}
	record.WeightsOut, record.StateOut = weightsFile.CID, stateFile.CID
	if err := m.chain.Check(record); err != nil {
		return err
	}
	// Weights are certified in float32; what members go on with is what anybody reads from the file.
	for _, file := range []struct {
		of  File
		set **weights.Set
	}{{weightsFile, &w}, {stateFile, &state.set}} {
		if *file.set, err = decodeFile(file.of.CID, file.of.Data, maxFile); err != nil {
			return err
		}
	}
	x := &result{record: record, cid: record.CID(), weights: w, state: state.set, files: []File{weightsFile, stateFile}}
	m.r.results[x.cid], m.r.own = x, x.cid
	m.tryCanaries(x)
	return nil
}
