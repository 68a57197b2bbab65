package federation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/federation/sketch"
)

// Two members that report different sketches of their common mask quarrel: one of them lies. Once both reports are here the lower end opens
// the seed of the encapsulation from which the mask follows. It opens nothing that the other end does not know, and an honest pair never
// quarrels, so nothing of two honest members is ever opened. Everybody encapsulates again, compares with what the lower end published before
// it masked, and so knows the mask: who reported another sketch of it lied, and is judged by the truth. Reports, opening, keys and shares are
// signed, so that this is a proof for whoever has the transcript.
//
// The order in which messages arrive makes no difference. What comes after the members of the sum were judged is still a proof against
// who lied, and changes nothing about the round.

// encodePairSeed makes the body of an open-pair: version, seed 64. Its sequence number is the upper end, a member of the epoch; the lower end is
// the sender.
func encodePairSeed(seed secagg.PairSeed) []byte { return append([]byte{bodyVersion}, seed[:]...) }

func decodePairSeed(b []byte) (seed secagg.PairSeed, err error) {
	if len(b) != 1+len(seed) || b[0] != bodyVersion {
		return seed, fmt.Errorf("%w: opened pair of %d bytes, want %d", errBody, len(b), 1+len(seed))
	}
	copy(seed[:], b[1:])
	return seed, nil
}

// onOpenPair leaves an opening in the transcript until its pair quarrels here.
func (m *Machine) onOpenPair(a *attempt, s *stored) error {
	from, with := slices.Index(a.roster, s.from), slices.IndexFunc(a.roster, func(i int) bool { return uint64(i) == s.env.Seq })
	if !m.auditsNorms() || from < 0 || with <= from {
		return fmt.Errorf("%w: an opened pair that is none of this sum", errBody)
	}
	m.gatherLate(a)
	_, err := decodePairSeed(s.env.Body)
	return err
}

// gather takes in the reports and openings that have come, opens what is due, and says whether there was anything new.
func (m *Machine) gather(a *attempt, trunk *session) (some bool) {
	some = a.takeReports(trunk, func(i int, err error) { m.tell(Warning, "the norm report of %s does not hold: %v", m.name(i), err) })
	m.openPairs(a, trunk)
	lies, settled := m.settlePairs(a, trunk)
	for _, l := range lies {
		m.shun(l.member, fmt.Sprintf("%s lied in round %d: %s", m.name(l.member), m.r.number, l.proof))
	}
	return some || settled
}

// gatherLate gathers once the audit is over: to name who lied, and to let others name it.
func (m *Machine) gatherLate(a *attempt) {
	if n := a.norms; n != nil && n.done && n.audit != nil {
		m.gather(a, a.sessions[0])
	}
}

// final is the result once nothing is waited for: what is left of the quarrels of a proven liar is decided against it.
func (n *normAudit) final() sketch.Result {
	for _, q := range n.audit.Quarrels() {
		liar := q.Low
		if n.liars[q.High] {
			liar = q.High
		}
		if n.liars[q.Low] != n.liars[q.High] {
			_ = n.audit.Overrule(q, liar) // it is a quarrel
		}
	}
	return n.audit.Result()
}

// over says whether nothing is waited for any more: all have reported and nobody quarrels, or time is up. An opening has as long after the
// last report as that had.
func (n *normAudit) over(now time.Time, patience time.Duration) bool {
	switch {
	case len(n.result.Quarrels) > 0:
		return !now.Before(n.until.Add(patience))
	case len(n.result.Silent) > 0:
		return !now.Before(n.until)
	}
	return true
}

// openPairs opens the seeds of pairs whose upper end contradicts this member, and forgets those that will never be opened.
func (m *Machine) openPairs(a *attempt, trunk *session) {
	for _, high := range slices.Sorted(maps.Keys(trunk.seeds)) {
		known, alike := a.norms.audit.Compare(sketch.Quarrel{Low: trunk.self, High: high})
		if !known {
			continue
		}
		seed, kept := trunk.seeds[high] // what is said below is gathered at once, and may have opened this one too
		with := trunk.members[high]
		delete(trunk.seeds, high)
		if kept && !alike {
			m.tell(Warning, "%s contradicts this member about their common mask, which is opened to settle it", m.name(with))
			m.say(typeOpenPair, a.number, uint64(with), encodePairSeed(seed))
		}
	}
}

// A perjury is what an opened pair proves about one of its ends.
type perjury struct {
	member int
	proof  string
}

// settlePairs settles the quarrels whose seeds are in the transcript, and says who lied and whether there were any.
func (m *Machine) settlePairs(a *attempt, trunk *session) (lies []perjury, some bool) {
	for _, q := range a.norms.audit.Quarrels() {
		low, high := trunk.members[q.Low], trunk.members[q.High]
		s := a.byKey[m.placeOf(a, typeOpenPair, uint64(high), low)]
		if s == nil {
			continue
		}
		liars, opened, err := a.norms.settle(trunk, q, s.env.Body)
		if err != nil {
			m.tell(Warning, "what %s opened of the mask that it shares with %s settles nothing: %v", m.name(low), m.name(high), err)
			continue
		}
		some = true
		for _, k := range liars {
			a.norms.liars[k] = true
			i, with := trunk.members[k], low+high-trunk.members[k]
			proof := fmt.Sprintf("it told a false sketch of the mask that it shares with %s, as the seed shows that %s opened", m.name(with), m.name(low))
			if !opened {
				proof = fmt.Sprintf("it contradicted %s about the mask that they share, and opened a seed that does not make what it had published", m.name(with))
			}
			lies = append(lies, perjury{i, proof})
		}
	}
	return lies, some
}

// settle ends a quarrel by the body that its lower end signed, and returns the places of those who lied, and whether the mask is open. Who
// opens what it has not published has lied; the word of the other end stands then.
func (n *normAudit) settle(trunk *session, q sketch.Quarrel, body []byte) (liars []int, opened bool, err error) {
	seed, err := decodePairSeed(body)
	var key [32]byte
	if err == nil {
		upper, lower := trunk.keys[q.High], trunk.shares[q.Low]
		key, err = secagg.OpenPair(trunk.public, &upper, &lower, seed)
	}
	if errors.Is(err, errBody) || errors.Is(err, secagg.ErrPairSeed) {
		return []int{q.Low}, false, n.audit.Overrule(q, q.Low)
	}
	if err == nil {
		liars, err = n.audit.Settle(q, key)
	}
	return liars, true, err
}

// wipePairs forgets the own pair masks, and the seeds that they follow from.
func (s *session) wipePairs() {
	clear(s.pairs)
	clear(s.seeds)
	s.pairs, s.seeds = nil, nil
}
