package federation

import (
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// A session is one secure sum of an attempt. Members of the epoch are counted as everywhere; within secagg they are counted by
// their place in the session's roster.
type session struct {
	index   int
	name    string // ledger.TrunkGroup or ledger.HeadGroup
	key     string // of the head
	head    int    // its number in Epoch.Shared
	members []int  // ascending
	public  secagg.Session
	self    int            // own place, -1 for a spectator
	member  *secagg.Member // nil for a spectator, and when secrets were erased

	keys     map[int]secagg.Keys
	shares   map[int]secagg.Shares
	confirms map[int]secagg.Confirm
	masked   map[int]*secagg.Masked
	early    map[int][]secagg.Chunk // chunks that came before their header

	statements map[int]secagg.Survivors // in the trunk: those of a quorum, see agreement
	unmasks    map[int]secagg.Unmask
	stated     bool                    // this member has stated
	released   bool                    // this member has opened its shares
	tried      int                     // opened shares at the last try to sum
	opened     *opened                 // seeds and what they belong to, when they are open
	sum        *sum                    // when it is open
	owned      *owned                  // nil when every member holds everything
	pairs      map[int][32]byte        // keys of the own pair masks, while they are to be reported on
	seeds      map[int]secagg.PairSeed // of the own encapsulations, while their pairs may come to quarrel
	cheat      error                   // when it never will be
}

// openSessions sets up the sums of an attempt, for participants and spectators alike: the trunk, and every shared head
// that the roster names.
func (m *Machine) openSessions(a *attempt, p *proposal) error {
	var list []*session
	add := func(name, key string, head int, all, members []int, threshold, least, thin int) error {
		s := &session{index: len(list), name: name, key: key, head: head, members: members, self: slices.Index(members, m.self),
			statements: map[int]secagg.Survivors{}, unmasks: map[int]secagg.Unmask{}, keys: map[int]secagg.Keys{}, shares: map[int]secagg.Shares{}, confirms: map[int]secagg.Confirm{},
			masked: map[int]*secagg.Masked{}, early: map[int][]secagg.Chunk{}}
		ids := make([][32]byte, len(members))
		for k, i := range members {
			ids[k] = m.epoch.Members[i].ID
		}
		c := secagg.Context{Genesis: m.genesis.Bytes(), Round: m.r.number, Attempt: uint32(a.number), PrevCertificate: m.r.base.Prev.Bytes(),
			WeightsIn: m.r.base.WeightsIn.Bytes(), Config: m.r.base.Config.Bytes(), Roster: ids, Group: name, Cohorts: m.cohorts(name, all, members, thin)}
		s.public = secagg.Session{ID: c.ID(), Roster: ids, Threshold: threshold, MinSurvivors: least, Lanes: m.lanes(name), Bits: m.laneBits(), Cohorts: c.Cohorts}
		if m.rules.Owners > 0 {
			s.owned = newOwned(m.rules.Owners, &s.public)
		}
		list = append(list, s)
		return s.public.Validate()
	}
	everybody := make([]int, len(m.epoch.Members))
	for i := range everybody {
		everybody[i] = i
	}
	if err := add(ledger.TrunkGroup, "", -1, everybody, p.members, m.quorum, max(m.quorum, m.rules.MinCohort), m.rules.MinCohort); err != nil {
		return err
	}
	shared := m.epoch.Shared()
	for _, h := range p.heads {
		t, least := m.headLimits(shared[h])
		if err := add(ledger.HeadGroup(shared[h]), shared[h], h, m.epoch.HeadMembers(shared[h]), m.headMembers(shared[h], p.members), t, least, m.rules.MinGroup); err != nil {
			return err
		}
	}
	a.roster, a.sessions = p.members, list
	return nil
}

// headLimits returns the threshold and the smallest sum of a head. The threshold counts all members of the head, not only
// those of the attempt: two attempts at one round can never both be opened.
func (m *Machine) headLimits(key string) (threshold, least int) {
	threshold = ledger.Quorum(len(m.epoch.HeadMembers(key)))
	return threshold, max(threshold, m.rules.MinGroup)
}

// headMembers returns who of the list uses the head, or nil when they are too few for a sum.
func (m *Machine) headMembers(key string, list []int) (out []int) {
	for _, i := range m.epoch.HeadMembers(key) {
		if slices.Contains(list, i) {
			out = append(out, i)
		}
	}
	if _, least := m.headLimits(key); len(out) < least {
		return nil
	}
	return out
}

// onSession takes the messages of secagg before the survivors are known.
func (a *attempt) onSession(e *stored) error {
	index := e.env.Seq
	if e.env.Type == typeChunk {
		index >>= 32
	}
	if index >= uint64(len(a.sessions)) {
		return fmt.Errorf("%w: session %d of %d", errBody, index, len(a.sessions))
	}
	s := a.sessions[index]
	from := slices.Index(s.members, e.from)
	if from < 0 {
		return fmt.Errorf("%w: the sender has no part in %s", errBody, s.name)
	}
	return s.take(e, from)
}

func (s *session) take(e *stored, from int) error {
	body := e.env.Body
	switch e.env.Type {
	case typeKeys:
		v, err := secagg.DecodeKeys(body)
		return keep(s, s.keys, from, v, v.Session, v.From, err)
	case typeShares:
		v, err := secagg.DecodeShares(body)
		return keep(s, s.shares, from, v, v.Session, v.From, err)
	case typeConfirm:
		v, err := secagg.DecodeConfirm(body)
		return keep(s, s.confirms, from, v, v.Session, v.From, err)
	case typeStateHead, typeOpenHead:
		return s.takeHead(e, from)
	case typeMasked:
		v, err := secagg.DecodeMaskedHeader(body)
		if err != nil {
			return err
		}
		return s.takeHeader(v, from)
	}
	c, err := secagg.DecodeChunk(body)
	if err == nil && (c.Session != s.public.ID || c.From != from || e.env.Seq&(1<<32-1) != uint64(c.Index)) {
		err = fmt.Errorf("%w: it belongs to another session or sender", errBody)
	}
	if err != nil {
		return err
	}
	if s.masked[from] == nil {
		s.early[from] = append(s.early[from], c)
		return nil
	}
	return s.masked[from].Add(c)
}

// keep files a message of secagg under its sender, when it is of this session and sender.
func keep[M any](s *session, into map[int]M, from int, v M, sid [32]byte, says int, err error) error {
	if err == nil && (from < 0 || sid != s.public.ID || says != from) {
		err = fmt.Errorf("%w: it belongs to another session or sender", errBody)
	}
	if err == nil {
		into[from] = v
	}
	return err
}

// takeHead takes what is said about a head's survivors.
func (s *session) takeHead(e *stored, from int) error {
	if s.index == 0 {
		return fmt.Errorf("%w: the trunk is no head", errBody)
	}
	if e.env.Type == typeStateHead {
		v, err := secagg.DecodeSurvivors(e.env.Body)
		return keep(s, s.statements, from, v, v.Session, v.From, err)
	}
	v, err := secagg.DecodeUnmask(e.env.Body)
	return keep(s, s.unmasks, from, v, v.Session, v.From, err)
}

func (s *session) takeHeader(h secagg.MaskedHeader, from int) error {
	if h.From != from {
		return fmt.Errorf("%w: it belongs to another sender", errBody)
	}
	masked, err := secagg.NewMasked(s.public, h)
	if err != nil {
		return err
	}
	s.masked[from] = &masked
	early := s.early[from]
	delete(s.early, from)
	for _, c := range early {
		if err := masked.Add(c); err != nil {
			return err
		}
	}
	return nil
}

// complete says whether the masked input of a member of the epoch is here, or what this member has to hold of it.
func (s *session) complete(member int) bool {
	k := slices.Index(s.members, member)
	if k < 0 || s.masked[k] == nil {
		return false
	}
	if s.owned != nil {
		return s.holds(k)
	}
	return s.masked[k].Complete()
}

// among returns which members of a list have a part in the session.
func (s *session) among(list []int) (out []int) {
	for _, i := range list {
		if slices.Contains(s.members, i) {
			out = append(out, i)
		}
	}
	return out
}
