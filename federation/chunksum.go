package federation

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// The first owner tells the words of a sum to all; the others vouch for them by their hash, and tell the words when the first does not.

// chunkSum is what a member knows of the sum of one chunk. Data are words as they travel.
type chunkSum struct {
	said    map[int][]*claim // by place; none of members that were proven to cheat
	own     []byte           // as this member added it up; nil before
	taken   []byte           // what it goes on with; nil before
	wanted  bool             // this member drew it, to add it up itself
	doubted bool             // members said different things about it, or one accused another
	accused []accusation
	pull    pull
}

// claim is what a member says that a chunk's sum is: a vouch or the words.
type claim struct {
	hash [32]byte
	data []byte // nil in a vouch
	raw  []byte
}

// tendChunks does what is due about the sums of an attempt's chunks, and says whether it did anything. Of the chunks in doubt, one is checked
// at a time: with who was wrong, all doubts that it raised are gone.
func (m *Machine) tendChunks(a *attempt) bool {
	checking := false
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
			checks := s.owned.sums[c].doubted && !checking
			checking = checking || checks
			if m.tendChunk(a, s, c, checks) {
				return true
			}
		}
	}
	return false
}

func (m *Machine) tendChunk(a *attempt, s *session, c int, checks bool) bool {
	x := &s.owned.sums[c]
	duty := m.onDuty(a, s, c)
	if x.own == nil && (duty || x.wanted || checks) {
		missing := s.missing(c, s.opened.list)
		if len(missing) == 0 {
			m.addUp(a, s, c)
			return true
		}
		m.fetchChunk(a, s, c, missing)
	}
	if x.own != nil && m.tellSum(a, s, c, duty) {
		return true
	}
	return x.taken == nil && m.believe(a, s, c)
}

// tellSum says what this member has added up, if it is its turn to, and whether it did.
func (m *Machine) tellSum(a *attempt, s *session, c int, duty bool) bool {
	x := &s.owned.sums[c]
	speaks := duty && slices.Contains(m.trusted(s, c, 1+m.late(a, s, c)), s.self)
	switch {
	case speaks && x.words(s.self) == nil:
		sum := secagg.ChunkSum{Session: s.public.ID, From: s.self, Index: c, Data: x.own}
		m.say(typeChunkSum, a.number, chunkSeq(s, c), sum.Encode())
	case duty && len(x.said[s.self]) == 0:
		hash := sha256.Sum256(x.own)
		m.say(typeVouch, a.number, chunkSeq(s, c), append([]byte{bodyVersion}, hash[:]...))
	default:
		return false
	}
	return true
}

// onDuty says whether this member is a standing owner of a chunk: an active one, or next in the order when nobody has
// told the sum for a while. Who was proven to cheat does not count.
func (m *Machine) onDuty(a *attempt, s *session, c int) bool {
	return s.self >= 0 && slices.Contains(m.trusted(s, c, s.owned.owners+m.late(a, s, c)/2), s.self)
}

// late counts how often the words of a sum could have been told since the seeds are open; 0 when they were.
func (m *Machine) late(a *attempt, s *session, c int) int {
	x := &s.owned.sums[c]
	for k := range x.said {
		if x.words(k) != nil {
			return 0
		}
	}
	return int(m.now.Sub(s.owned.since) / m.sumTime(a))
}

// words returns what a member told, or nil.
func (x *chunkSum) words(place int) []byte {
	for _, y := range x.said[place] {
		if y.data != nil {
			return y.data
		}
	}
	return nil
}

// trusted are the first so many places of a chunk's order that are in the sum and were not proven to cheat.
func (m *Machine) trusted(s *session, c, n int) []int {
	return s.owned.first(c, n, func(k int) bool { return slices.Contains(s.opened.list, k) && !m.shuns(s.members[k]) })
}

// sumTime is how long the owners of a chunk are waited for before others do their work.
func (m *Machine) sumTime(a *attempt) time.Duration {
	return max(min(m.stepTime(a, typeChunkSum), m.patience()/16), time.Millisecond)
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
	x.own, x.wanted, x.doubted = sum.Data, false, false
	before := x.taken
	x.taken = x.own
	if before != nil && !bytes.Equal(before, x.own) {
		m.refute(a, s)
	}
	m.judge(a, s, c)
}

