package federation

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// A canary set is a public file of labelled frames that the genesis names for a head. Before a member votes for the record of a training
// round, it has the new weights tried on the canary sets. When they do worse than those of past rounds by more than the
// rule allows (canary_rule.go), it votes for the void record instead: weights stay, and the next round begins.
//
// Errors come from floating point and from a history that not all members share, so members may be of different opinion. What holds then:
//
//   - Where more members object than can be dishonest, the record has no chance. From view 2 on those who would have it vote for the void
//     record with them.
//   - Where fewer do, the others decide. Who objects gives in when a quorum has prepared the record, since somebody may be
//     locked on it; and from view 4 on when more members want it than can be dishonest, since the quorum may need every vote.
//
// So all members end with the same record, and no dishonest minority can by itself keep a good record from a quorum that is there.
const (
	yieldView   = 2 // from then on objections of more than can be dishonest count for all
	outvoteView = 4 // from then on objections of fewer do not count any more
)

// canaries is what a member knows of the canary sets.
type canaries struct {
	heads   []ledger.Head  // shared ones that have a set, ascending by key
	history []canaryRecord // of certified rounds, oldest first
}

// A verdict is what the canary sets say about a record.
type verdict struct {
	until  time.Time // the trainer's answer is waited for until then; zero when not any more
	errors map[string]CanaryError
	fault  string // why this member objects; nothing if it does not
}

func (v *verdict) pending() bool { return v != nil && !v.until.IsZero() }

// watchedHeads lists the heads whose canary sets are evaluated.
func watchedHeads(e *ledger.Epoch) (heads []ledger.Head) {
	shared := map[string]bool{}
	for _, key := range e.Shared() {
		shared[key] = true
	}
	for _, h := range e.Heads {
		if shared[h.Key] && h.Canary.Defined() {
			heads = append(heads, h)
		}
	}
	return heads
}

// tryCanaries has the weights of the own record tried on the canary sets. Until the answer is here, there is nothing to vote for.
func (m *Machine) tryCanaries(x *result) {
	if len(m.canaries.heads) == 0 || x.record.Kind != ledger.Train || m.r.verdicts[x.cid] != nil {
		return
	}
	m.r.verdicts[x.cid] = &verdict{until: m.now.Add(m.patience())}
	m.do(Judge{m.r.number, x.cid, x.weights})
}

// judged takes the answer.
func (m *Machine) judged(e Judged) {
	if m.r == nil || e.Round != m.r.number {
		m.judgedLate(e)
		return
	}
	v := m.r.verdicts[e.Record]
	if v == nil || v.errors != nil {
		return
	}
	v.until = time.Time{}
	if e.Failure != "" {
		m.tell(Warning, "the canary sets cannot be evaluated, and this member votes without them: %s", e.Failure)
		return
	}
	v.errors = m.watched(e.Errors)
	m.note(Entry{[]byte(canaryPrefix + e.Record.String()), encodeCanaries([]canaryRecord{{e.Round, v.errors}})})
	m.assess(v)
}

// judgedLate takes an answer about a round that was certified in the meantime: it belongs to the history.
func (m *Machine) judgedLate(e Judged) {
	if e.Round >= uint64(len(m.records)) || !m.records[e.Round].Equals(e.Record) {
		return
	}
	if entries := m.remember(e.Round, m.watched(e.Errors)); entries != nil {
		m.do(Persist{Set: entries})
	}
}

// watched leaves out errors of heads that have no canary set.
func (m *Machine) watched(errors map[string]CanaryError) map[string]CanaryError {
	out := map[string]CanaryError{}
	for _, h := range m.canaries.heads {
		if e, ok := errors[h.Key]; ok {
			out[h.Key] = e
		}
	}
	return out
}

