package node_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/home"
)

func TestHooksFrom(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want node.Hooks
		err  string
	}{
		{"none", nil, node.Hooks{}, ""},
		{"crash", map[string]string{"FEDLAM_CRASH": "mask:3"}, node.Hooks{Crash: node.Moment{Step: "mask", Round: 3}}, ""},
		{"pause", map[string]string{"FEDLAM_PAUSE": "sign:0:1.5s"}, node.Hooks{Pause: node.Moment{Step: "sign"}, PauseFor: 1500 * time.Millisecond}, ""},
		{"unknown step", map[string]string{"FEDLAM_CRASH": "dance:3"}, node.Hooks{}, "want step:round"},
		{"no round", map[string]string{"FEDLAM_CRASH": "mask"}, node.Hooks{}, "want step:round"},
		{"no duration", map[string]string{"FEDLAM_PAUSE": "mask:3"}, node.Hooks{}, "FEDLAM_PAUSE"},
		{"bad duration", map[string]string{"FEDLAM_PAUSE": "mask:3:soon"}, node.Hooks{}, "soon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := node.HooksFrom(func(name string) string { return c.env[name] })
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want it to say %q", err, c.err)
				}
				return
			}
			if err != nil || got.Crash != c.want.Crash || got.Pause != c.want.Pause || got.PauseFor != c.want.PauseFor {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

// TestMain lets the test binary be the process that kills itself.
func TestMain(m *testing.M) {
	if dir := os.Getenv("NODE_TEST_DIR"); dir != "" {
		runUntilKilled(dir)
	}
	os.Exit(m.Run())
}

func runUntilKilled(dir string) {
	h, err := home.Open(dir)
	if err == nil {
		var hooks node.Hooks
		if hooks, err = node.HooksFrom(os.Getenv); err == nil {
			var n *node.Node
			if n, err = node.Start(context.Background(), node.Config{Home: h, Trainer: &fakeTrainer{}, Hooks: hooks, Tick: 20 * time.Millisecond}); err == nil {
				<-n.Done()
				err = n.Close()
			}
		}
	}
	fmt.Fprintln(os.Stderr, "the process that was to be killed ended by itself:", err)
	os.Exit(1)
}

// One member is a process that kills itself at a step of round 1; started again, all of them finish.
func TestKilledAtAStepAndStartedAgain(t *testing.T) {
	for _, step := range []string{"keys", "mask", "unmask", "sign"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			sites, _ := newFederation(t, 3, home.Policy{MinCohort: 3, Rounds: 3})
			victim := sites[2]
			for _, s := range sites[:2] {
				s.start(t, s.config())
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), "NODE_TEST_DIR="+victim.home.Dir, "FEDLAM_CRASH="+step+":1")
			cmd.Stderr = os.Stderr
			if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != -1 {
				t.Fatalf("it ended with %v, want it killed by a signal", err)
			}
			victim.start(t, victim.config())
			for _, s := range sites {
				s.log.wait(t, node.MsgDone, 1)
			}
		})
	}
}

func TestTapRecordsAndHidesSecrets(t *testing.T) {
	sites, d := newFederation(t, 3, small)
	dir := t.TempDir()
	cfg := sites[0].config()
	var err error
	cfg.Hooks, err = node.HooksFrom(func(name string) string { return map[string]string{"FEDLAM_TAP": dir}[name] })
	if err != nil {
		t.Fatal(err)
	}
	sites[0].start(t, cfg)
	for _, s := range sites[1:] {
		s.start(t, s.config())
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	for _, s := range sites {
		s.stop(t)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*-*"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d recordings, %v; want one for each direction and other member", len(files), err)
	}
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if !bytes.Contains(all, ledger.CIDOf(d.Genesis).Bytes()) { // part of every greeting
		t.Error("the recording does not hold what must cross the sockets; the test sees nothing")
	}
	for _, s := range sites {
		for name, secret := range map[string][]byte{"signing": s.home.Signing.Seed(), "identity": s.home.Identity.Seed(), "public": s.home.Public.Seed()} {
			if bytes.Contains(all, secret) {
				t.Errorf("the %s key of %s crossed a socket", name, s.home.Config.Name)
			}
		}
	}
}
