//go:build unix

package testnet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/proc"
)

func TestSupervise(t *testing.T) {
	r, said := fakeRun(t, fakeManifest(
		manifest.Perturbation{Member: "alpha", Action: manifest.Restart, Step: "mask", Round: 2, RestartAfter: manifest.Duration(time.Millisecond)},
		manifest.Perturbation{Member: "beta", Action: manifest.Kill, Step: "keys", Round: 3}))
	if err := r.supervise(t.Context()); err != nil {
		t.Fatal(err)
	}
	alpha, beta, gamma := r.nodes[0], r.nodes[1], r.nodes[2]
	if alpha.isGone() || !beta.isGone() || gamma.isGone() {
		t.Errorf("gone: %v, %v, %v", alpha.isGone(), beta.isGone(), gamma.isGone())
	}
	if alpha.finished() < 5 || gamma.finished() < 5 || r.slowest() != 5 {
		t.Errorf("certified %d and %d rounds", alpha.finished(), gamma.finished())
	}
	r.stop()
	for _, want := range []string{"killed in round 2 at step mask, as the manifest wants", "starting again", "killed in round 3 at step keys", "round 4 of 4 certified"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is missing in\n%s", want, said)
		}
	}
	for _, n := range []*node{alpha, gamma} {
		select {
		case <-n.process.Done():
			if err := n.process.Err(); err != nil {
				t.Errorf("%s ended with %v", n.Name, err)
			}
		default:
			t.Errorf("%s runs on", n.Name)
		}
	}
}

// TestTrafficOfAllProcesses: a process that was killed takes its counters with it.
func TestTrafficOfAllProcesses(t *testing.T) {
	r, _ := fakeRun(t, fakeManifest(
		manifest.Perturbation{Member: "alpha", Action: manifest.Restart, Step: "mask", Round: 2, RestartAfter: manifest.Duration(time.Millisecond)}))
	if err := r.supervise(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := r.nodes[0]
	n.mu.Lock()
	n.sent = 500
	n.mu.Unlock()
	if sent, _ := n.traffic(); sent < 5500 {
		t.Errorf("%d bytes sent", sent)
	}
}

func TestUnexpectedEnd(t *testing.T) {
	r, _ := fakeRun(t, fakeManifest(manifest.Perturbation{Member: "beta", Action: manifest.Kill, Step: "keys", Round: 4}))
	if err := os.WriteFile(filepath.Join(r.nodes[1].dir, "stop"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := r.supervise(t.Context())
	var exit *proc.ExitError
	if !errors.As(err, &exit) || exit.Name != "beta" || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
}

func TestTimeout(t *testing.T) {
	m := fakeManifest()
	m.Timeout = manifest.Duration(time.Second)
	r, _ := fakeRun(t, m)
	if err := os.WriteFile(filepath.Join(r.nodes[2].dir, "slow"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.supervise(t.Context()); !errors.Is(err, errTimeout) || !strings.Contains(err.Error(), "of 5 rounds are certified") {
		t.Errorf("got %v", err)
	}
}

func TestSuperviseEndsWithItsContext(t *testing.T) {
	r, _ := fakeRun(t, fakeManifest())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.supervise(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFaultEnv(t *testing.T) {
	second := manifest.Duration(time.Second)
	for _, tt := range []struct {
		name   string
		faults []manifest.Perturbation
		want   []string
		fate   string
	}{
		{"none", nil, nil, ""},
		{"kill", []manifest.Perturbation{{Action: manifest.Kill, Step: "mask", Round: 3}}, []string{"FEDLAM_CRASH=mask:3"}, "killed in round 3 at mask"},
		{"pause, then restart, then pause", []manifest.Perturbation{
			{Action: manifest.Pause, Step: "keys", Round: 1, RestartAfter: second},
			{Action: manifest.Restart, Step: "sign", Round: 2, RestartAfter: second},
			{Action: manifest.Pause, Step: "keys", Round: 3, RestartAfter: second},
		}, []string{"FEDLAM_PAUSE=keys:1:1s", "FEDLAM_CRASH=sign:2"},
			"stood still for 1s in round 1 at keys; killed in round 2 at sign, back after 1s; stood still for 1s in round 3 at keys"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := faultEnv(tt.faults); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := fateOf(tt.faults); got != tt.fate {
				t.Errorf("got %q, want %q", got, tt.fate)
			}
		})
	}
}
