package federation

import (
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

func TestArchive(t *testing.T) {
	c := newCluster(t, 4, 2, 1)
	c.run(time.Minute)
	for _, n := range c.nodes {
		if len(n.archives) > 0 {
			t.Fatalf("member %d hands over transcripts that nobody asked for", n.index)
		}
	}
	c = newCluster(t, 4, 2, 1)
	c.keep = true
	c.run(time.Minute)
	c.settle(time.Second)
	want := []string{typeJoin, typeRoster, typeKeys, typeShares, typeConfirm, typeMasked, typeChunk, typeSurvivors, typeStateHead, typeOpenHead,
		typeFinal, typeStatement, typeUnmask, typePrepare, typeCommit}
	slices.Sort(want)
	for _, n := range c.nodes {
		for round := range uint64(2) {
			var kinds []string
			for _, raw := range n.archives[round] {
				e, err := ledger.DecodeEnvelope(raw)
				if err != nil || e.Round != round {
					t.Fatalf("member %d, round %d: an envelope of round %d, %v", n.index, round, e.Round, err)
				}
				if !slices.Contains(kinds, e.Type) {
					kinds = append(kinds, e.Type)
				}
			}
			if kinds[0] != typeJoin {
				t.Errorf("member %d, round %d: the transcript begins with %s", n.index, round, kinds[0])
			}
			slices.Sort(kinds)
			if !slices.Equal(kinds, want) {
				t.Errorf("member %d, round %d: the transcript has %v, want %v", n.index, round, kinds, want)
			}
		}
	}
}
