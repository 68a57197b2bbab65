package federation

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/secagg"
)

// With Rules.Owners = R > 0 a chunk of a session is not sent to all. Its members have an order that nobody chooses; the first R of them
// that are in the list of a sum are its active owners: they hold that chunk of everybody's masked input, add it up once the seeds are open,
// and tell the sum to all. Headers still go to everybody, so that all state the same roots and can check every chunk and every sum.
//
//	recipients  of a chunk of sender k: the first R of the order other than k. What an owner sends is held by the next in
//	            the order too, and no chunk by its sender alone
//	active      the first R of the order that are in the list that the coordinator named; senders send to those that
//	            became owners because others are not in the list
//	standing    the active ones, and after a while without a sum the next in the order, one after another
//
// Owners tell what they hold (held.go), and the coordinator names members whose chunks are all held. Sums of chunks are in chunksum.go,
// how they are audited in audit.go, and what happens to a wrong one in fraud.go. Places are those in the session's roster.

// owned is what a session with owners has besides.
type owned struct {
	owners int
	order  [][]int             // of places, by chunk
	duty   []bool              // by place, whether it has to hold anything of others
	held   map[int]holding     // what owners said they hold, newest
	told   []int               // what this member said last; nil for nothing yet
	count  uint64              // how often it did
	sent   map[sending]bool    // own chunks that were sent after the first time
	since  time.Time           // when the seeds were open here
	sums   []chunkSum          // by chunk
	served map[request]serving // audits answered
}

// sending is a chunk on its way to a place.
type sending struct{ chunk, to int }

func newOwned(owners int, s *secagg.Session) *owned {
	o := &owned{owners: owners, duty: make([]bool, len(s.Roster)), held: map[int]holding{}, sent: map[sending]bool{}, served: map[request]serving{}, sums: make([]chunkSum, s.Chunks())}
	for c := range o.sums {
		o.sums[c].said = map[int][]*claim{}
		o.order = append(o.order, ownerOrder(s.ID, c, s.Roster))
		for _, k := range o.order[c][:min(owners+1, len(s.Roster))] { // the last of them holds what the others of them send
			o.duty[k] = true
		}
	}
	return o
}

