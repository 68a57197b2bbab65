package ledger

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// MinEpochRounds is how many rounds an epoch lasts before the one that ends it.
const MinEpochRounds = 10

// ringBits are those of the words in which updates are summed, see secagg.NewQuantizer.
const ringBits = 32

// ErrChange is wrapped by errors about an epoch that may not follow another.
var ErrChange = errors.New("the epoch may not follow")

// CheckNext says whether next may follow e, the chain of rounds apart. Heads and genesis stay; members of e keep key, peer id and
// name unless next lists them as rotated, or leave. Whoever is a member in both is enough for a quorum of e and for one of next: so
// a change never replaces the members that vouch for it, and joiners neither decide alone nor, when they do not come, stop the rest.
// No more members than e can miss, or one, leave or rotate at once.
func (e *Epoch) CheckNext(next *Epoch) error {
	err := next.validate()
	if err == nil {
		err = e.checkFrame(next)
	}
	if err == nil {
		err = e.checkStay(next)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrChange, err)
	}
	return nil
}

// checkFrame holds next to what does not depend on single members.
func (e *Epoch) checkFrame(next *Epoch) error {
	switch {
	case next.K != e.K+1:
		return fmt.Errorf("it has the number %d, want %d", next.K, e.K+1)
	case !next.Prev.Equals(e.CID()):
		return fmt.Errorf("it follows epoch %s, want %s: propose it again from the one in force", next.Prev, e.CID())
	case !next.Genesis.Equals(e.Genesis):
		return fmt.Errorf("it belongs to the federation %s, want %s", next.Genesis, e.Genesis)
	case !slices.Equal(next.Heads, e.Heads):
		return errors.New("it changes the list of heads: that needs a new federation")
	case !slices.Equal(next.Shared(), e.Shared()):
		return fmt.Errorf("the shared heads would be %q instead of %q: each needs %d members, and one that the weights have no part for stays local",
			next.Shared(), e.Shared(), next.Rules.MinGroup)
	case next.Rules.MinGroup < e.Rules.MinGroup:
		return fmt.Errorf("it lowers the minimum group from %d to %d, and members joined under the higher one", e.Rules.MinGroup, next.Rules.MinGroup)
	case next.Rules.ValueBits+next.Rules.WeightBits+bits.Len(uint(len(next.Members)-1)) > ringBits:
		return fmt.Errorf("sums of %d value and %d weight bits over %d members could overflow: use fewer bits", next.Rules.ValueBits, next.Rules.WeightBits, len(next.Members))
	case len(next.Members) < next.Rules.MinCohort:
		return fmt.Errorf("it has %d members, and its rules refuse sums over fewer than %d", len(next.Members), next.Rules.MinCohort)
	}
	names := map[string]bool{}
	for _, m := range next.Members {
		if names[m.Name] {
			return fmt.Errorf("two members are named %q", m.Name)
		}
		names[m.Name] = true
	}
	return nil
}

// checkStay follows every member of e into next.
func (e *Epoch) checkStay(next *Epoch) error {
	to := map[MemberID]MemberID{}
	for _, r := range next.Rotated {
		to[r.Old] = r.New
		if e.Index(r.Old) < 0 || next.Index(r.New) < 0 {
			return fmt.Errorf("it rotates %s, who is not in both epochs", r.Old)
		}
	}
	stay, rotated := 0, 0
	for _, was := range e.Members {
		id, listed := to[was.ID]
		if !listed {
			id = was.ID
		}
		i := next.Index(id)
		if i < 0 {
			if slices.ContainsFunc(next.Members, func(m Member) bool { return m.Name == was.Name }) {
				return fmt.Errorf("%q has another key and is not listed as rotated", was.Name)
			}
			continue
		}
		if err := checkMember(&was, &next.Members[i], listed); err != nil {
			return err
		}
		if stay++; listed {
			rotated++
		}
	}
	if len(next.Rotated) != rotated || next.joiners(e)+stay != len(next.Members) {
		return errors.New("two members would go on as one")
	}
	n, left := len(e.Members), len(e.Members)-stay
	switch most := max(1, n-e.Quorum()); {
	case stay < e.Quorum():
		return fmt.Errorf("%d of %d members stay, want at least %d: let fewer go at once", stay, n, e.Quorum())
	case stay < next.Quorum():
		return fmt.Errorf("%d members stay of the %d that would have to agree: let fewer join at once", stay, next.Quorum())
	case left+rotated > most:
		return fmt.Errorf("%d members leave or rotate their keys, want at most %d at once", left+rotated, most)
	}
	return nil
}

