package doctor

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// A place is what the lists of members say of this node.
type place int

const (
	stranger place = iota // no list has its key
	listed                // in the newest certified epoch
	waiting               // in the epoch that it joins with, which is not certified yet
	passed                // the epoch that it was to join with was decided without it
	replaced              // an epoch gave its place to another key
	gone                  // an epoch left it out
)

// A membership is the newest certified epoch that the folder holds, and this node's place.
type membership struct {
	epoch  *ledger.Epoch // nil without a genesis
	place  place
	entry  ledger.Member   // what the list says of this node; when it was replaced, of who goes on in its place
	peers  []string        // the peer ids under which it may appear
	since  uint64          // the epoch with which this node is to be a member, or with which it is none any more
	why    string          // the reason that this epoch gives
	others []ledger.Member // whom it talks to
}

// membershipOf finds the place of a key. Epochs are the certified ones by number, not empty; joining is the one that the node joins with,
// nil for a node that was listed from the start.
func membershipOf(epochs []*ledger.Epoch, joining *ledger.Epoch, id ledger.MemberID) membership {
	m := membership{epoch: epochs[len(epochs)-1]}
	next := joining
	if next != nil && (next.K <= m.epoch.K || next.Index(id) < 0) {
		next = nil
	}
	if i := m.epoch.Index(id); i >= 0 {
		m.place, m.entry = listed, m.epoch.Members[i]
	} else {
		m.leave(epochs, id)
	}
	switch {
	case m.place == stranger && next == nil && joining != nil && joining.Index(id) >= 0:
		m.place, m.entry, m.since = passed, joining.Members[joining.Index(id)], joining.K
	case next != nil && (m.place == stranger || m.place == gone): // a key that was replaced never returns
		m.place, m.entry, m.since, m.why = waiting, next.Members[next.Index(id)], next.K, ""
	}
	m.peers = []string{m.entry.Peer}
	if next != nil { // a member that gets another peer id may have it already
		m.peers = append(m.peers, next.Members[next.Index(id)].Peer)
	}
	m.others = othersOf(m.epoch, id)
	if m.place == waiting {
		m.others = united(othersOf(next, id), m.others)
	}
	return m
}

// leave says how a node that is not in the newest epoch left, if it was in an earlier one.
func (m *membership) leave(epochs []*ledger.Epoch, id ledger.MemberID) {
	for k, e := range slices.Backward(epochs) {
		if i := slices.IndexFunc(e.Rotated, func(r ledger.Rotation) bool { return r.Old == id && r.New != id }); i >= 0 {
			m.place, m.since, m.why = replaced, e.K, e.Reason
			if now := e.Index(e.Rotated[i].New); now >= 0 {
				m.entry = e.Members[now]
			}
			return
		}
		if i := e.Index(id); i >= 0 {
			m.place, m.entry, m.since, m.why = gone, e.Members[i], e.K+1, epochs[k+1].Reason
			return
		}
	}
}

func othersOf(e *ledger.Epoch, id ledger.MemberID) []ledger.Member {
	return slices.DeleteFunc(slices.Clone(e.Members), func(m ledger.Member) bool { return m.ID == id })
}

// united adds to a list of members those of another; who is in both is reached at the addresses of both.
func united(list, more []ledger.Member) []ledger.Member {
	for _, m := range more {
		i := slices.IndexFunc(list, func(l ledger.Member) bool { return l.Peer == m.Peer })
		if i < 0 {
			list = append(list, m)
			continue
		}
		addresses := slices.Clone(list[i].Addresses)
		for _, a := range m.Addresses {
			addresses = added(addresses, a)
		}
		list[i].Addresses = addresses
	}
	return list
}

// talks says whether the others talk to this node.
func (m *membership) talks() bool { return m.place == listed || m.place == waiting }

// membership reads the newest one from the folder. The error says why there may be a newer one.
func (s *Site) membership(signing ed25519.PublicKey) (membership, error) {
	if s.Genesis == nil || signing == nil {
		return membership{}, nil
	}
	epochs, err := s.epochs()
	return membershipOf(epochs, s.Joining, memberID(signing)), err
}

func memberID(signing ed25519.PublicKey) (id ledger.MemberID) {
	copy(id[:], signing)
	return id
}

// listOf names the document that an epoch's list of members stands in.
func listOf(e *ledger.Epoch) string {
	if e.K == 0 {
		return "the genesis"
	}
	return fmt.Sprintf("epoch %d", e.K)
}
