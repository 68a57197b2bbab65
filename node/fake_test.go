package node_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/testnet/ports"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/weights"
)

const (
	headKey   = "0123456789ab"
	trunkName = "descriptor/net/@variables/w"
	headName  = "heads/" + headKey + "/fitting/net/@variables/w"
)

// fakeTrainer moves every weight by a constant, and remembers what it was given.
type fakeTrainer struct {
	mu        sync.Mutex
	installed []float64
	saved     int
	fail      error // of Train
	judged    int
	broken    int   // which call of Judge finds broken weights
	failJudge error // of Judge
}

func (f *fakeTrainer) Lengths() (trunk, head int) { return 2, 3 }
func (f *fakeTrainer) CloseRows([]bool)           {}

func (f *fakeTrainer) Heads() []silo.Head {
	return []silo.Head{{Key: headKey, Name: "pbe", Training: 9, Validation: 1, Elements: []bool{true}}}
}

func (f *fakeTrainer) Collect(context.Context) (federation.SetupSums, error) {
	return federation.SetupSums{Trunk: []float64{1, 2.5}, Elements: []bool{true}, Heads: map[string][]float64{headKey: {1, 2, 3}}}, nil
}

func (f *fakeTrainer) Apply(_ context.Context, w *weights.Set, totals federation.SetupTotals) (*weights.Set, error) {
	out := w.Clone()
	t, _ := out.Get(trunkName)
	t.Data[0] = totals.Trunk[1]
	return out, nil
}

func (f *fakeTrainer) Train(_ context.Context, w *weights.Set, steps int) (federation.Update, error) {
	if f.fail != nil {
		return federation.Update{}, f.fail
	}
	u := federation.Update{Tensors: map[string][]float32{}}
	for _, name := range []string{trunkName, headName} {
		t, ok := w.Get(name)
		if !ok {
			return u, fmt.Errorf("no tensor %s", name)
		}
		d := make([]float32, len(t.Data))
		for i := range d {
			d[i] = float32(steps) / 1024
		}
		u.Tensors[name] = d
	}
	return u, nil
}

// Judge finds the weights broken when it is called for the time that a test says, and otherwise equally good.
func (f *fakeTrainer) Judge(_ context.Context, w *weights.Set) (map[string]federation.CanaryError, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := w.Get(trunkName); !ok || f.failJudge != nil {
		return nil, f.failJudge
	}
	e := federation.CanaryError{Energy: 0.001, Force: 0.25}
	if f.judged++; f.judged == f.broken {
		e.Force = math.NaN()
	}
	return map[string]federation.CanaryError{headKey: e}, nil
}

func (f *fakeTrainer) Install(_ context.Context, w *weights.Set) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, _ := w.Get(trunkName)
	f.installed = append([]float64(nil), t.Data...)
	return nil
}

func (f *fakeTrainer) Validate(context.Context) (silo.Results, error) {
	return silo.Results{Version: silo.ResultsVersion, Heads: map[string]silo.HeadResults{headKey: {Name: "pbe", TrainingFrames: 9, Validation: training.Metrics{Frames: 1}}}}, nil
}

func (f *fakeTrainer) Save(string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saved++
	return nil
}

// site is one member of a test federation.
type site struct {
	home      *home.Home
	documents *founding.Documents
	trainer   *fakeTrainer
	log       *watcher
	node      *node.Node
}

