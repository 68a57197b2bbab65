package leak_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/testnet/leak"
	"github.com/fedlam/fedlam/training/weights"
)

// traffic collects what went over connections, by the other end and the direction.
type traffic struct {
	mu      sync.Mutex
	streams map[string]*bytes.Buffer
}

func newTraffic() *traffic { return &traffic{streams: map[string]*bytes.Buffer{}} }

// Saw implements p2p.Tap.
func (r *traffic) Saw(way p2p.Way, remote peer.ID, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprintf("%d %s", way, remote)
	if r.streams[name] == nil {
		r.streams[name] = &bytes.Buffer{}
	}
	r.streams[name].Write(data)
}

var _ p2p.Tap = (*traffic)(nil)

// search returns what is found in any stream, and how many bytes there are.
func (r *traffic) search(f *leak.Finder) (hits []leak.Hit, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.streams {
		hits, size = append(hits, f.Find(s.Bytes())...), size+s.Len()
	}
	return hits, size
}

// secrets collects needles: everything one member keeps to itself.
type secrets struct {
	mu      sync.Mutex
	needles []leak.Needle
	local   []leak.Needle // what its own log may say
}

func (s *secrets) add(n ...leak.Needle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.needles = append(s.needles, n...)
}

func (s *secrets) addLocal(n ...leak.Needle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.local = append(s.local, n...)
}

// Read is the operating system's randomness; every draw is a secret: of masks, of shares, of rounding.
func (s *secrets) Read(p []byte) (int, error) {
	n, err := rand.Read(p)
	s.add(leak.Secret("a secret random number", bytes.Clone(p[:n]))...)
	return n, err
}

var _ io.Reader = (*secrets)(nil)

// witness takes what goes into a secure sum before it is masked.
func (s *secrets) witness(c federation.Contribution) {
	s.add(leak.Quantised(fmt.Sprintf("round %d, %s, number", c.Round, c.Group), slices.Clone(c.Lanes))...)
}

// trainer lets a silo train, and keeps its updates as secrets.
type trainer struct {
	*silo.Silo
	*secrets
}

func (t trainer) Train(ctx context.Context, w *weights.Set, steps int) (federation.Update, error) {
	u, err := t.Silo.Train(ctx, w, steps)
	for name, numbers := range u.Tensors {
		exact := make([]float64, len(numbers))
		for i, v := range numbers {
			exact[i] = float64(v)
		}
		t.add(leak.Numbers("update of "+name+", number", exact)...)
	}
	return u, err
}

// Validate notes the errors on the own frames, round by round: the curve of the loss.
func (t trainer) Validate(ctx context.Context) (silo.Results, error) {
	r, err := t.Silo.Validate(ctx)
	for _, h := range r.Heads {
		v := h.Validation
		t.addLocal(leak.Numbers("validation error of the energy, number", []float64{v.Energy.RMSE, v.Energy.MAE})...)
		t.addLocal(leak.Numbers("validation error of the forces, number", []float64{v.Force.RMSE, v.Force.MAE})...)
	}
	return r, err
}

var _ node.Trainer = trainer{}

// member is one node of the federation with its secrets, and what it says.
type member struct {
	home *home.Home
	*secrets
	traffic *traffic
	log     *bytes.Buffer
	done    chan struct{}
}

// handler writes everything to the member's log and closes done when the work is done.
type handler struct {
	slog.Handler
	once *sync.Once
	done chan struct{}
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == node.MsgDone {
		h.once.Do(func() { close(h.done) })
	}
	return h.Handler.Handle(ctx, r)
}

// newMember makes a node's folder and notes the secrets in it and in its data.
func newMember(t *testing.T, dir, name string) *member {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	data, convention := filepath.Join(dir, "data", name+".xyz"), filepath.Join(dir, "conventions", name+".json")
	_, port, _ := strings.Cut(listener.Addr().String(), ":")
	h, err := home.Create(filepath.Join(dir, name), home.Config{Name: name, Policy: home.Policy{MinCohort: 3, Rounds: 4},
		Listen: []string{"/ip4/127.0.0.1/tcp/" + port}, Data: []home.Data{{Path: data, Convention: convention}}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &member{home: h, secrets: &secrets{}, traffic: newTraffic(), log: &bytes.Buffer{}, done: make(chan struct{})}
	for what, key := range map[string]ed25519.PrivateKey{"identity key": h.Identity, "signing key": h.Signing, "public side's key": h.Public} {
		m.add(leak.Secret(what, key.Seed())...)
	}
	m.addLocal(leak.Text("name of the data file", filepath.Base(data))...)
	c, err := dataset.ReadConvention(convention)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := load.Open(data, c)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		stored, err := c.Relabel(f)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("%s, frame %d, ", name, i)
		for kind, numbers := range map[string][]float64{"position": f.Positions, "stored position": stored.Positions, "force": f.Forces, "stored force": stored.Forces,
			"energy": {*f.Energy}, "stored energy": {*stored.Energy}} {
			m.add(leak.Numbers(what+kind, numbers)...)
		}
	}
	return m
}

// config describes the member's node with every hook that notes secrets.
func (m *member) config(t *testing.T, text []byte) node.Config {
	t.Helper()
	model, err := founding.DecodeModelConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	set := m.home.Config.Data[0]
	s, err := silo.Open(t.Context(), silo.Config{Sets: []silo.Set{{Path: set.Path, Convention: set.Convention}}, ValidationFraction: 0.2, Threads: 1,
		BatchSize: "1", Recipe: silo.Recipe{Model: model.Model, Loss: model.Training.Loss, Schedule: model.Training.LearningRate, Steps: 9}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(handler{slog.NewJSONHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug}), &sync.Once{}, m.done})
	return node.Config{Home: m.home, Trainer: trainer{s, m.secrets}, Log: log, Random: m.secrets, Tick: 20 * time.Millisecond,
		Hooks: node.Hooks{Tap: m.traffic, Witness: m.witness}}
}