// assess compares with the history and tells the owner.
func (m *Machine) assess(v *verdict) {
	for _, h := range m.canaries.heads {
		e, ok := v.errors[h.Key]
		if !ok {
			m.tell(Warning, "the canary set of head %s was not evaluated, and does not count", headName(h))
			continue
		}
		text := fmt.Sprintf("canary set of head %s: energy error %.4g eV/atom, force error %.4g eV/Å", headName(h), e.Energy, e.Force)
		if energy, _ := canaryLimit(pastErrors(m.canaries.history, h.Key, canaryQuantities[0].of)); !math.IsNaN(energy) {
			force, _ := canaryLimit(pastErrors(m.canaries.history, h.Key, canaryQuantities[1].of))
			text += fmt.Sprintf(" (%.4g eV/atom and %.4g eV/Å in the median before)", energy, force)
		}
		m.do(Progress{Level: Info, Round: m.r.number, Text: text, Details: map[string]string{"head": h.Key,
			"canary_energy_rmse": strconv.FormatFloat(e.Energy, 'g', 6, 64), "canary_force_rmse": strconv.FormatFloat(e.Force, 'g', 6, 64)}})
	}
	if v.fault = canaryFault(m.canaries.heads, m.canaries.history, v.errors); v.fault != "" {
		m.tell(Warning, "this member votes to leave the weights as they are: %s", v.fault)
	}
}

// stopJudging votes without canaries when the trainer does not answer, and says whether it did.
func (m *Machine) stopJudging() bool {
	stopped := false
	for _, v := range m.r.verdicts { // one may be of a record that was taken back, see refute, and is now others' wish
		if v.pending() && !m.now.Before(v.until) {
			v.until, stopped = time.Time{}, true
		}
	}
	if stopped {
		m.tell(Warning, "the evaluation of the canary sets takes too long, and this member votes without them")
	}
	return stopped
}

// judging says whether the own record is being tried on the canary sets.
func (m *Machine) judging() bool { return m.r.verdicts[m.r.own].pending() }

// judgement is what this member votes for when it has computed a record.
func (m *Machine) judgement() cid.Cid {
	switch v := m.r.verdicts[m.r.own]; {
	case v.pending():
		return cid.Undef
	case v != nil && v.fault != "", m.r.ballot.view >= yieldView && m.objections():
		return m.r.void.cid
	}
	return m.r.own
}

// objections says whether more members voted for the void record than can be dishonest, in a round with canaries.
func (m *Machine) objections() bool {
	return len(m.canaries.heads) > 0 && m.r.base.Kind == ledger.Train && m.r.ballot.vouchers(m.r.void.cid) > m.spare()
}

// objects says that others' wish for a record is no reason for this member to vote for it.
func (m *Machine) objects(record cid.Cid) bool {
	v := m.r.verdicts[record]
	if v.pending() {
		return true
	}
	return v != nil && v.fault != "" && (m.r.ballot.view < outvoteView || m.objections())
}

// remember adds the errors of a certified round to the history, and returns what makes that durable.
func (m *Machine) remember(round uint64, errors map[string]CanaryError) []Entry {
	m.canaries.history = remembered(m.canaries.history, round, errors)
	if len(m.canaries.history) == 0 {
		return nil
	}
	return []Entry{{[]byte(canaryKey), encodeCanaries(m.canaries.history)}}
}

// rememberCertified is remember for the round that is being certified.
func (m *Machine) rememberCertified(record cid.Cid) []Entry {
	if m.r == nil || m.r.verdicts[record] == nil {
		return nil
	}
	return m.remember(m.r.number, m.r.verdicts[record].errors)
}

// resumeCanaries puts what an earlier run of the process found back in force.
func (m *Machine) resumeCanaries(was restored) {
	for record, errors := range was.canaries {
		m.r.verdicts[record] = &verdict{errors: errors, fault: canaryFault(m.canaries.heads, m.canaries.history, errors)}
	}
}

// restoreCanaries reads an entry of the log about canaries.
func (m *Machine) restoreCanaries(key string, value []byte, record string) error {
	list, err := decodeCanaries(value)
	if err != nil {
		return err
	}
	if key == canaryKey {
		m.canaries.history = list
		return nil
	}
	c, err := cid.Decode(record)
	if err != nil || len(list) != 1 {
		return fmt.Errorf("%w: errors of a record %.80q", errBody, record)
	}
	if m.was.canaries == nil {
		m.was.canaries = map[cid.Cid]map[string]CanaryError{}
	}
	m.was.canaries[c] = list[0].errors
	return nil
}