// onChunkSum files what a member says about a chunk.
func (m *Machine) onChunkSum(a *attempt, e *stored) error {
	s, c, y, err := m.readClaim(a, e.env, e.raw)
	if err != nil || m.shuns(e.from) {
		return err
	}
	x, place := &s.owned.sums[c], slices.Index(s.members, e.from)
	x.said[place] = append(x.said[place], y)
	switch {
	case x.own != nil:
		m.judge(a, s, c)
	case !x.agree():
		m.doubt(a, s, c)
	}
	return nil
}

// readClaim reads a chunk sum or a vouch for one. A vouch is: version, SHA-256 of the words 32.
func (m *Machine) readClaim(a *attempt, env *ledger.Envelope, raw []byte) (*session, int, *claim, error) {
	index, c := env.Seq>>32, int(uint32(env.Seq))
	if index >= uint64(len(a.sessions)) || a.sessions[index].owned == nil || c >= len(a.sessions[index].owned.sums) {
		return nil, 0, nil, fmt.Errorf("%w: sum of chunk %d of session %d", errBody, c, index)
	}
	s := a.sessions[index]
	place := slices.Index(s.members, m.epoch.Index(env.From))
	if place < 0 {
		return nil, 0, nil, fmt.Errorf("%w: sum of a chunk by a stranger to %s", errBody, s.name)
	}
	y := &claim{raw: raw}
	if env.Type == typeVouch {
		if len(env.Body) != 1+len(y.hash) || env.Body[0] != bodyVersion {
			return nil, 0, nil, fmt.Errorf("%w: vouch of %d bytes", errBody, len(env.Body))
		}
		copy(y.hash[:], env.Body[1:])
		return s, c, y, nil
	}
	v, err := secagg.DecodeChunkSum(env.Body)
	if err == nil {
		err = v.Fits(s.public)
	}
	if err == nil && (v.From != place || v.Index != c) {
		err = fmt.Errorf("%w: sum of a chunk in another's place", errBody)
	}
	y.hash, y.data = sha256.Sum256(v.Data), v.Data
	return s, c, y, err
}

// agree says whether all members that said anything about a chunk said the same.
func (x *chunkSum) agree() bool {
	var first *claim
	for _, list := range x.said {
		for _, y := range list {
			if first == nil {
				first = y
			}
			if y.hash != first.hash {
				return false
			}
		}
	}
	return true
}

// believe takes the word of owners for the sum of a chunk, and says whether it did: that of as many as rules and caution ask for,
// or of those who are there when the others are late.
func (m *Machine) believe(a *attempt, s *session, c int) bool {
	x := &s.owned.sums[c]
	var words []byte
	for k := range x.said {
		if data := x.words(k); data != nil {
			words = data // all that were told are the same, or nothing is believed
		}
	}
	if words == nil || x.doubted {
		return false
	}
	active := m.trusted(s, c, s.owned.owners)
	heard := 0
	for _, k := range active {
		if len(x.said[k]) > 0 {
			heard++
		}
	}
	if heard < min(len(active), m.spare()+1) && m.now.Before(s.owned.since.Add(m.sumTime(a))) {
		return false
	}
	x.taken = words
	return true
}

// proven says whether this member knows the sum of a chunk: it added it up, or more members say so than can be dishonest.
func (m *Machine) proven(x *chunkSum) bool {
	return x.own != nil || x.agree() && len(x.said) > m.spare()
}

// lanes puts the sums of all chunks together, or returns nil while some are missing.
func (o *owned) lanes(of secagg.Session) []uint32 {
	var out []uint32
	for c := range o.sums {
		if o.sums[c].taken == nil {
			return nil
		}
	}
	for c := range o.sums {
		out = append(out, (&secagg.ChunkSum{Data: o.sums[c].taken}).Words(of)...)
	}
	return out
}
