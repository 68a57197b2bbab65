package federation

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// A member votes for a record only after it has added up some chunks itself, of those sums that it would have to believe: Policy.Audits
// of them, drawn with secret randomness once all sums are there, so that no owner knows who will look. A chunk that is
// owned by liars alone and not drawn by anybody passes; docs/decisions/0010-chunk-owners.md counts how likely that is.
//
// The inputs come from an owner, or from the next one, or from the senders, who keep their own until the round ends. An
// owner that gives none is as good as absent. A chunk that nobody gives in full leaves this member without a record of its own; the
// round is then decided by others, or void.

// audited is a chunk that was drawn.
type audited struct {
	s     *session
	chunk int
}

// audit draws chunks when all sums are there. It says whether those that were drawn are added up, and whether it did anything.
func (m *Machine) audit(a *attempt, sessions []*session) (done, did bool) {
	if a.audits == nil {
		a.audits, did = m.drawAudits(sessions), true
	}
	done = true
	for _, x := range a.audits {
		sum := &x.s.owned.sums[x.chunk]
		if sum.own == nil {
			done, did, sum.wanted = false, did || !sum.wanted, true
		}
	}
	return done, did
}

// drawAudits chooses among the chunks whose sums this member would have to believe.
func (m *Machine) drawAudits(sessions []*session) []audited {
	drawn := []audited{}
	for _, s := range sessions {
		if s.owned == nil {
			continue
		}
		for c := range s.owned.sums {
			if !m.proven(&s.owned.sums[c]) {
				drawn = append(drawn, audited{s, c})
			}
		}
	}
	for k := 0; k < len(drawn) && k < m.cfg.Policy.Audits; k++ {
		secret := m.random()
		other := k + int(binary.BigEndian.Uint64(secret[:])%uint64(len(drawn)-k)) // of so few, each is as likely as any
		drawn[k], drawn[other] = drawn[other], drawn[k]
	}
	return drawn[:min(len(drawn), m.cfg.Policy.Audits)]
}

// pull is how far this member has come in asking for the inputs of a chunk.
type pull struct {
	next time.Time // not before that is anybody asked again
	turn int       // how many were asked
}

// fetchChunk asks for the inputs of a chunk: one owner after another, then everybody who is missing, and those who hold what they
// sent. Then it begins anew.
func (m *Machine) fetchChunk(a *attempt, s *session, c int, missing []int) {
	p := &s.owned.sums[c].pull
	if m.now.Before(p.next) {
		return
	}
	p.next = m.now.Add(m.syncEvery())
	owners := slices.DeleteFunc(m.trusted(s, c, s.owned.owners), func(k int) bool { return k == s.self })
	turn := p.turn % (len(owners) + 1)
	p.turn++
	if turn < len(owners) {
		m.request(a, s, c, s.members[owners[(turn+m.self)%len(owners)]], missing) // not all ask the same one first
		return
	}
	wants := map[int][]int{}
	for _, k := range missing {
		wants[k] = append(wants[k], k)
		if slices.Contains(owners, k) || m.shuns(s.members[k]) { // what an owner sent is with the next in the order
			for _, other := range s.owned.recipients(c, k) {
				wants[other] = append(wants[other], k)
			}
		}
	}
	for k := range s.members {
		if k != s.self && len(wants[k]) > 0 {
			m.request(a, s, c, s.members[k], wants[k])
		}
	}
}

// request asks a member for a chunk of others, by their places.
func (m *Machine) request(a *attempt, s *session, c, to int, places []int) {
	var of []int
	for _, k := range places {
		of = append(of, s.members[k])
	}
	slices.Sort(of)
	body := encodeAudit(s.index, c, slices.Compact(of))
	e := m.sign(typeAudit, a.number, seqOf(body), body)
	m.do(Send{m.epoch.Members[to].ID, m.r.number, [][]byte{e.raw}})
}

// An audit request is: version, session 2, chunk 4, members 2 each.
func encodeAudit(session, chunk int, members []int) []byte {
	b := binary.BigEndian.AppendUint16([]byte{bodyVersion}, uint16(session))
	b = binary.BigEndian.AppendUint32(b, uint32(chunk))
	return append(b, encodeIndices(members)[1:]...)
}

func decodeAudit(b []byte, n int) (session, chunk int, members []int, err error) {
	if len(b) < 7 || b[0] != bodyVersion {
		return 0, 0, nil, fmt.Errorf("%w: audit request of %d bytes", errBody, len(b))
	}
	session, chunk = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint32(b[3:]))
	members, err = decodeIndices(append([]byte{bodyVersion}, b[7:]...), n)
	return session, chunk, members, err
}

// request and serving limit what a member gives to one that asks.
type request struct{ from, chunk int }

type serving struct {
	times int
	next  time.Time
}

// maxServed is how often a member gives one chunk to one other.
const maxServed = 8

// serve answers an audit request with the envelopes of the senders.
func (m *Machine) serve(a *attempt, e *stored) {
	if a == nil || e.from == m.self {
		return
	}
	index, c, members, err := decodeAudit(e.env.Body, len(m.epoch.Members))
	if err != nil || index >= len(a.sessions) || a.sessions[index].owned == nil || c >= len(a.sessions[index].owned.order) {
		m.tell(Debug, "%s asks for a chunk that does not exist", m.name(e.from))
		return
	}
	s := a.sessions[index]
	r := request{e.from, c}
	was := s.owned.served[r]
	if was.times >= maxServed || m.now.Before(was.next) {
		return
	}
	var out [][]byte
	for _, i := range members {
		if k := slices.Index(s.members, i); k >= 0 {
			if x := m.chunkOf(a, s, c, k); x != nil {
				out = append(out, x.raw)
			}
		}
	}
	if len(out) > 0 {
		s.owned.served[r] = serving{was.times + 1, m.now.Add(m.syncEvery() / 2)}
		m.do(Send{e.env.From, m.r.number, out})
	}
}

// uncoverable says whether nobody is left who could add up some chunk of the trunk: all its owners went away before they agreed.
func (a *attempt) uncoverable() bool {
	s := a.sessions[0]
	return s.owned != nil && !s.owned.covered(s.places(a.final.members), func(k int) bool {
		i := s.members[k]
		return a.quits[i] == 0 || a.statements[i] != nil
	})
}
