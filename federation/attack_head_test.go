package federation

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// TestHeadIsSpent has a relay lose what follows the opening of a head, and cut one member off. The liar who coordinates the next attempt names the head again: who has opened
// it in the round leaves that attempt. The control are members that do not remember: two sums of the head are opened, and their difference is the update of the
// member that is cut off, but for the rounding of the others.
func TestHeadIsSpent(t *testing.T) {
	head := ledger.HeadGroup("all")
	for _, checked := range []bool{true, false} {
		c := afterSetup(t, 5).fork(t, 2, 1)
		c.audit.alarms = []string{}
		for _, n := range c.nodes {
			c.start(n)
		}
		c.settle(100 * time.Millisecond)
		liar := c.leads(1)
		victim := (liar + 2) % 5
		var sums [][]uint32
		c.slow = func(from, _ int, raw []byte) time.Duration {
			e, err := ledger.DecodeEnvelope(raw)
			if err == nil && e.Type == typeFinal && e.Attempt == 0 || from == victim && len(sums) > 0 {
				return -1
			}
			return 0
		}
		everybody, others := []int{0, 1, 2, 3, 4}, slices.DeleteFunc([]int{0, 1, 2, 3, 4}, func(i int) bool { return i == victim })
		var first [32]byte
		for range 100 {
			if c.settle(150 * time.Millisecond); len(sums) == 2 || c.nodes[liar].machine.chain.Len() > 1 {
				break
			}
			for _, n := range c.nodes {
				if r := n.machine.r; n.index == liar || !checked {
					clear(r.spent)
					for _, a := range r.attempts {
						for i := range a.joins {
							a.joins[i] = nil // what others say they have opened
						}
					}
				}
			}
			if lanes, session := c.openedOver(head, everybody...); lanes != nil && len(sums) == 0 {
				sums, first = append(sums, lanes), session
			}
			if lanes, _ := c.openedOver(head, others...); lanes != nil {
				sums = append(sums, lanes)
			}
		}
		if checked != (len(sums) == 1) || len(sums) == 0 {
			t.Fatalf("checked %v: %d sums of one head in one round were opened", checked, len(sums))
		}
		if checked {
			if !strings.Contains(strings.Join(c.audit.story, "\n"), "it has opened a head already that is to be summed again") {
				t.Error("nobody has left an attempt that names the head again: the attack was not carried out")
			}
			continue
		}
		own := c.audit.lanes[first][victim][0].Lanes
		if got := minus(sums[0], sums[1]); !near(got, own, 8) || near(own, make([]uint32, len(own)), 1000) {
			t.Errorf("control: two sums differ by %d, and the victim's update is %d", got[:4], own[:4])
		}
	}
}
