package sim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"
)

// udpWire carries packets between the addresses of sites.
type udpWire struct {
	*simnet.Simnet
	link simnet.NodeBiDiLinkSettings
	off  atomic.Int64 // site that is cut off; -1 for none
}

// newWire starts a network with a latency for each direction and a bandwidth in Mbit/s. It belongs into a synctest bubble.
func newWire(latency time.Duration, bandwidth int) *udpWire {
	x := &udpWire{}
	x.off.Store(-1)
	speed := simnet.LinkSettings{BitsPerSecond: bandwidth * simlibp2p.OneMbps}
	x.link = simnet.NodeBiDiLinkSettings{Downlink: speed, Uplink: speed}
	x.Simnet = &simnet.Simnet{LatencyFunc: func(p *simnet.Packet) time.Duration {
		if off := x.off.Load(); off >= 0 && (siteOf(p.From) == off) != (siteOf(p.To) == off) {
			return 1000 * time.Hour // lost
		}
		return latency
	}}
	x.Start()
	return x
}

func (x *udpWire) cut(site int64) { x.off.Store(site) }
func (x *udpWire) heal()          { x.off.Store(-1) }

// address is where a site listens, siteOf the reverse.
func address(site int) string { return fmt.Sprintf("/ip4/1.0.0.%d/udp/8000/quic-v1", site+1) }

func siteOf(a net.Addr) int64 { return int64(a.(*net.UDPAddr).IP.To4()[3]) - 1 }

// A site is a member with a complete node.
type site struct {
	home    *home.Home
	trainer *nodeTrainer
	node    *node.Node

	mu   sync.Mutex
	seen map[string]int // messages of the log
	text bytes.Buffer
	news chan struct{}
}

// found makes folders for nodes that have joined one federation, and a world that knows it.
func found(t *testing.T, dirs []string, rounds uint64) (*World, []*site) {
	t.Helper()
	w, err := newWorld(&Scenario{Members: len(dirs), Rounds: rounds})
	if err != nil {
		t.Fatal(err)
	}
	_, first, err := w.s.genesis()
	if err != nil {
		t.Fatal(err)
	}
	var sites []*site
	for i, dir := range dirs {
		h, err := home.Create(dir, home.Config{Name: fmt.Sprintf("M%d", i), Policy: home.Policy{MinCohort: w.s.Cohort, Rounds: rounds},
			Listen: []string{address(i)}}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id, err := p2p.ID(h.Identity.Public().(ed25519.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		m := ledger.Member{Name: h.Config.Name, Peer: id.String(), Addresses: h.Config.Listen, Heads: []string{headKey}}
		copy(m.ID[:], h.Signing.Public().(ed25519.PublicKey))
		w.genesis.Members[i] = m
		sites = append(sites, &site{home: h, trainer: &nodeTrainer{trainer: trainer{i, len(dirs)}}, seen: map[string]int{}, news: make(chan struct{}, 1)})
	}
	d := &founding.Documents{Genesis: w.genesis.Encode(), Config: []byte("{}"), Weights: first.Data, Conventions: map[string][]byte{headKey: []byte(headKey)}}
	for _, s := range sites {
		if err := node.Join(t.Context(), s.home, d, nil); err != nil {
			t.Fatal(err)
		}
	}
	return w, sites
}

func (s *site) start(t *testing.T, wire *udpWire, witness func(federation.Contribution)) {
	t.Helper()
	n, err := node.Start(t.Context(), node.Config{Home: s.home, Trainer: s.trainer, Log: slog.New(s),
		Hooks: node.Hooks{NoLocal: true, Witness: witness, Host: []libp2p.Option{simlibp2p.QUICSimnet(wire.Simnet, wire.link)}}})
	if err != nil {
		t.Fatal(err)
	}
	s.node = n
}

func (s *site) stop(t *testing.T) {
	if err := s.node.Close(); err != nil {
		t.Errorf("%s: %v", s.home.Config.Name, err)
	}
	if t.Failed() {
		t.Logf("%s:\n%s", s.home.Config.Name, s.text.String())
	}
}

var _ slog.Handler = (*site)(nil)

func (s *site) Enabled(context.Context, slog.Level) bool { return true }
func (s *site) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *site) WithGroup(string) slog.Handler            { return s }

// Handle takes what the node logs.
func (s *site) Handle(_ context.Context, r slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[r.Message]++
	fmt.Fprintf(&s.text, "%s %s\n", r.Time.Format("04:05.000"), r.Message)
	select {
	case s.news <- struct{}{}:
	default:
	}
	return nil
}

func (s *site) count(message string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[message]
}

// waitFor returns when a message was logged.
func (s *site) waitFor(t *testing.T, message string, patience time.Duration) {
	t.Helper()
	late := time.After(patience)
	for s.count(message) == 0 {
		select {
		case <-s.news:
		case <-late:
			t.Fatalf("%s does not say %q", s.home.Config.Name, message)
		}
	}
}

// nodeTrainer makes the trainer of simulated members one of a node. Training takes a second.
type nodeTrainer struct {
	trainer
	installed []byte
}

var _ node.Trainer = (*nodeTrainer)(nil)

func (t *nodeTrainer) Lengths() (trunk, head int) { return setupTrunk, setupHead }
func (t *nodeTrainer) Heads() []silo.Head         { return []silo.Head{{Key: headKey, Name: headKey}} }
func (t *nodeTrainer) CloseRows([]bool)           {}
func (t *nodeTrainer) Save(string) error          { return nil }

func (t *nodeTrainer) Validate(context.Context) (silo.Results, error) {
	return silo.Results{Version: silo.ResultsVersion}, nil
}

func (t *nodeTrainer) Collect(context.Context) (federation.SetupSums, error) { return t.collect(), nil }

func (t *nodeTrainer) Apply(_ context.Context, w *weights.Set, totals federation.SetupTotals) (*weights.Set, error) {
	return t.apply(w, totals), nil
}

func (t *nodeTrainer) Train(ctx context.Context, w *weights.Set, steps int) (federation.Update, error) {
	select {
	case <-time.After(time.Second):
		return t.train(uint64(steps), w), nil
	case <-ctx.Done():
		return federation.Update{}, ctx.Err()
	}
}

// Judge has nothing to judge: the scenarios' genesis names no canary sets.
func (t *nodeTrainer) Judge(context.Context, *weights.Set) (map[string]federation.CanaryError, error) {
	return nil, errors.New("no canary sets")
}

// Install is called by one goroutine of the node, which has ended when installed is read.
func (t *nodeTrainer) Install(_ context.Context, w *weights.Set) error {
	var b bytes.Buffer
	err := weights.WriteSafetensors(&b, w, weights.F32, nil)
	t.installed = b.Bytes()
	return err
}