// ownerOrder sorts the places of a roster by SHA-256 over "fedlam/v1/owner", a zero byte, the session id, the chunk (4 bytes, big-endian)
// and the member's id.
func ownerOrder(sid [32]byte, chunk int, roster [][32]byte) []int {
	return hashOrder(len(roster), func(k int) []byte {
		b := append([]byte("fedlam/v1/owner\x00"), sid[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(chunk))
		return append(b, roster[k][:]...)
	})
}

// first returns the first so many places of a chunk's order that may be taken.
func (o *owned) first(chunk, n int, may func(place int) bool) (out []int) {
	for _, k := range o.order[chunk] {
		if len(out) < n && may(k) {
			out = append(out, k)
		}
	}
	return out
}

// recipients are the places to which a sender sends a chunk.
func (o *owned) recipients(chunk, from int) []int {
	return o.first(chunk, o.owners, func(k int) bool { return k != from })
}

// active are the owners of a chunk among the places of a list.
func (o *owned) active(chunk int, list []int) []int {
	return o.first(chunk, o.owners, func(k int) bool { return slices.Contains(list, k) })
}

// covered says whether every chunk has an active owner among those in a list that may says.
func (o *owned) covered(list []int, may func(place int) bool) bool {
	for c := range o.order {
		if !slices.ContainsFunc(o.active(c, list), may) {
			return false
		}
	}
	return true
}

// coveredBy says whether members agree to a list, and active owners of every chunk are among them: nothing is opened that cannot be
// added up.
func (s *session) coveredBy(statements map[int]secagg.Survivors) bool {
	if s.owned == nil || statements == nil {
		return statements != nil
	}
	list := s.places(s.survivors(statements))
	return s.owned.covered(list, func(k int) bool { _, said := statements[k]; return said })
}

// waitForOwners gives the owners of chunks one more step when all is agreed but for them: they said that they hold their chunks and have
// probably died since. Another attempt is cheaper than patience, and nothing is open yet.
func (m *Machine) waitForOwners(a *attempt) {
	if !a.owners.IsZero() {
		return
	}
	a.owners = m.now
	if end := m.now.Add(m.stepTime(a, typeStatement)); end.Before(a.deadline) {
		a.deadline = end
	}
}

// places are those of members of the epoch that have a part in the session.
func (s *session) places(list []int) (out []int) {
	for k, i := range s.members {
		if slices.Contains(list, i) {
			out = append(out, k)
		}
	}
	return out
}

// at turns places in a session into members of the epoch.
func (s *session) at(places []int) (out []int) {
	for _, k := range places {
		out = append(out, s.members[k])
	}
	return out
}

// has says whether a chunk of a sender is here.
func (s *session) has(chunk, from int) bool {
	return s.masked[from] != nil && s.masked[from].Chunks[chunk] != nil
}

// holds says whether all chunks of a sender are here that it had to send here.
func (s *session) holds(from int) bool {
	for c := range s.owned.order {
		if !s.has(c, from) && slices.Contains(s.owned.recipients(c, from), s.self) {
			return false
		}
	}
	return true
}

// ready says whether this member has what it needs to agree to a list: every header, and every input of the chunks that it owns.
func (s *session) ready(list []int) bool {
	if s.owned == nil {
		return !slices.ContainsFunc(s.among(list), func(i int) bool { return !s.complete(i) })
	}
	places := s.places(list)
	for _, k := range places {
		if s.masked[k] == nil {
			return false
		}
	}
	for c := range s.owned.order {
		if slices.Contains(s.owned.active(c, places), s.self) && len(s.missing(c, places)) > 0 {
			return false
		}
	}
	return true
}

// missing returns those of a list whose chunk is not here.
func (s *session) missing(chunk int, places []int) []int {
	return slices.DeleteFunc(slices.Clone(places), func(k int) bool { return s.has(chunk, k) })
}

// sendInput sends the own masked input: its header to all, and every chunk to its recipients.
func (m *Machine) sendInput(a *attempt, s *session, input secagg.Masked) {
	m.say(typeMasked, a.number, uint64(s.index), input.Header.Encode())
	var parcels parcels
	for c := range input.Chunks {
		chunk := input.Chunk(c)
		if s.owned == nil {
			m.say(typeChunk, a.number, chunkSeq(s, c), chunk.Encode())
			continue
		}
		e := m.sign(typeChunk, a.number, chunkSeq(s, c), chunk.Encode())
		m.accept(e)
		for _, k := range s.owned.recipients(c, s.self) {
			parcels.add(s.members[k], e.raw)
		}
	}
	m.dispatchParcels(parcels)
}

// chunkSeq is the sequence number of what is said about a chunk.
func chunkSeq(s *session, chunk int) uint64 { return uint64(s.index)<<32 | uint64(chunk) }

// sendToNew sends own chunks to the members that own them only since others are not in the list.
func (m *Machine) sendToNew(a *attempt, s *session, list []int) {
	places := s.places(list)
	if s.owned == nil || !slices.Contains(places, s.self) {
		return
	}
	var parcels parcels
	for c := range s.owned.order {
		for _, k := range s.owned.active(c, places) {
			to := sending{c, k}
			e := m.chunkOf(a, s, c, s.self)
			if k == s.self || e == nil || s.owned.sent[to] || slices.Contains(s.owned.recipients(c, s.self), k) {
				continue
			}
			s.owned.sent[to] = true
			parcels.add(s.members[k], e.raw)
		}
	}
	m.dispatchParcels(parcels)
}

// chunkOf returns the envelope of a sender's chunk, or nil when it is not here.
func (m *Machine) chunkOf(a *attempt, s *session, chunk, from int) *stored {
	if !s.has(chunk, from) {
		return nil
	}
	key := m.placeOf(a, typeChunk, chunkSeq(s, chunk), s.members[from])
	return a.byKey[key]
}

// mayHold says whether a member should be given an envelope without asking for it: chunks go to their sender and to their owners only.
func (m *Machine) mayHold(a *attempt, e *stored, to int) bool {
	if e.env.Type != typeChunk || a.roster == nil || e.from == to {
		return true
	}
	index, chunk := e.env.Seq>>32, int(uint32(e.env.Seq))
	if index >= uint64(len(a.sessions)) || a.sessions[index].owned == nil {
		return true
	}
	s := a.sessions[index]
	from, place := slices.Index(s.members, e.from), slices.Index(s.members, to)
	if from < 0 || place < 0 || chunk >= len(s.owned.order) {
		return false
	}
	list := a.listOf(s)
	return slices.Contains(s.owned.recipients(chunk, from), place) ||
		list != nil && slices.Contains(s.owned.active(chunk, s.places(list)), place)
}

// parcels are envelopes by member, in the order of the first for each.
type parcels struct {
	to   []int
	raws map[int][][]byte
}

func (p *parcels) add(to int, raw []byte) {
	if p.raws == nil {
		p.raws = map[int][][]byte{}
	}
	if p.raws[to] == nil {
		p.to = append(p.to, to)
	}
	p.raws[to] = append(p.raws[to], raw)
}

func (m *Machine) dispatchParcels(p parcels) {
	for _, to := range p.to {
		m.do(Send{m.epoch.Members[to].ID, m.r.number, p.raws[to]})
	}
}
