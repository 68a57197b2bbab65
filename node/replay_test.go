package node_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/node/pull"
	"github.com/ipfs/go-cid"
)

// TestReplayOfARealRound runs nodes of which one keeps two transcripts and another one all, and replays what they kept.
func TestReplayOfARealRound(t *testing.T) {
	noLeaks(t)
	sites, _ := newFederation(t, 3, small)
	sites[0].home.Config.Transcripts.Keep = 2
	sites[1].home.Config.Transcripts.Keep = 9
	for _, s := range sites {
		s.start(t, s.config())
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	release := pulled(t, sites[0])
	cfg := node.ReplayConfig{Home: sites[0].home, Round: 3}
	if _, err := node.Replay(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "--stop") {
		t.Errorf("while the node runs: %v, want what to do", err)
	}
	cfg.Release = release
	wantReplay(t, cfg)
	for _, s := range sites {
		s.stop(t)
	}
	cfg.Release = ""
	for round := uint64(2); round < 4; round++ {
		cfg.Round = round
		wantReplay(t, cfg)
	}
	for round := range uint64(4) {
		report := wantReplay(t, node.ReplayConfig{Home: sites[1].home, Round: round, Applier: sites[1].trainer})
		if report.Members[2].Name != "lab 2" || !report.Members[2].Opened {
			t.Errorf("round %d: %+v", round, report.Members[2])
		}
	}
	if report := wantReplay(t, node.ReplayConfig{Home: sites[1].home}); report.Checks[len(report.Checks)-2].Verdict != federation.NotChecked {
		t.Errorf("setup without a model: %+v", report.Checks)
	}
	refuse(t, sites, release)
}

// pulled downloads a release from a running node.
func pulled(t *testing.T, s *site) string {
	t.Helper()
	client, err := local.Dial(s.home.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cid.Decode(status.Weights)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "release")
	if _, err := pull.Run(t.Context(), pull.Config{Artefact: c, From: status.PublicAddresses, Out: out, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantReplay(t *testing.T, cfg node.ReplayConfig) *federation.ReplayReport {
	t.Helper()
	report, err := node.Replay(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK || report.Round != cfg.Round {
		t.Errorf("round %d, asked for %d: %s", report.Round, cfg.Round, report.First)
	}
	return report
}

// refuse asks for what cannot be replayed.
func refuse(t *testing.T, sites []*site, release string) {
	t.Helper()
	folder, err := node.Transcripts(sites[1].home)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		cfg  node.ReplayConfig
		want string
	}{
		{"nothing is named", node.ReplayConfig{Round: 1}, "--home or --release"},
		{"no transcript is named", node.ReplayConfig{Round: 1, Release: release}, "--home or --transcript"},
		{"no weights are named", node.ReplayConfig{Round: 1, Release: release, Transcript: folder.Path(1)}, "--home or --weights"},
		{"it was deleted", node.ReplayConfig{Round: 1, Home: sites[0].home}, "rounds 2 to 3"},
		{"none was kept", node.ReplayConfig{Round: 1, Home: sites[2].home}, "keep = 2"},
		{"it never was", node.ReplayConfig{Round: 9, Home: sites[0].home}, "4 rounds are"},
		{"the release is older", node.ReplayConfig{Round: 9, Release: release}, "pull a newer one"},
		{"another round's transcript", node.ReplayConfig{Round: 3, Home: sites[1].home, Transcript: folder.Path(2)}, "is of round 2"},
		{"another federation", node.ReplayConfig{Round: 3, Home: sites[1].home, Genesis: ledger.FileCID(nil)}, "another federation"},
		{"a file that is no transcript", node.ReplayConfig{Round: 3, Home: sites[1].home, Transcript: filepath.Join(release, "config.json")}, "no whole transcript"},
	} {
		if _, err := node.Replay(t.Context(), c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestTranscriptThatWasSpoiled flips one byte in a file.
func TestTranscriptThatWasSpoiled(t *testing.T) {
	sites, _ := newFederation(t, 3, home.Policy{MinCohort: 3, Rounds: 2})
	sites[0].home.Config.Transcripts.Keep = 1
	for _, s := range sites {
		s.start(t, s.config())
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	sites[0].stop(t)
	folder, err := node.Transcripts(sites[0].home)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(folder.Path(1))
	if err != nil {
		t.Fatal(err)
	}
	text[bytes.LastIndex(text, []byte("unmask"))+200] ^= 1
	path := filepath.Join(t.TempDir(), "spoiled")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := node.Replay(t.Context(), node.ReplayConfig{Home: sites[0].home, Round: 1, Transcript: path})
	if err != nil || report.OK || !strings.Contains(report.First, "unmask in the name of lab") {
		t.Errorf("%v, %+v, want it to name the message", err, report)
	}
}