// checkMember compares a member with itself in the next epoch.
func checkMember(was, is *Member, rotated bool) error {
	changed := was.ID != is.ID || was.Peer != is.Peer
	switch {
	case was.Name != is.Name:
		return fmt.Errorf("member %q is renamed to %q: names stay", was.Name, is.Name)
	case changed && !rotated:
		return fmt.Errorf("%q has another peer id and is not listed as rotated", was.Name)
	case !changed && rotated:
		return fmt.Errorf("%q is listed as rotated and keeps its keys", was.Name)
	}
	return nil
}

// joiners counts the members of e that before does not have, under whatever key.
func (e *Epoch) joiners(before *Epoch) int { return len(e.Joined(before)) }

// Joined returns the members of e that were not in before, under an earlier key neither.
func (e *Epoch) Joined(before *Epoch) (out []Member) {
	for _, m := range e.Members {
		renewed := slices.ContainsFunc(e.Rotated, func(r Rotation) bool { return r.New == m.ID })
		if before.Index(m.ID) < 0 && !renewed {
			out = append(out, m)
		}
	}
	return out
}

// Left returns the members of before that are not in e any more, under another key neither.
func (e *Epoch) Left(before *Epoch) (out []Member) {
	for _, m := range before.Members {
		if e.Index(e.successor(m.ID)) < 0 {
			out = append(out, m)
		}
	}
	return out
}

// successor returns the key with which a member of the epoch before goes on in e.
func (e *Epoch) successor(id MemberID) MemberID {
	for _, r := range e.Rotated {
		if r.Old == id {
			return r.New
		}
	}
	return id
}

// Differences says in plain words what e changes over the epoch before.
func (e *Epoch) Differences(before *Epoch) (out []string) {
	for _, m := range e.Left(before) {
		out = append(out, fmt.Sprintf("%s is no member any more", m.Name))
	}
	for _, r := range e.Rotated {
		if i := e.Index(r.New); i >= 0 && r.Old == r.New {
			out = append(out, fmt.Sprintf("%s has another peer id", e.Members[i].Name))
		} else if i >= 0 {
			out = append(out, fmt.Sprintf("%s signs with another key, %s... instead of %s...", e.Members[i].Name, r.New.String()[:12], r.Old.String()[:12]))
		}
	}
	for _, m := range e.Joined(before) {
		out = append(out, fmt.Sprintf("%s joins with the key %s... and the heads %s", m.Name, m.ID.String()[:12], strings.Join(m.Heads, " ")))
	}
	for _, m := range e.Members {
		if i := before.Index(m.ID); i >= 0 {
			was := &before.Members[i]
			if !slices.Equal(was.Addresses, m.Addresses) {
				out = append(out, fmt.Sprintf("%s is reached at %s", m.Name, strings.Join(m.Addresses, " ")))
			}
			if !slices.Equal(was.Heads, m.Heads) {
				out = append(out, fmt.Sprintf("%s has the heads %s instead of %s", m.Name, strings.Join(m.Heads, " "), strings.Join(was.Heads, " ")))
			}
		}
	}
	if e.Rules != before.Rules {
		out = append(out, fmt.Sprintf("the rules change from %+v to %+v", before.Rules, e.Rules))
	}
	if a, b := len(before.Members), len(e.Members); a != b {
		out = append(out, fmt.Sprintf("%d members instead of %d, %d of them decide", b, a, e.Quorum()))
	}
	return out
}
