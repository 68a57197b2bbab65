package secagg

import (
	"slices"
	"testing"
)

// TestPublicMasks: what opening makes public about a survivor's masks, and what its member keeps, leave of its masked input the values.
func TestPublicMasks(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		const survivor, dropped = 2, 1
		p := newParty(t, session(4, 300))
		p.members[survivor].KeepPairMasks()
		p.leave[dropped] = atConfirm
		if err := p.until(atUnmask); err != nil {
			t.Fatal(err)
		}
		o, err := Open(p.s, p.in)
		if err != nil {
			t.Fatal(err)
		}
		lanes := lanesOf(p.in.Masked[survivor])
		remove := func(key [32]byte, added bool) {
			m := mask{key: key, negative: added}
			m.apply(p.s.ring(), lanes)
		}
		self, gone := o.PublicMasks(survivor)
		remove(self, true)
		if len(gone) != 1 {
			t.Fatalf("%d public pair masks, want that with the member that dropped out", len(gone))
		}
		remove(gone[dropped], survivor < dropped)
		pairs := p.members[survivor].PairMasks([]int{0, 2, 3})
		if len(pairs) != 2 {
			t.Fatalf("%d pair masks kept with the other survivors, want 2", len(pairs))
		}
		for j, key := range pairs {
			remove(key, survivor < j)
		}
		if want := p.values[survivor]; !slices.Equal(lanes, want) {
			t.Errorf("without its masks the input is %v..., want %v...", lanes[:4], want[:4])
		}
		if p.members[0].PairMasks([]int{2}) != nil {
			t.Error("a member that was not asked to keeps pair masks")
		}
		p.members[survivor].Erase()
		if left := p.members[survivor].PairMasks([]int{0}); len(left) > 0 {
			t.Error("pair masks outlive Erase")
		}
	})
}
