package federation

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// objecting lets members find the weights of round 1 bad.
func objecting(members ...int) func(*node, Judge) *Judged {
	return func(v *node, a Judge) *Judged {
		e := &Judged{Round: a.Round, Record: a.Record, Errors: map[string]CanaryError{"all": {0.01, 0.1}}}
		if a.Round == 1 && slices.Contains(members, v.index) {
			e.Errors["all"] = CanaryError{math.NaN(), 0.1}
		}
		return e
	}
}

// TestCanaryJoinsTheLocked has one of four object, one be locked on the record by a prepare that only it has seen, of a member that dies then. The
// locked one cannot leave the record, and the quorum needs who objects: it joins.
func TestCanaryJoinsTheLocked(t *testing.T) {
	c := watchedCluster(t, 4, 1).fork(t, 3, 1)
	c.canary = objecting(0)
	const locked, dies = 2, 3
	seen := false
	inView0 := func() bool { // later, commits of view 0 would not be of use to anybody who has gone on
		for _, n := range c.nodes[:dies] {
			if m := n.machine; m != nil && m.r != nil && m.r.number == 1 && m.r.ballot.view == 0 {
				return true
			}
		}
		return false
	}
	c.slow = func(_, to int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if err == nil && e.Round == 1 && e.Type == typePrepare && e.From == c.genesis.Members[dies].ID && to != locked && inView0() {
			return -1
		}
		return 0
	}
	c.doom = func(n *node, a Action) bool {
		seen = seen || n.index == locked && n.disk[lockKey] != nil && n.disk[string(RecordKey(1))] == nil
		return n.index == dies && says(c, n, a, typeCommit)
	}
	c.run(10 * time.Minute)
	if got := c.kinds()[1:]; !seen || !slices.Equal(got, []string{"train", "train"}) {
		t.Errorf("locked before the round ended: %v, rounds %v", seen, got)
	}
	cert, err := ledger.DecodeCertificate(c.nodes[0].disk[string(CertificateKey(1))])
	if err != nil || cert.View == 0 || cert.View >= outvoteView {
		t.Errorf("certified in view %d, %v; want that nobody waits to be outvoted", cert.View, err)
	}
}

// TestCanaryLiar has one of four vote for the void record every time, whatever the canary set says: the others certify their rounds.
func TestCanaryLiar(t *testing.T) {
	c := watchedCluster(t, 4, 6).fork(t, 9, 1)
	c.canary = func(v *node, a Judge) *Judged {
		e := &Judged{Round: a.Round, Record: a.Record, Errors: fakeCanary(a.Weights)}
		if v.index == 2 {
			e.Errors["all"] = CanaryError{0.01, 1e9}
		}
		return e
	}
	c.run(2 * time.Minute)
	if got := c.kinds()[6:]; !slices.Equal(got, []string{"train", "train", "train"}) {
		t.Errorf("rounds %v", got)
	}
}

// TestCanaryKilled kills a member after each of its actions in a round that some object to, and starts it again: one round is lost at most.
func TestCanaryKilled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		victim int
		object []int
	}{
		{"who objects alone", 0, []int{0}}, {"one of two who object", 0, []int{0, 1}}, {"who does not object", 3, []int{0, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := watchedCluster(t, 4, 1)
			stride := 5
			if testing.Short() {
				stride = 7
			}
			for k := 1; ; k += stride {
				c := base.fork(t, 3, uint64(k))
				c.canary = objecting(tt.object...)
				v := c.nodes[tt.victim]
				v.killAt, v.revive = k, 300*time.Millisecond
				c.run(5 * time.Minute)
				if got := c.kinds()[1:]; got[1] != "train" || t.Failed() {
					t.Fatalf("killed after action %d: rounds %v", k, got)
				}
				if v.life == 1 { // it has fewer actions than that
					t.Logf("%d steps", k)
					return
				}
			}
		})
	}
}
