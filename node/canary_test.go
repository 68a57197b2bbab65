package node_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
)

// watched makes a federation whose genesis names a canary set.
func watched(t *testing.T, n int, policy home.Policy) []*site {
	t.Helper()
	energy := -1.0
	text, err := founding.EncodeCanary([]dataset.Frame{{Species: []string{"H"}, Positions: []float64{0, 0, 0}, Energy: &energy, Forces: []float64{0, 0, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	sites, _ := newFederation(t, n, policy, func(g *ledger.Genesis, d *founding.Documents) {
		g.Heads[0].Canary = ledger.FileCID(text)
		d.Canaries = map[string][]byte{headKey: text}
	})
	return sites
}

// TestCanaryInNodes has every trainer find the weights of the fourth round broken: nodes certify a void round, go on from the weights
// before, and a node that was stopped in between is of the same opinion.
func TestCanaryInNodes(t *testing.T) {
	sites := watched(t, 3, home.Policy{MinCohort: 3, Rounds: 5})
	for _, s := range sites {
		s.trainer.broken = 3
		s.start(t, s.config())
	}
	sites[1].log.wait(t, node.MsgCertified, 2)
	sites[1].stop(t)
	sites[1].start(t, sites[1].config())
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	for _, s := range sites {
		text := s.log.String()
		for _, want := range []string{"canary set of head " + headKey + " (pbe): energy error 0.001 eV/atom, force error 0.25 eV/Å", "canary_force_rmse=0.25"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not log %q", s.home.Config.Name, want)
			}
		}
	}
	kinds := kindsOf(t, sites[0])
	if !slices.Contains(kinds, ledger.Void) || kinds[len(kinds)-1] != ledger.Train {
		t.Errorf("rounds %v, want a void one and training after it", kinds)
	}
	for _, s := range sites {
		if got := kindsOf(t, s); !slices.Equal(got, kinds) {
			t.Errorf("%s has rounds %v, another %v", s.home.Config.Name, got, kinds)
		}
	}
}

// kindsOf lists what a member logged about the rounds it certified, in the order of rounds.
func kindsOf(t *testing.T, s *site) (kinds []string) {
	t.Helper()
	seen := map[string]bool{} // a restarted node says the newest again
	for _, line := range strings.Split(s.log.String(), "\n") {
		if !strings.Contains(line, node.MsgCertified) {
			continue
		}
		for _, word := range strings.Fields(line) {
			if kind, ok := strings.CutPrefix(word, "kind="); ok && !seen[line[strings.Index(line, "round="):]] {
				kinds = append(kinds, kind)
				seen[line[strings.Index(line, "round="):]] = true
			}
		}
	}
	return kinds
}

// TestCanaryThatFails has one trainer fail at the canary set: its node says so, and votes without.
func TestCanaryThatFails(t *testing.T) {
	sites := watched(t, 3, home.Policy{MinCohort: 3, Rounds: 2})
	sites[2].trainer.failJudge = errors.New("no memory")
	for _, s := range sites {
		s.start(t, s.config())
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	if text := sites[2].log.String(); !strings.Contains(text, "error=no memory") || !strings.Contains(text, "this member votes without them") {
		t.Error("the node does not say that it votes without canaries")
	}
	if kinds := kindsOf(t, sites[2]); !slices.Equal(kinds, []string{ledger.Setup, ledger.Train}) {
		t.Errorf("rounds %v", kinds)
	}
}

// TestCanaryIsDelivered finds the set in the block store of who joined.
func TestCanaryIsDelivered(t *testing.T) {
	sites := watched(t, 2, small)
	want := sites[0].documents.Canaries[headKey]
	store, err := node.OpenStore(sites[1].home)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := store.Has(t.Context(), ledger.FileCID(want)); err != nil || !ok {
		t.Errorf("the block store has the set: %v, %v", ok, err)
	}
	dir := filepath.Join(t.TempDir(), "fed")
	if err := sites[0].documents.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "canaries", headKey+".xyz")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the founding folder holds %q, %v", got, err)
	}
}
