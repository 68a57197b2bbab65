package founding

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/home"
)

// A Change is what somebody proposes for the next epoch.
type Change struct {
	Add    []home.Card          // of institutions that join
	Remove []string             // names of members that leave or are expelled
	Rotate map[string]home.Card // by the name of a member that goes on with the keys of a new node
	Reason string               // for people
}

// Propose makes the epoch after the one in force. Members keep their places; who joins comes last. What the rules of change refuse is an
// error, see ledger.Epoch.CheckNext.
func Propose(before *ledger.Epoch, c Change) (*ledger.Epoch, error) {
	next := &ledger.Epoch{Genesis: before.Genesis, K: before.K + 1, Prev: before.CID(), Members: slices.Clone(before.Members), Heads: before.Heads,
		Rules: before.Rules, Reason: c.Reason}
	for _, name := range c.Remove {
		i, err := place(next, name)
		if err != nil {
			return nil, err
		}
		next.Members = slices.Delete(next.Members, i, i+1)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Rotate)) {
		i, err := place(next, name)
		if err != nil {
			return nil, err
		}
		m, err := memberOf(c.Rotate[name], before.Heads)
		if err != nil {
			return nil, err
		}
		next.Rotated = append(next.Rotated, ledger.Rotation{Old: next.Members[i].ID, New: m.ID})
		m.Name = name
		next.Members[i] = m
	}
	slices.SortFunc(next.Rotated, func(a, b ledger.Rotation) int { return bytes.Compare(a.Old[:], b.Old[:]) })
	for _, card := range c.Add {
		m, err := memberOf(card, before.Heads)
		if err != nil {
			return nil, err
		}
		next.Members = append(next.Members, m)
	}
	next.Local = localHeads(before, next)
	return next, before.CheckNext(next)
}

func place(e *ledger.Epoch, name string) (int, error) {
	i := slices.IndexFunc(e.Members, func(m ledger.Member) bool { return m.Name == name })
	if i < 0 {
		var names []string
		for _, m := range e.Members {
			names = append(names, m.Name)
		}
		return 0, fmt.Errorf("nobody is named %q: the members are %q", name, names)
	}
	return i, nil
}

// localHeads lists the heads that enough members of next would use to share them, and that the certified weights have no part for.
func localHeads(before, next *ledger.Epoch) (out []string) {
	shared := before.Shared()
	for _, h := range next.Heads {
		if !slices.Contains(shared, h.Key) && (len(next.HeadMembers(h.Key)) >= next.Rules.MinGroup || slices.Contains(before.Local, h.Key)) {
			out = append(out, h.Key)
		}
	}
	return out
}

// memberOf makes a member from its card. All its conventions must be among the federation's: a new one would need a part of the model
// that nobody has.
func memberOf(c home.Card, heads []ledger.Head) (ledger.Member, error) {
	m := ledger.Member{Name: c.Name, Peer: c.Peer, Addresses: c.Addresses}
	id, err := hex.DecodeString(c.Member)
	if err != nil || len(id) != len(m.ID) {
		return m, fmt.Errorf("card of %q: member is not the hex of a 32-byte key", c.Name)
	}
	copy(m.ID[:], id)
	for _, text := range c.Conventions {
		h, err := headOf(text)
		if err != nil {
			return m, fmt.Errorf("card of %q: %w", c.Name, err)
		}
		if !slices.ContainsFunc(heads, func(known ledger.Head) bool { return known.Key == h.Key }) {
			return m, fmt.Errorf("card of %q: the federation has no head %s (%s): its owner takes that data set out of node.toml and prints a new card", c.Name, h.Key, h.Name)
		}
		m.Heads = append(m.Heads, h.Key)
	}
	slices.Sort(m.Heads)
	return m, nil
}
