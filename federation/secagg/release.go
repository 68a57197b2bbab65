package secagg

import (
	"fmt"
	"slices"
)

// Survive makes the statement to be signed. survivors are distinct indices (any order) with the roots of their
// masked inputs; all of them must have confirmed, and this member is among them. Calling it again with the same
// survivors and roots returns the same statement; with others, ErrSpent.
func (m *Member) Survive(survivors []int, roots map[int][32]byte) (Survivors, error) {
	if m.done != survived && m.done != unmasked { // a repetition is allowed after these
		if err := m.enter(survived); err != nil {
			return Survivors{}, err
		}
	}
	out := Survivors{Session: m.s.ID, From: m.self, Roster: RosterHash(m.s.Roster), View: m.view}
	list := slices.Clone(survivors)
	slices.Sort(list)
	for k, i := range list {
		root, ok := roots[i]
		switch {
		case k > 0 && list[k-1] == i:
			return Survivors{}, fmt.Errorf("Survive: member %d is listed twice", i)
		case !slices.Contains(m.confirmed, i):
			return Survivors{}, fmt.Errorf("Survive: %w: member %d did not confirm to this member, so its masks may not cancel", ErrView, i)
		case !ok:
			return Survivors{}, fmt.Errorf("Survive: no root of the masked input of member %d", i)
		case i == m.self && root != m.root:
			return Survivors{}, fmt.Errorf("Survive: %w: the root of the own masked input was altered", ErrView)
		}
		out.List = append(out.List, Survivor{Member: i, Root: root})
	}
	if !out.has(m.self) {
		return Survivors{}, fmt.Errorf("Survive: %w: member %d is not in the list and does not sign it", ErrView, m.self)
	}
	if err := m.enough(survived, len(list)); err != nil {
		return Survivors{}, err
	}
	if err := m.s.thin(list); err != nil {
		return Survivors{}, fmt.Errorf("Survive: %w", err)
	}
	if m.done >= survived && out.Digest() != m.statement.Digest() {
		return Survivors{}, fmt.Errorf("Survive with another list: %w: one statement per session", ErrSpent)
	}
	m.statement, m.done = out, max(m.done, survived)
	out.List = slices.Clone(out.List)
	return out, nil
}

// Unmask opens the shares once at least Threshold survivors (own included) have stated the same as this member.
// Once only; received shares are wiped. Errors: ErrThreshold, ErrSpent.
func (m *Member) Unmask(statements map[int]Survivors) (Unmask, error) {
	if err := m.enter(unmasked); err != nil {
		return Unmask{}, err
	}
	want := m.statement.Digest()
	equal, differ := 1, 0
	for i, s := range statements {
		switch {
		case i == m.self || !m.s.belongs(s.Session, s.From, i) || !m.statement.has(i):
		case s.Digest() == want:
			equal++
		default:
			differ++
		}
	}
	if equal < m.s.Threshold {
		return Unmask{}, fmt.Errorf("Unmask: %w: %d survivors stated the same as this member and %d something else, want %d: no share is opened",
			ErrThreshold, equal, differ, m.s.Threshold)
	}
	// The step counts as taken before the first share is out.
	m.done = unmasked
	out := Unmask{Session: m.s.ID, From: m.self}
	for _, i := range sorted(m.peers) {
		which := SecretZ
		if m.statement.has(i) {
			which = SecretB
		}
		p := m.peers[i]
		out.Opened = append(out.Opened, Opened{Of: i, Secret: which, Share: p.share[which-1], Salt: p.salt[which-1]})
	}
	m.wipePeers()
	return out, nil
}
