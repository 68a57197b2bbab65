package federation

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// A wrong sum of a chunk convicts whoever signed it: statements and opened shares fix the sum, and every member can get the inputs,
// compare them with the headers and add them up. A member that finds one sends the signed sum to all as a proof. Whoever gets
// the proof, or two different sums of one chunk, does not go on with either but adds the chunk up itself. The one who was wrong, or who
// accused wrongly, is shunned; the record that rested on it is made again.

// An accusation says that a sum of a chunk is wrong.
type accusation struct {
	by, of int // members
	hash   [32]byte
}

// judge compares what members said about a chunk with what this one has added up.
func (m *Machine) judge(a *attempt, s *session, c int) {
	x := &s.owned.sums[c]
	right := sha256.Sum256(x.own)
	for k, i := range s.members {
		for _, y := range x.said[k] {
			if i != m.self && y.hash != right {
				m.convict(a, s, c, i, y)
			}
		}
	}
	accused := x.accused
	x.accused = nil
	for _, d := range accused {
		if d.hash == right {
			m.shun(d.by, fmt.Sprintf("%s accused a member of a wrong sum that is right (chunk %d of %s)", m.name(d.by), c, s.name))
		}
	}
}

// convict keeps the proof that a member told a wrong sum, and shows it to all.
func (m *Machine) convict(a *attempt, s *session, c, member int, wrong *claim) {
	if m.shuns(member) {
		return
	}
	key := fmt.Appendf(nil, "%sevidence/%x/%s/%d/%s", LogPrefix, s.public.ID[:8], typeChunkSum, c, m.epoch.Members[member].ID)
	m.do(Persist{Set: []Entry{{key, wrong.raw}}})
	m.shun(member, fmt.Sprintf("%s told a wrong sum of chunk %d of %s; the proof is kept in the log under %q", m.name(member), c, s.name, key))
	m.say(typeFraud, a.number, seqOf(wrong.raw), append([]byte{bodyVersion}, wrong.raw...))
}

// onFraud takes the proof that another member found, to check it.
func (m *Machine) onFraud(a *attempt, e *stored) error {
	if e.from == m.self {
		return nil
	}
	if len(e.env.Body) < 1 || e.env.Body[0] != bodyVersion {
		return fmt.Errorf("%w: proof of %d bytes", errBody, len(e.env.Body))
	}
	raw := e.env.Body[1:]
	env, err := ledger.DecodeEnvelope(raw)
	if err != nil {
		return err
	}
	from := m.epoch.Index(env.From)
	if from < 0 || from == e.from || env.Type != typeChunkSum && env.Type != typeVouch || env.Session != m.sessionID(a.number) {
		return fmt.Errorf("%w: proof against nobody", errBody)
	}
	s, c, y, err := m.readClaim(a, env, raw)
	if err != nil || m.shuns(from) || m.shuns(e.from) {
		return err
	}
	m.accept(&stored{env: env, raw: raw, from: from, hash: hashOf(raw)})
	x := &s.owned.sums[c]
	x.accused = append(x.accused, accusation{e.from, from, y.hash})
	if x.own != nil {
		m.judge(a, s, c)
		return nil
	}
	m.tell(Warning, "%s says that %s told a wrong sum of chunk %d of %s; checking", m.name(e.from), m.name(from), c, s.name)
	m.doubt(a, s, c)
	return nil
}

// doubt makes this member add a chunk up itself, and forget what rests on the word of others.
func (m *Machine) doubt(a *attempt, s *session, c int) {
	x := &s.owned.sums[c]
	if !x.doubted {
		x.doubted, x.pull = true, pull{}
	}
	if x.taken != nil {
		x.taken = nil
		m.refute(a, s)
	}
}

// dropClaims forgets what a member said that was proven to cheat, and the doubts that it raised.
func (m *Machine) dropClaims(member int) {
	if m.r == nil {
		return
	}
	for _, k := range m.r.tracked() {
		for _, s := range m.r.attempts[k].sessions {
			if s.owned == nil {
				continue
			}
			place := slices.Index(s.members, member)
			for c := range s.owned.sums {
				if s.owned.sums[c].drop(member, place) {
					m.refute(m.r.attempts[k], s)
				}
			}
		}
	}
}

// drop forgets what a member said about a chunk, and says whether nothing is left of what was taken for its sum.
func (x *chunkSum) drop(member, place int) bool {
	_, said := x.said[place]
	delete(x.said, place)
	x.accused = slices.DeleteFunc(x.accused, func(y accusation) bool { return y.by == member || y.of == member })
	x.doubted = x.doubted && (len(x.accused) > 0 || !x.agree())
	if !said || x.own != nil || x.taken == nil || len(x.said) > 0 {
		return false
	}
	x.taken = nil
	return true
}

// refute takes back what was computed from a sum that does not hold, or may not. A vote that was cast stands; votes in later
// views are for what is right.
func (m *Machine) refute(a *attempt, s *session) {
	s.sum, a.audits = nil, nil
	if !a.summed {
		return
	}
	a.summed = false
	if a.setup != nil {
		a.setup = nil
		a.stale++
	}
	if a.useless {
		a.useless, m.r.mustVoid = false, ""
	}
	if x := m.r.results[m.r.own]; m.r.own.Defined() && (x == nil || x.record.Attempt == a.number) {
		delete(m.r.results, m.r.own)
		m.r.own = cid.Undef
	}
}
