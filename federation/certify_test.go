package federation

import (
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// TestFetchFrom asks for a round that a quorum signed: who does not answer is not asked again before the others were.
func TestFetchFrom(t *testing.T) {
	c := newCluster(t, 4, 1, 1)
	c.run(time.Minute)
	m := c.nodes[1].machine
	var got []int
	for range 4 {
		m.now, m.out = m.nextFetch, nil
		m.fetchFrom(map[int]ledger.Signature{0: {}, 1: {}, 2: {}, 3: {}})
		m.fetchFrom(map[int]ledger.Signature{0: {}, 1: {}, 2: {}, 3: {}}) // too early
		for _, a := range m.out {
			got = append(got, m.epoch.Index(a.(FetchRounds).From))
		}
	}
	slices.Sort(got[:3])
	if !slices.Equal(got[:3], []int{0, 2, 3}) || len(got) != 4 {
		t.Errorf("asked %v, want each of the others once and then the first again", got)
	}
}
