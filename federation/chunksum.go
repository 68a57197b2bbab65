package federation

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/secagg"
)

// chunkSum is what a member knows of the sum of one chunk. Data are words as they travel.
type chunkSum struct {
	said    map[int]*claim // by place; none of members that were proven to cheat
	own     []byte         // as this member added it up; nil before
	taken   []byte         // what it goes on with; nil before
	wanted  bool           // this member has to add it up although it is no owner
	doubted []accusation
	pull    pull
}

// claim is what a member says that a chunk's sum is.
type claim struct {
	data []byte
	raw  []byte
}

// tendChunks does what is due about the sums of an attempt's chunks, and says whether it did anything.
func (m *Machine) tendChunks(a *attempt) bool {
	for _, s := range a.sessions {
		if s.owned == nil {
			continue
		}
		if x, _ := m.openSeeds(s); x == nil {
			continue
		}
		if s.owned.since.IsZero() {
			s.owned.since = m.now
			if _, began := a.since[typeChunkSum]; !began {
				a.since[typeChunkSum] = m.now
			}
		}
		for c := range s.owned.sums {
			if m.tendChunk(a, s, c) {
				return true
			}
		}
	}
	return false
}

func (m *Machine) tendChunk(a *attempt, s *session, c int) bool {
	x := &s.owned.sums[c]
	duty := m.onDuty(a, s, c)
	if x.own == nil && (duty || x.wanted) {
		missing := s.missing(c, s.opened.list)
		if len(missing) == 0 {
			m.addUp(a, s, c)
			return true
		}
		m.fetchChunk(a, s, c, missing)
	}
	if x.own != nil && duty && x.said[s.self] == nil {
		sum := secagg.ChunkSum{Session: s.public.ID, From: s.self, Index: c, Data: x.own}
		m.say(typeChunkSum, a.number, chunkSeq(s, c), sum.Encode())
		return true
	}
	return x.taken == nil && m.believe(a, s, c)
}

// onDuty says whether this member is a standing owner of a chunk: an active one, or next in the order when nobody has
// told the sum for a while. Who was proven to cheat does not count.
func (m *Machine) onDuty(a *attempt, s *session, c int) bool {
	x := &s.owned.sums[c]
	n := s.owned.owners
	if len(x.said) == 0 {
		n += int(m.now.Sub(s.owned.since) / m.sumTime(a))
	}
	return s.self >= 0 && slices.Contains(m.trusted(s, c, n), s.self)
}

// trusted are the first so many places of a chunk's order that are in the sum and were not proven to cheat.
func (m *Machine) trusted(s *session, c, n int) []int {
	return s.owned.first(c, n, func(k int) bool { return slices.Contains(s.opened.list, k) && !m.shunned[s.members[k]] })
}

// sumTime is how long the owners of a chunk are waited for before others do their work.
func (m *Machine) sumTime(a *attempt) time.Duration {
	return max(min(m.stepTime(a, typeChunkSum), m.patience()/8), time.Millisecond)
}

// addUp computes the sum of a chunk, and compares what others say.
func (m *Machine) addUp(a *attempt, s *session, c int) {
	inputs := map[int][]byte{}
	for _, k := range s.opened.list {
		inputs[k] = s.masked[k].Chunks[c]
	}
	x := &s.owned.sums[c]
	words, err := s.opened.seeds.SumChunk(c, inputs)
	if err != nil {
		m.halt("chunk %d of %s cannot be added up although every input matches its header: %v", c, s.name, err)
		return
	}
	sum := secagg.NewChunkSum(s.public, max(s.self, 0), c, words)
	x.own, x.wanted = sum.Data, false
	before := x.taken
	x.taken = x.own
	if before != nil && !bytes.Equal(before, x.own) {
		m.refute(a, s)
	}
	m.judge(a, s, c)
}

// onChunkSum files what a member says about a chunk.
func (m *Machine) onChunkSum(a *attempt, e *stored) error {
	v, err := secagg.DecodeChunkSum(e.env.Body)
	if err != nil {
		return err
	}
	index := e.env.Seq >> 32
	if index >= uint64(len(a.sessions)) || a.sessions[index].owned == nil {
		return fmt.Errorf("%w: sum of a chunk of session %d of %d", errBody, index, len(a.sessions))
	}
	s := a.sessions[index]
	place := slices.Index(s.members, e.from)
	if err := v.Fits(s.public); err != nil {
		return err
	}
	if place != v.From || uint64(uint32(e.env.Seq)) != uint64(v.Index) {
		return fmt.Errorf("%w: sum of a chunk in another's place", errBody)
	}
	if m.shunned[e.from] {
		return nil
	}
	x := &s.owned.sums[v.Index]
	x.said[place] = &claim{v.Data, e.raw}
	if x.own != nil {
		m.judge(a, s, v.Index)
		return nil
	}
	if !x.agree() {
		m.doubt(a, s, v.Index)
	}
	return nil
}

// agree says whether all members that said anything about a chunk said the same.
func (x *chunkSum) agree() bool {
	var first []byte
	for _, y := range x.said {
		if first == nil {
			first = y.data
		}
		if !bytes.Equal(first, y.data) {
			return false
		}
	}
	return true
}

// believe takes the word of owners for the sum of a chunk, and says whether it did: that of as many as rules and caution ask for,
// or of those who are there when the others are late.
func (m *Machine) believe(a *attempt, s *session, c int) bool {
	x := &s.owned.sums[c]
	if len(x.said) == 0 || len(x.doubted) > 0 || !x.agree() {
		return false
	}
	active := m.trusted(s, c, s.owned.owners)
	heard := 0
	for _, k := range active {
		if x.said[k] != nil {
			heard++
		}
	}
	if heard < min(len(active), m.spare()+1) && m.now.Before(s.owned.since.Add(m.sumTime(a))) {
		return false
	}
	for _, y := range x.said {
		x.taken = y.data
		break // all of them say the same
	}
	return x.taken != nil
}

// proven says whether this member knows the sum of a chunk: it added it up, or more members say so than can be dishonest.
func (m *Machine) proven(x *chunkSum) bool {
	return x.own != nil || x.agree() && len(x.said) > m.spare()
}

// lanes puts the sums of all chunks together, or returns nil while some are missing.
func (o *owned) lanes() []uint32 {
	var out []uint32
	for c := range o.sums {
		if o.sums[c].taken == nil {
			return nil
		}
	}
	for c := range o.sums {
		out = append(out, (&secagg.ChunkSum{Data: o.sums[c].taken}).Words()...)
	}
	return out
}
