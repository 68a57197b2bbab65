package federation

import (
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// Attacks by sums that are too small to hide anybody. Each is carried out with the check in place, and, the control, with the check switched off: the
// values of the victim, bit by bit, are what the sum leaves when the others take their own away.

// openedOver returns the sum of a group over exactly these members, in whatever attempt a living member has opened it, and its session.
func (c *cluster) openedOver(group string, members ...int) (lanes []uint32, session [32]byte) {
	for _, n := range c.nodes {
		if n.machine == nil || n.machine.r == nil {
			continue
		}
		for _, a := range n.machine.r.attempts {
			for _, s := range a.sessions {
				if s.name == group && s.sum != nil && slices.Equal(s.at(s.opened.list), members) {
					return s.sum.lanes, s.public.ID
				}
			}
		}
	}
	return nil, session
}

// without takes what members contributed off a sum.
func (c *cluster) without(lanes []uint32, session [32]byte, members ...int) []uint32 {
	out := slices.Clone(lanes)
	for _, i := range members {
		for k, v := range c.audit.lanes[session][i][0].Lanes {
			out[k] -= v
		}
	}
	return out
}

// TestSybilRoster has the coordinator and one more member make a roster of themselves and one victim, hearing nobody else. Members of a machine
// are switched to take a roster of three for a quorum: the two that attack, and in the control the victim.
func TestSybilRoster(t *testing.T) {
	for _, checked := range []bool{true, false} {
		c := afterSetup(t, 5).fork(t, 2, 1)
		c.audit.alarms = []string{}
		for _, n := range c.nodes {
			c.start(n)
		}
		c.settle(50 * time.Millisecond)
		leader := c.leads(0)
		accomplice, victim := (leader+1)%5, (leader+2)%5
		small := []int{leader, accomplice, victim}
		slices.Sort(small)
		for _, i := range small {
			if i != victim || !checked {
				c.nodes[i].machine.quorum = 3
			}
		}
		c.slow = func(from, to int, _ []byte) time.Duration {
			if slices.Contains(small, to) && !slices.Contains(small, from) {
				return -1
			}
			return 0
		}
		c.settle(8 * time.Second)
		lanes, session := c.openedOver(ledger.TrunkGroup, small...)
		if checked {
			for id, of := range c.audit.lanes {
				if len(of[victim]) > 0 {
					t.Errorf("the victim masked its update for session %x", id[:4])
				}
			}
			if lanes != nil {
				t.Error("a sum of three of five members was opened")
			}
			continue
		}
		if lanes == nil {
			t.Fatal("control: the sum over three members was not opened")
		}
		if got := c.without(lanes, session, leader, accomplice); !slices.Equal(got, c.audit.lanes[session][victim][0].Lanes) {
			t.Error("control: the two others do not see the victim's update")
		}
	}
}

// TestTinyHeadTells has the head of members 0 and 1: with a minimum of three it is not summed at all. In the control, two are enough, and member 1
// knows what member 0 learned from its data.
func TestTinyHeadTells(t *testing.T) {
	head := ledger.HeadGroup("two")
	for _, least := range []int{3, 2} {
		c := newCluster(t, 4, 3, 1, func(g *ledger.Genesis, w *weights.Set) {
			g.Rules.MinGroup = least
			for _, name := range w.Names() {
				if least > 2 && len(name) > 10 && name[:10] == "heads/two/" {
					w.Delete(name)
				}
			}
		})
		var lanes []uint32
		var session [32]byte
		c.doom = func(*node, Action) bool { // whenever anybody does anything
			if x, id := c.openedOver(head, 0, 1); x != nil {
				lanes, session = slices.Clone(x), id
			}
			return false
		}
		c.run(time.Minute)
		contributed := false
		for _, of := range c.audit.lanes {
			for _, x := range of {
				contributed = contributed || x[0].Group == head
			}
		}
		if least > 2 {
			if contributed || lanes != nil {
				t.Errorf("a head of two members and a minimum of %d: masked %v, opened %v", least, contributed, lanes != nil)
			}
			continue
		}
		if lanes == nil || !slices.Equal(c.without(lanes, session, 1), c.audit.lanes[session][0][0].Lanes) {
			t.Error("control: member 1 does not see the update of member 0")
		}
	}
}

// TestRareElementTells has a coordinator leave out one of the two members that have an element, of which the minimum is two: the row of the element in
// the sum would be the update of the other. Who has it is secret, but may be guessed. In the control, as it was once done, the row is summed because
// two have it of all.
func TestRareElementTells(t *testing.T) {
	const holder, other = 0, 1
	for _, checked := range []bool{true, false} {
		base := afterSetup(t, 5)
		if got := base.record(0).Elements; got[1] != 2 {
			t.Fatalf("elements of members: %v, want two to have the second", got)
		}
		c := base.fork(t, 2, 1)
		for _, n := range c.nodes {
			c.start(n)
		}
		c.settle(100 * time.Millisecond)
		row, found := 0, false
		for _, n := range c.nodes {
			if !checked {
				l, err := NewLayout(n.machine.r.weights, n.machine.epoch.Shared(), n.machine.chain.Elements(), n.machine.rules.MinGroup)
				if err != nil {
					t.Fatal(err)
				}
				n.machine.r.layout = l.Turn(0)
			}
		}
		for _, s := range c.nodes[holder].machine.r.layout.Slices(ledger.TrunkGroup) {
			if s.Name == elementRows+"#1" {
				found = true
				break
			}
			row += s.Len
		}
		if got := c.nodes[holder].machine.Closed(); !slices.Equal(got, []bool{false, true}) {
			t.Errorf("rows that stay local: %v, want that of the second element", got)
		}
		if found == checked {
			t.Errorf("checked %v: the row of the element is summed: %v", checked, found)
		}
		if checked {
			continue
		}
		c.tamper = func(member int, x Contribution) { // who has no frame with the element has no update of its row
			if x.Round == 1 && x.Group == ledger.TrunkGroup && member != holder {
				clear(x.Lanes[row : row+3])
			}
		}
		c.slow = func(from, _ int, _ []byte) time.Duration {
			if from == other {
				return -1
			}
			return 0
		}
		var lanes []uint32
		var session [32]byte
		c.doom = func(*node, Action) bool {
			if x, id := c.openedOver(ledger.TrunkGroup, 0, 2, 3, 4); x != nil && lanes == nil {
				lanes, session = slices.Clone(x), id
			}
			return false
		}
		c.settle(20 * time.Second)
		if lanes == nil {
			t.Fatal("control: no sum without the other member was opened")
		}
		want := c.audit.lanes[session][holder][0].Lanes[row : row+3]
		if got := lanes[row : row+3]; !slices.Equal(got, want) || slices.Equal(want, []uint32{0, 0, 0}) {
			t.Errorf("control: the row of the sum is %d, and the member's own %d", got, want)
		}
	}
}
