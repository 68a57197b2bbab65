package leak_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/testnet/demo"
	"github.com/fedlam/fedlam/testnet/leak"
)

// plan is a federation whose model is as small as a model can be.
const plan = `
name = "leak"
seed = 1
rounds = 3
[rules]
steps = 3
min_cohort = 3
min_group = 2
join_grace = "5s"
step_timeout = "10s"
mask_timeout = "10s"
forfeit = "5s"
[model]
type_map = ["O", "H"]
[model.descriptor]
type = "dpa2"
precision = "float32"
[model.descriptor.repinit]
rcut = 3.0
rcut_smth = 0.5
nsel = 24
neuron = [4, 8]
axis_neuron = 2
tebd_dim = 2
[model.descriptor.repformer]
rcut = 2.0
rcut_smth = 0.5
nsel = 12
nlayers = 1
g1_dim = 8
g2_dim = 4
axis_neuron = 2
update_g1_has_attn = false
update_g2_has_g1g1 = false
update_g2_has_attn = false
[model.fitting_net]
neuron = [8]
precision = "float32"
[learning_rate]
start_lr = 1e-3
stop_lr = 1e-4
[training]
batch_size = "1"
`

// runFederation trains three rounds and returns the members, when all nodes are closed, and the genesis CID.
func runFederation(t *testing.T) (members []*member, genesis []byte) {
	t.Helper()
	dir := t.TempDir()
	if _, err := demo.Write(dir, demo.Options{Frames: 12}); err != nil {
		t.Fatal(err)
	}
	var cards []home.Card
	for _, name := range []string{"north", "south", "west"} {
		m := newMember(t, dir, name)
		card, err := m.home.Card()
		if err != nil {
			t.Fatal(err)
		}
		members, cards = append(members, m), append(cards, card)
	}
	p, err := founding.ParsePlan([]byte(plan))
	if err != nil {
		t.Fatal(err)
	}
	documents, err := founding.Found(p, cards, time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	var nodes []*node.Node
	var closing []func() error
	for _, m := range members {
		if err := node.Join(t.Context(), m.home, documents, nil); err != nil {
			t.Fatal(err)
		}
		n, err := node.Start(t.Context(), m.config(t, documents.Config))
		if err != nil {
			t.Fatal(err)
		}
		closeOnce := sync.OnceValue(n.Close)
		defer closeOnce() // in case of a failure below
		nodes, closing = append(nodes, n), append(closing, closeOnce)
	}
	patience := time.NewTimer(time.Minute)
	defer patience.Stop()
	for i, m := range members {
		select {
		case <-m.done:
		case <-patience.C:
			t.Fatalf("%s is not done:\n%s", m.home.Config.Name, m.log)
		case <-nodes[i].Done():
			t.Fatalf("%s ended:\n%s", m.home.Config.Name, m.log)
		}
	}
	for i, closeNode := range closing {
		if err := closeNode(); err != nil {
			t.Errorf("%s: %v", members[i].home.Config.Name, err)
		}
	}
	return members, ledger.CIDOf(documents.Genesis).Bytes()
}

// TestNothingLeaves runs a federation and looks in everything that crossed its sockets, in its logs and in what it
// publishes for coordinates, labels, updates of single members and secrets; and, but for its own log, for validation errors and file names.
func TestNothingLeaves(t *testing.T) {
	members, genesis := runFederation(t)
	var needles, local []leak.Needle
	for _, m := range members {
		needles, local = append(needles, m.needles...), append(local, m.local...)
	}
	f, ofAll := leak.NewFinder(needles), leak.NewFinder(slices.Concat(needles, local))
	if n := ofAll.Len() - f.Len(); n < 3*3*4 {
		t.Errorf("only %d needles of validation errors and file names", n)
	}
	t.Logf("%d needles", f.Len())
	if f.Len() < 10_000 {
		t.Errorf("only %d needles: what is looked for is missing", f.Len())
	}
	for _, m := range members {
		name := m.home.Config.Name
		hits, size := m.traffic.search(ofAll)
		if size < 100_000 {
			t.Errorf("only %d bytes of %s were recorded", size, name)
		}
		report(t, hits, "the traffic of "+name)
		if known, _ := m.traffic.search(leak.NewFinder([]leak.Needle{{What: "genesis CID", Bytes: genesis}})); len(known) == 0 {
			t.Errorf("the greetings of %s are not in what was recorded", name)
		}
		report(t, f.Find(m.log.Bytes()), "the log of "+name)
		report(t, ofAll.Find(published(t, m.home.Dir)), "what "+name+" publishes")
	}
	checkControl(t, members)
}

func report(t *testing.T, hits []leak.Hit, where string) {
	t.Helper()
	for i, h := range hits {
		if i == 5 {
			t.Errorf("and %d more in %s", len(hits)-i, where)
			return
		}
		t.Errorf("found in %s: %s", where, h)
	}
}

// published returns everything in the block store of a node, from which anyone may download.
func published(t *testing.T, dir string) (all []byte) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "data", "blocks"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all = append(all, text...)
		return err
	})
	if err != nil || len(all) < 10_000 {
		t.Errorf("%d bytes are published, %v", len(all), err)
	}
	return all
}

// checkControl sends a member's secrets through the same kind of tapped connection on purpose: the search must find
// each kind.
func checkControl(t *testing.T, members []*member) {
	t.Helper()
	var kinds []leak.Needle
	all := slices.Concat(members[0].needles, members[0].local)
	for _, word := range []string{"frame 3, position", "frame 3, stored position", "frame 5, force", "stored force", "frame 0, energy", "stored energy",
		"update of descriptor", "update of heads/", "trunk, number", "head/", "identity key", "signing key", "a secret random number", "error of the energy", "error of the forces", "data file"} {
		k := slices.IndexFunc(all, func(n leak.Needle) bool {
			return strings.Contains(n.What, word) && leak.NewFinder([]leak.Needle{n}).Len() == 1
		})
		if k < 0 {
			t.Fatalf("no needle is a %q", word)
		}
		kinds = append(kinds, all[k])
	}
	recorded := sendTapped(t, kinds)
	hits, _ := recorded.search(leak.NewFinder(all))
	for _, n := range kinds {
		if !slices.ContainsFunc(hits, func(h leak.Hit) bool { return h.What == n.What }) {
			t.Errorf("%s was sent on purpose and not found", n.What)
		}
	}
	if t.Failed() {
		text, _ := json.Marshal(hits)
		t.Logf("found %s", text)
	}
}
