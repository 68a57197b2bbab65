package node_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/pull"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/node/wal"
	"github.com/google/go-cmp/cmp"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"
)

var small = home.Policy{MinCohort: 3, Rounds: 4}

func TestThreeNodesCertifyRounds(t *testing.T) {
	noLeaks(t)
	sites, d := newFederation(t, 3, small)
	for _, s := range sites {
		s.start(t, s.config())
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
		s.log.wait(t, node.MsgResults, 4)
	}
	client, err := local.Dial(sites[0].home.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status.Finished != 4 || len(status.Members) != 3 || !status.Members[1].Connected || status.BytesSent == 0 {
		t.Errorf("status is %v", status)
	}
	checkPull(t, status.Weights, status.PublicAddresses, ledger.CIDOf(d.Genesis))
	text, err := os.ReadFile(filepath.Join(sites[1].home.Dir, "data", "results", "round-000003.json"))
	if err != nil {
		t.Fatal(err)
	}
	var results silo.Results
	if err := json.Unmarshal(text, &results); err != nil || results.Round != 3 || results.Weights != status.Weights || results.Sent == 0 {
		t.Errorf("results are %s, %v", text, err)
	}
	for _, s := range sites {
		s.stop(t)
		if !cmp.Equal(s.trainer.installed, sites[0].trainer.installed) || s.trainer.saved != 4 {
			t.Errorf("%s ended with %v after %d saves", s.home.Config.Name, s.trainer.installed, s.trainer.saved)
		}
	}
	if got := sites[0].trainer.installed; got[0] >= 7.5 || got[1] >= 2 {
		t.Errorf("weights %v did not move down from 7.5 and 2", got)
	}
}

// noLeaks fails the test when goroutines that were started after it are left when everything is closed.
func noLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // runs after the cleanups that close the nodes
}

// checkPull downloads a release from the public side and has it verified.
func checkPull(t *testing.T, artefact string, from []string, genesis cid.Cid) {
	t.Helper()
	c, err := cid.Decode(artefact)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "release")
	if _, err := pull.Run(t.Context(), pull.Config{Artefact: c, From: from, Out: out, Genesis: genesis, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.VerifyDir(out, genesis); err != nil {
		t.Error(err)
	}
}

func TestStoppedNodeGoesOn(t *testing.T) {
	sites, _ := newFederation(t, 3, home.Policy{MinCohort: 3, Rounds: 8})
	for _, s := range sites {
		s.start(t, s.config())
	}
	sites[1].log.wait(t, node.MsgCertified, 2)
	sites[1].stop(t)
	sites[1].start(t, sites[1].config())
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	sites[0].log.wait(t, node.MsgResults, 8)
	sites[1].log.wait(t, node.MsgResults, 8)
	first, second := sites[0].trainer, sites[1].trainer
	for _, s := range sites {
		s.stop(t)
	}
	if !cmp.Equal(first.installed, second.installed) {
		t.Errorf("the restarted node has %v, another %v", second.installed, first.installed)
	}
}

func TestNodeThatWasAwayCatchesUp(t *testing.T) {
	sites, _ := newFederation(t, 4, home.Policy{MinCohort: 3, Rounds: 3})
	for _, s := range sites[:3] { // three of four are a quorum
		s.start(t, s.config())
	}
	for _, s := range sites[:3] {
		s.log.wait(t, node.MsgDone, 1)
	}
	late := sites[3]
	late.start(t, late.config())
	late.log.wait(t, node.MsgDone, 1)
	late.log.wait(t, node.MsgResults, 1)
	late.stop(t)
	sites[0].log.wait(t, node.MsgResults, 3)
	sites[0].stop(t)
	if !cmp.Equal(late.trainer.installed, sites[0].trainer.installed) {
		t.Errorf("the late node has %v, the others %v", late.trainer.installed, sites[0].trainer.installed)
	}
}

func TestStrangerIsRefused(t *testing.T) {
	sites, _ := newFederation(t, 3, small)
	sites[0].start(t, sites[0].config())
	client, err := local.Dial(sites[0].home.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := p2p.NewReader(sites[1].home.Public) // some key that no member connects with
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	info, err := peer.AddrInfoFromString(status.Addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Connect(t.Context(), *info); err == nil {
		// The dialler may learn of the refusal only with its first stream.
		if _, err := stranger.NewStream(t.Context(), info.ID, p2p.PeerProtocol); err == nil {
			t.Error("a stranger got a stream")
		}
	}
	if c := stranger.Network().Connectedness(info.ID); c == network.Connected {
		t.Error("a stranger stays connected")
	}
}

func TestStartRefuses(t *testing.T) {
	sites, _ := newFederation(t, 3, small)
	other, _ := newFederation(t, 3, small)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fresh, err := home.Create(filepath.Join(t.TempDir(), "n"), home.Config{Name: "x"}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	copied := func(edit func(h *home.Home)) *home.Home {
		h := *sites[0].home
		edit(&h)
		return &h
	}
	for _, c := range []struct {
		name string
		home *home.Home
		want string
	}{
		{"no genesis", fresh, "has not joined"},
		{"not a member", copied(func(h *home.Home) { h.Signing = other[0].home.Signing }), "is not in the genesis"},
		{"other identity", copied(func(h *home.Home) { h.Identity = other[0].home.Identity }), "identity.key"},
		{"port in use", copied(func(h *home.Home) {
			h.Config.Listen = []string{"/ip4/127.0.0.1/tcp/" + taken.Addr().String()[len("127.0.0.1:"):]}
		}), "port is in use"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := node.Start(t.Context(), node.Config{Home: c.home, Trainer: &fakeTrainer{}})
			if err == nil {
				n.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
	if err := node.Join(t.Context(), fresh, sites[0].documents, nil); err == nil || !strings.Contains(err.Error(), "not one of its 3 members") {
		t.Errorf("joined as a stranger: %v", err)
	}
	sites[0].start(t, sites[0].config())
	if _, err := node.Start(t.Context(), sites[0].config()); !errors.Is(err, wal.ErrBusy) {
		t.Errorf("second process in one folder: %v, want ErrBusy", err)
	}
}

func TestDataThatTheGenesisDoesNotKnow(t *testing.T) {
	sites, _ := newFederation(t, 3, small)
	if _, err := node.Start(t.Context(), node.Config{Home: sites[0].home, Trainer: &otherHead{}}); err == nil || !strings.Contains(err.Error(), "does not list") {
		t.Errorf("got %v", err)
	}
}

type otherHead struct{ fakeTrainer }

func (*otherHead) Heads() []silo.Head { return []silo.Head{{Key: "ffffffffffff", Name: "b3lyp"}} }

func TestFailingTrainerSitsOut(t *testing.T) {
	sites, _ := newFederation(t, 4, home.Policy{MinCohort: 3, Rounds: 3})
	sites[3].trainer.fail = errors.New("out of memory")
	for _, s := range sites {
		s.start(t, s.config())
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	sites[3].log.wait(t, "local work failed", 1)
}
