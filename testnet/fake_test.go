//go:build unix

package testnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/proc"
	"github.com/fedlam/fedlam/testnet/report"
)

// TestMain lets the test binary play `fedlam node DIR --log json`.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "node" {
		os.Exit(fakeNode(os.Args[2]))
	}
	os.Exit(m.Run())
}

// fakeStatus certifies rounds without doing anything for them.
type fakeStatus struct {
	finished atomic.Uint64
	stop     chan os.Signal
}

func (f *fakeStatus) Status() *localpb.StatusReply {
	return &localpb.StatusReply{Finished: f.finished.Load(), BytesSent: 1000 * f.finished.Load(), BytesReceived: 10}
}

func (f *fakeStatus) Epoch() *localpb.EpochReply { return &localpb.EpochReply{} }

func (f *fakeStatus) Approve(context.Context, []byte) error { return errors.ErrUnsupported }

func (f *fakeStatus) Stop() { f.stop <- syscall.SIGTERM }

// fakeNode certifies round after round until it is stopped. It goes on where an earlier process ended, and
// obeys FEDLAM_CRASH. A file "stop" in its folder makes it fail, a file "slow" keeps it from the round after the second.
func fakeNode(dir string) int {
	f := &fakeStatus{stop: make(chan os.Signal, 1)}
	signal.Notify(f.stop, syscall.SIGTERM)
	results := filepath.Join(dir, "data", "results")
	done, err := filepath.Glob(filepath.Join(results, "round-*.json"))
	if err != nil {
		return 1
	}
	f.finished.Store(uint64(len(done)))
	server, err := local.Serve(dir, f)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer server.Close()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-f.stop:
			return 0
		case <-tick.C:
		}
		if _, err := os.Stat(filepath.Join(dir, "stop")); err == nil {
			fmt.Println("fedlam: the disk is full")
			return 1
		}
		round := f.finished.Load()
		if _, number, _ := strings.Cut(os.Getenv("FEDLAM_CRASH"), ":"); number == strconv.FormatUint(round, 10) {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		if _, err := os.Stat(filepath.Join(dir, "slow")); err == nil && round == 2 {
			continue
		}
		fmt.Printf(`{"level":"INFO","msg":"round certified","round":%d,"kind":"train","members":3}`+"\n", round)
		path := filepath.Join(results, fmt.Sprintf("round-%06d.json", round))
		if os.WriteFile(path, []byte("{}"), 0o644) != nil {
			return 1
		}
		f.finished.Store(round + 1)
	}
}

// fakeRun is a run whose nodes are there and fake.
func fakeRun(t *testing.T, m *manifest.Manifest) (*run, *strings.Builder) {
	t.Helper()
	folder, err := Claim(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	group, err := proc.NewGroup(proc.Config{LogDir: folder.Path("logs")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(group.Close)
	var said strings.Builder
	r := &run{cfg: Config{Manifest: m, Folder: folder}, group: group, report: &report.Report{}, console: newConsole(&said, nil)}
	for _, p := range m.Members {
		n := &node{member: &member{Member: p}, dir: folder.Path("nodes", p.Name), faults: r.faults(p.Name)}
		if err := os.MkdirAll(filepath.Join(n.dir, "data", "results"), 0o755); err != nil {
			t.Fatal(err)
		}
		r.nodes = append(r.nodes, n)
	}
	return r, &said
}

func fakeManifest(faults ...manifest.Perturbation) *manifest.Manifest {
	m := &manifest.Manifest{Members: []manifest.Member{{Name: "alpha"}, {Name: "beta"}, {Name: "gamma"}}, Perturbations: faults,
		Timeout: manifest.Duration(time.Minute)}
	m.Rounds = 4
	return m
}
