package federation

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// sum is what a session opened.
type sum struct {
	lanes   []uint32
	members int   // in the sum
	peers   int   // session.peers
	parts   []int // how many members each sum is over; one number unless cohorts are summed apart
	group   ledger.Group
}

// cheatError says that a sum is impossible for ever, as everybody finds who has the messages.
type cheatError struct {
	member int
	text   string
}

func (e *cheatError) Error() string { return e.text }

// agreed returns the statements that are equal and enough, or nil. Two different lists never have enough: both thresholds
// count more than two thirds of all who could ever state.
func (s *session) agreed() map[int]secagg.Survivors {
	equal := map[[32]byte]map[int]secagg.Survivors{}
	for k, v := range s.statements {
		d := v.Digest()
		if equal[d] == nil {
			equal[d] = map[int]secagg.Survivors{}
		}
		if equal[d][k] = v; len(equal[d]) >= s.public.Threshold {
			list := equal[d]
			for k, v := range s.statements { // the rest of them
				if v.Digest() == d {
					list[k] = v
				}
			}
			return list
		}
	}
	return nil
}

// survivors returns whom equal statements name, as members of the epoch, or nil when they name strangers or too few.
func (s *session) survivors(of map[int]secagg.Survivors) (list []int) {
	for _, v := range of {
		for _, x := range v.List {
			if x.Member >= len(s.members) {
				return nil
			}
			list = append(list, s.members[x.Member])
		}
		break // all of them say the same
	}
	if len(list) < s.public.MinSurvivors {
		return nil
	}
	return list
}

// opened are the rebuilt seeds of a session and what they belong to.
type opened struct {
	seeds      *secagg.Opening
	list       []int // places of the members in the sum, ascending
	masked     map[int]secagg.Masked
	maskedRoot [32]byte
}

// openSeeds rebuilds the seeds of a session, once its messages suffice. It returns nil while they do not; a cheatError when they
// never will.
func (m *Machine) openSeeds(s *session) (*opened, error) {
	if s.opened != nil || s.cheat != nil {
		return s.opened, s.cheat
	}
	statements := s.agreed()
	list := s.survivors(statements)
	if list == nil || len(s.unmasks) < s.public.Threshold || len(s.keys) < len(s.members) || len(s.shares) < len(s.members) {
		return nil, nil
	}
	in := secagg.Transcript{Keys: s.keys, Shares: s.shares, Statements: statements, Unmasks: s.unmasks, Masked: map[int]secagg.Masked{}}
	opening := 0
	for _, i := range list {
		k := slices.Index(s.members, i)
		if s.masked[k] == nil || s.owned == nil && !s.complete(i) {
			return nil, nil
		}
		if _, ok := s.unmasks[k]; ok {
			opening++
		}
		in.Masked[k] = *s.masked[k]
	}
	if opening < s.public.Threshold || opening <= s.tried {
		return nil, nil
	}
	s.tried = opening
	seeds, err := secagg.Open(s.public, in)
	if fault := (*secagg.Fault)(nil); errors.As(err, &fault) {
		cheat := s.members[fault.Member]
		s.cheat = &cheatError{cheat, fmt.Sprintf("the messages of %s in %s prove that it cheated: %s", m.name(cheat), s.name, fault.What)}
		m.shun(cheat, s.cheat.Error())
		return nil, s.cheat
	}
	if err != nil {
		m.tell(Warning, "%s cannot be summed yet: %v", s.name, err)
		return nil, nil
	}
	s.keepOpened(seeds, in)
	return s.opened, nil
}

// keepOpened notes the seeds that a transcript has opened, whose statements are equal.
func (s *session) keepOpened(seeds *secagg.Opening, in secagg.Transcript) {
	s.opened = &opened{seeds: seeds, list: s.places(s.survivors(in.Statements)), masked: in.Masked}
	for _, v := range in.Statements {
		s.opened.maskedRoot = v.MaskedRoot()
		break // all of them say the same
	}
}

// sumOf is the opened sum with these lanes.
func (s *session) sumOf(lanes []uint32) *sum {
	x := s.opened
	out := &sum{members: len(x.list), peers: s.peers(), lanes: lanes, group: ledger.Group{Name: s.name, Session: s.public.ID,
		Masked: x.maskedRoot, Seeds: x.seeds.Root(), Aggregate: AggregateRoot(lanes)}}
	for _, part := range x.seeds.Parts() {
		out.parts = append(out.parts, len(part))
	}
	for _, i := range s.at(x.list) {
		out.group.Survivors = append(out.group.Survivors, uint64(i))
	}
	return out
}

// open adds a session up, once its messages suffice. It returns nil while they do not; a cheatError when they never will.
func (m *Machine) open(s *session) (*sum, error) {
	if s.sum != nil || s.cheat != nil {
		return s.sum, s.cheat
	}
	x, err := m.openSeeds(s)
	if x == nil {
		return nil, err
	}
	var lanes []uint32
	if s.owned != nil {
		if lanes = s.owned.lanes(s.public); lanes == nil {
			return nil, nil
		}
	} else if lanes, err = sumLanes(x.seeds, s, x.masked); err != nil {
		m.tell(Warning, "%s cannot be summed yet: %v", s.name, err)
		s.opened = nil
		return nil, nil
	}
	s.sum = s.sumOf(lanes)
	return s.sum, nil
}

// shuns says whether a member was proven to cheat.
func (m *Machine) shuns(member int) bool { return m.cheats[m.epoch.Members[member].ID] }

// shun leaves a member that was proven to cheat out of the rosters that this one proposes, from now on.
func (m *Machine) shun(member int, why string) {
	if !m.shuns(member) {
		m.cheats[m.epoch.Members[member].ID] = true
		m.do(Persist{Set: []Entry{{[]byte(shunPrefix + m.epoch.Members[member].ID.String()), []byte(why)}}})
		m.tell(Alarm, "%s; this member proposes no roster with it any more", why)
		m.dropClaims(member)
	}
}

// sumLanes adds up all chunks; of cohorts, one after the other.
func sumLanes(o *secagg.Opening, s *session, masked map[int]secagg.Masked) ([]uint32, error) {
	parts := o.Parts()
	lanes := make([]uint32, 0, len(parts)*s.public.Lanes)
	for g, members := range parts {
		for c := range s.public.Chunks() {
			chunk := map[int][]byte{}
			for _, k := range members {
				chunk[k] = masked[k].Chunks[c]
			}
			part, err := o.SumPart(g, c, chunk)
			if err != nil {
				return nil, err
			}
			lanes = append(lanes, part...)
		}
	}
	return lanes, nil
}

// AggregateRoot is how a record names an opened sum: the digest in the CID of the file of its words, little-endian.
func AggregateRoot(lanes []uint32) (root [32]byte) {
	b := make([]byte, 0, 4*len(lanes))
	for _, v := range lanes {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	hash := ledger.FileCID(b).Hash()
	copy(root[:], hash[len(hash)-32:])
	return root
}
