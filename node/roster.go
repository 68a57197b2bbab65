package node

import (
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// A roster says whom this node talks to. It is replaced as a whole when the members change.
type roster struct {
	epoch    *ledger.Epoch
	self     int                             // own index in the epoch, -1 when this node is not in it
	members  map[federation.MemberID]peer.ID // of the epoch, without this node
	admitted map[peer.ID]federation.MemberID // who may connect: members, who joins with the next epoch, who has just left
	others   map[peer.ID][]ma.Multiaddr      // where they can be reached
}

// newRoster lists the members of an epoch, and further ones that are admitted beside them.
func (n *Node) newRoster(e *ledger.Epoch, further ...ledger.Member) *roster {
	r := &roster{epoch: e, self: e.Index(n.id()), members: map[federation.MemberID]peer.ID{}, admitted: map[peer.ID]federation.MemberID{}, others: map[peer.ID][]ma.Multiaddr{}}
	for i, m := range slices.Concat(e.Members, further) {
		p, err := peer.Decode(m.Peer)
		if err != nil {
			n.log.Warn("the peer id of a member cannot be read; it cannot be reached", "member", m.Name, "error", err)
			continue
		}
		if m.ID == n.id() {
			continue
		}
		if i < len(e.Members) {
			r.members[m.ID] = p
		}
		if _, listed := r.admitted[p]; !listed {
			r.admitted[p] = m.ID
		}
		r.others[p] = append(r.others[p], n.addressesOf(m)...)
	}
	return r
}

// addressesOf are hints: an address that cannot be read is left out, the others will dial us.
func (n *Node) addressesOf(m ledger.Member) (out []ma.Multiaddr) {
	for _, text := range m.Addresses {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			n.log.Warn("an address of a member cannot be read", "member", m.Name, "error", err)
			continue
		}
		out = append(out, a)
	}
	return out
}

// peerOf returns the peer that has a member's key, among all that are admitted.
func (r *roster) peerOf(id federation.MemberID) (peer.ID, bool) {
	if p, ok := r.members[id]; ok {
		return p, true
	}
	for p, other := range r.admitted {
		if other == id {
			return p, true
		}
	}
	return "", false
}

// speaks says whether envelopes are taken from a peer: who is to join may read and nothing else.
func (r *roster) speaks(p peer.ID) bool {
	_, member := r.members[r.admitted[p]]
	return member
}

// setMembers takes over who the members are. Who has left is served until the next round is certified, so that it learns why.
func (n *Node) setMembers(a federation.Members) error {
	before := n.roster.Load()
	if a.Epoch != before.epoch {
		n.leaving = nil
		for _, m := range before.epoch.Members {
			if i := a.Epoch.Index(m.ID); i < 0 || a.Epoch.Members[i].Peer != m.Peer {
				n.leaving = append(n.leaving, m)
			}
		}
		if err := n.takePlace(a.Epoch); err != nil {
			n.log.Warn("the new epoch says of this node what is not so; it cannot take part as listed, and will not start again", "error", err)
		}
	}
	n.joining = a.Joining
	return n.applyRoster(a.Epoch)
}

// applyRoster opens and closes connections as the roster demands.
func (n *Node) applyRoster(e *ledger.Epoch) error {
	r := n.newRoster(e, slices.Concat(n.joining, n.hoped(e), n.leaving)...)
	was := n.roster.Swap(r)
	if maps.EqualFunc(was.others, r.others, func(a, b []ma.Multiaddr) bool {
		return slices.EqualFunc(a, b, func(x, y ma.Multiaddr) bool { return x.Equal(y) })
	}) {
		return nil
	}
	return n.network.SetMembers(r.others)
}

// hoped lists the members of the epoch with which this node is to join, while it is in none.
func (n *Node) hoped(e *ledger.Epoch) []ledger.Member {
	if n.hopes == nil || e.Index(n.id()) >= 0 || n.hopes.K <= e.K {
		return nil
	}
	return n.hopes.Members
}

// forgetLeaving ends the connections to who has left.
func (n *Node) forgetLeaving() error {
	if len(n.leaving) == 0 {
		return nil
	}
	n.leaving = nil
	return n.applyRoster(n.roster.Load().epoch)
}