// freePort finds a TCP and UDP port that nobody uses until the test has ended.
func freePort(t *testing.T) int {
	t.Helper()
	held, err := ports.Find(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return held.List[0]
}

// newFederation makes n homes and the documents that join them.
func newFederation(t *testing.T, n int, policy home.Policy, change ...func(*ledger.Genesis, *founding.Documents)) ([]*site, *founding.Documents) {
	t.Helper()
	w := &weights.Set{}
	w.Put(weights.Tensor{Name: trunkName, Shape: []int{2, 3}, Data: []float64{1, 2, 3, 4, 5, 6}})
	w.Put(weights.Tensor{Name: headName, Shape: []int{2}, Data: []float64{7, 8}})
	var file bytes.Buffer
	if err := weights.WriteSafetensors(&file, w, weights.F32, nil); err != nil {
		t.Fatal(err)
	}
	convention := []byte(`{"method":{"name":"pbe"}}`)
	d := &founding.Documents{Config: []byte("{}"), Weights: file.Bytes(), Conventions: map[string][]byte{headKey: convention}}
	g := &ledger.Genesis{Name: "test", Elements: []string{"H"}, Config: ledger.FileCID(d.Config), Weights: ledger.FileCID(d.Weights),
		Heads: []ledger.Head{{Key: headKey, Name: "pbe", Convention: ledger.FileCID(convention)}}, Rules: ledger.DefaultRules()}
	g.Rules.MinCohort, g.Rules.MinGroup, g.Rules.Steps = 3, 2, 4
	g.Rules.JoinGrace, g.Rules.StepTimeout, g.Rules.MaskTimeout, g.Rules.Forfeit = 300*time.Millisecond, time.Second, time.Second, time.Second
	var sites []*site
	for i := range n {
		s, m := newSite(t, fmt.Sprintf("lab %d", i), policy)
		g.Members = append(g.Members, m)
		sites = append(sites, s)
	}
	for _, f := range change {
		f(g, d)
	}
	d.Genesis = g.Encode()
	for _, s := range sites {
		s.documents = d
		if err := node.Join(t.Context(), s.home, d, nil); err != nil {
			t.Fatal(err)
		}
	}
	return sites, d
}

// newSite makes a home, and what a list of members says of it.
func newSite(t *testing.T, name string, policy home.Policy) (*site, ledger.Member) {
	t.Helper()
	port := freePort(t)
	h, err := home.Create(filepath.Join(t.TempDir(), "n"), home.Config{Name: name, Policy: policy,
		Listen: []string{fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", port), fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)},
		Public: home.Public{Enabled: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := p2p.ID(h.Identity.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	m := ledger.Member{Name: h.Config.Name, Peer: id.String(), Addresses: h.Config.Listen, Heads: []string{headKey}}
	copy(m.ID[:], h.Signing.Public().(ed25519.PublicKey))
	s := &site{home: h, trainer: &fakeTrainer{}, log: newWatcher()}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", s.home.Config.Name, s.log)
		}
	})
	return s, m
}

func (s *site) config() node.Config {
	return node.Config{Home: s.home, Trainer: s.trainer, Log: slog.New(s.log), Tick: 20 * time.Millisecond, Drain: time.Second}
}

// start runs the member's node until the test ends or stop is called.
func (s *site) start(t *testing.T, cfg node.Config) {
	t.Helper()
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.node = n
	t.Cleanup(func() { s.stop(t) })
}

func (s *site) stop(t *testing.T) {
	t.Helper()
	if s.node == nil {
		return
	}
	if err := s.node.Close(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v", s.home.Config.Name, err)
	}
	s.node = nil
}

// watcher is a slog.Handler from which a test can wait for messages.
type watcher struct {
	mu     sync.Mutex
	seen   map[string]int
	change chan struct{} // closed and replaced at every message
	text   bytes.Buffer
}

func newWatcher() *watcher { return &watcher{seen: map[string]int{}, change: make(chan struct{})} }

func (w *watcher) Enabled(context.Context, slog.Level) bool { return true }
func (w *watcher) WithAttrs([]slog.Attr) slog.Handler       { return w }
func (w *watcher) WithGroup(string) slog.Handler            { return w }

func (w *watcher) Handle(_ context.Context, r slog.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[r.Message]++
	fmt.Fprintf(&w.text, "%s %s", r.Time.Format("05.000"), r.Message)
	r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&w.text, " %s", a); return true })
	w.text.WriteByte('\n')
	close(w.change)
	w.change = make(chan struct{})
	return nil
}

// String returns everything logged so far.
func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// count returns how often a message was logged.
func (w *watcher) count(message string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[message]
}

// wait returns when a message was logged at least n times.
func (w *watcher) wait(t *testing.T, message string, n int) {
	t.Helper()
	patience := time.NewTimer(20 * time.Second)
	defer patience.Stop()
	for {
		w.mu.Lock()
		got, change := w.seen[message], w.change
		w.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-change:
		case <-patience.C:
			t.Fatalf("%q came %d times, want %d", message, got, n)
		}
	}
}
