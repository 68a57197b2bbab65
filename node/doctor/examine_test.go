package doctor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/rpc"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// memory is a doctor.Log.
type memory map[string][]byte

func (m memory) Get(key []byte) ([]byte, error) { return m[string(key)], nil }

func (m memory) Each(prefix []byte, visit func(key, value []byte) error) error {
	for key, value := range m {
		if strings.HasPrefix(key, string(prefix)) {
			if err := visit([]byte(key), value); err != nil {
				return err
			}
		}
	}
	return nil
}

// spoiled is a doctor.Log on a disk that lost pages.
type spoiled struct{}

func (spoiled) Get([]byte) ([]byte, error)                       { panic("page 7 is no leaf") }
func (spoiled) Each([]byte, func(key, value []byte) error) error { panic("page 7 is no leaf") }

// bank is the other member: an rpc.Handler with a history.
type bank struct {
	head    *peerpb.Head
	records [][]byte
}

func (b *bank) Head() *peerpb.Head                             { return b.head }
func (b *bank) Greeted(peer.ID, *peerpb.Head)                  {}
func (b *bank) Receive(context.Context, peer.ID, []byte) error { return errors.New("not here") }
func (b *bank) Round(_ context.Context, r uint64) (*peerpb.SyncReply, error) {
	return &peerpb.SyncReply{Round: r, Record: b.records[r]}, nil
}

// pair is a node that is examined, and the one other member of its federation.
type pair struct {
	site *doctor.Site
	lab  host.Host // of the site
	bank *bank
	cfg  rpc.Config // of the bank
	past *past
}

func newHost(t *testing.T, key ed25519.PrivateKey) host.Host {
	t.Helper()
	h, err := p2p.New(p2p.Config{Key: key, Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}, Member: func(peer.ID) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func texts(list []ma.Multiaddr) (out []string) {
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

// other is the records of n rounds that nobody certified.
func other(g *ledger.Genesis, n int) (records [][]byte) {
	e := g.Epoch()
	for r := range uint64(n) {
		round := &ledger.Round{Epoch: e.CID(), Genesis: e.Genesis, R: r, Kind: ledger.Void, WeightsIn: g.Weights, Config: g.Config,
			StateOut: ledger.FileCID([]byte("other")), WeightsOut: g.Weights}
		if r > 0 {
			round.Prev = ledger.CIDOf(records[r-1])
		}
		records = append(records, round.Encode())
	}
	return records
}

func newPair(t *testing.T, rounds int) *pair {
	t.Helper()
	h, err := home.Create(filepath.Join(t.TempDir(), "lab"), home.Config{Name: "lab"}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, identity, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{lab: newHost(t, h.Identity)}
	b := newHost(t, identity)
	x := ledger.FileCID([]byte("x"))
	rules := ledger.DefaultRules()
	rules.MinCohort = 2
	g := &ledger.Genesis{Name: "water", Config: x, Weights: x, Elements: []string{"H"}, Rules: rules, Members: []ledger.Member{
		{ID: id(h.Signing), Name: "lab", Peer: p.lab.ID().String(), Addresses: texts(p.lab.Addrs())},
		{ID: id(seeded("bank")), Name: "bank", Peer: b.ID().String(), Addresses: texts(b.Addrs())}}}
	p.site = &doctor.Site{Dir: h.Dir, Running: true, Genesis: g, Host: p.lab, Software: "fedlam v1"}
	p.bank = &bank{head: &peerpb.Head{}}
	p.cfg = rpc.Config{Host: b, Genesis: g.CID().Bytes(), Handler: p.bank, Software: "fedlam v1", Members: map[peer.ID][]ma.Multiaddr{p.lab.ID(): p.lab.Addrs()}}
	p.past = newPast(t, g, h.Signing, seeded("bank"))
	p.past.rounds(rounds)
	p.site.Log = p.past.log(rounds)
	p.bankHas(rounds)
	return p
}

// bankHas gives the bank so many rounds of the past.
func (p *pair) bankHas(rounds int) {
	p.bank.head = p.past.head(rounds)
	p.bank.records = p.past.records(rounds)
	p.cfg.Epoch = func() []byte { return p.past.epoch(rounds).CID().Bytes() }
}

// examine starts the bank and returns the findings of one check about it or about nobody.
func (p *pair) examine(t *testing.T, check string) []doctor.Finding {
	t.Helper()
	n, err := rpc.New(p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var out []doctor.Finding
	doctor.Examine(t.Context(), p.site, 10*time.Second, func(e doctor.Event) {
		if e.Finding != nil && e.Finding.Check == check {
			out = append(out, *e.Finding)
		}
	})
	return out
}

func TestExamineAgreement(t *testing.T) {
	for _, c := range []struct {
		name   string
		rounds int
		spoil  func(p *pair)
		want   []want
	}{
		{"the same history", 3, func(*pair) {}, []want{{doctor.OK, "the same 3 certified rounds", ""}}},
		{"none yet", 0, func(*pair) {}, []want{{doctor.OK, "no round is certified yet", ""}}},
		{"another history", 3, func(p *pair) { p.bank.records = other(p.site.Genesis, 3) }, []want{{doctor.Failed, "DIFFERENT HISTORY", "stop your node"}}},
		{"another history, and ahead", 3, func(p *pair) {
			p.bank.records = other(p.site.Genesis, 5)
			p.bank.head.Finished = 5
		}, []want{{doctor.Failed, "DIFFERENT HISTORY: both certified round 2", "stop your node"}}},
		{"behind", 3, func(p *pair) { p.bank.head.Finished = 1 }, []want{{doctor.OK, "bank is 2 rounds behind you (1 of 3)", ""}}},
		{"another federation", 3, func(p *pair) { p.cfg.Genesis = ledger.FileCID([]byte("other")).Bytes() }, []want{{doctor.Failed, "another federation", "founder"}}},
		{"another epoch", 3, func(p *pair) { p.cfg.Epoch = func() []byte { return ledger.FileCID([]byte("other")).Bytes() } }, []want{{doctor.Failed, "epoch", "same version"}}},
		{"another version", 3, func(p *pair) { p.cfg.Software = "fedlam\x1b[31m v2" }, []want{{doctor.OK, "the same", ""}, {doctor.Warning, `bank runs "fedlam [31m v2"`, "one version"}}},
		{"rubbish", 3, func(p *pair) { p.bank.head.Weights = []byte("rubbish") }, []want{{doctor.Skipped, "its reply names no documents", ""}}},
		{"own log spoiled", 3, func(p *pair) { p.site.Log = spoiled{} }, []want{{doctor.Skipped, "could not be found out: its pages are spoiled", ""}}},
		{"own log not opened", 3, func(p *pair) { p.site.Log, p.site.LogErr = nil, errors.New("broken") }, []want{{doctor.Skipped, "your log cannot be read; see disk", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, c.rounds)
			c.spoil(p)
			check(t, p.examine(t, doctor.AgreementCheck), c.want...)
		})
	}
}

func TestExamineSpoiledLog(t *testing.T) {
	p := newPair(t, 1)
	p.site.Log = spoiled{}
	got := p.examine(t, doctor.DiskCheck)
	if i := slices.IndexFunc(got, func(f doctor.Finding) bool { return f.State == doctor.Failed }); i < 0 || !strings.Contains(got[i].Text, "page 7 is no leaf") {
		t.Errorf("got %+v", got)
	}
}

func TestExamineReachability(t *testing.T) {
	ok := []want{{doctor.OK, "you -> bank: ok ", ""}, {doctor.OK, "bank -> you: ok ", ""}}
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, p *pair)
		want  []want
	}{
		{"open", func(*testing.T, *pair) {}, ok},
		{"an address that means nothing", func(_ *testing.T, p *pair) {
			m := &p.site.Genesis.Members[1]
			m.Addresses = append([]string{"localhost:4101"}, m.Addresses...)
		}, []want{{doctor.Warning, "OTHER blocked: this kind of address", "show this to bank"}, ok[1]}},
		{"asked too often", func(t *testing.T, p *pair) {
			n, err := rpc.New(p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { n.Close() })
			for range 6 {
				visit, err := rpc.VisitAt(t.Context(), p.site.Host, p.cfg.Host.ID(), p.cfg.Host.Addrs()[0])
				if err != nil {
					t.Fatal(err)
				}
				if _, err := visit.DialBack(t.Context()); err != nil {
					t.Fatal(err)
				}
				visit.Close()
			}
			p.cfg.Host = newHost(t, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))) // what examine starts is another one
		}, []want{ok[0], {doctor.Skipped, "bank did not dial back: asked too often", ""}}},
		{"not known as a member", func(_ *testing.T, p *pair) { p.cfg.Members = nil }, []want{{doctor.Failed, "connected, but not served: members only", "the epoch it is in lists you"},
			{doctor.Skipped, "cannot be asked", ""}}},
		{"does not serve", func(t *testing.T, p *pair) {
			p.cfg.Host = newHost(t, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)))
		}, []want{{doctor.Failed, "its node does not run (fedlam doctor may run there)", "the epoch it is in lists you"}, {doctor.Skipped, "cannot be asked", ""}}},
		{"no peer id", func(_ *testing.T, p *pair) { p.site.Genesis.Members[1].Peer = "nobody" },
			[]want{{doctor.Failed, "has no address of bank", "only bank"}, {doctor.Skipped, "no peer id of bank", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, 0)
			c.spoil(t, p)
			check(t, p.examine(t, doctor.ReachabilityCheck), c.want...)
		})
	}
}

// When the caller goes away the examination ends soon, with findings for what is left.
func TestExamineIsCutOff(t *testing.T) {
	p := newPair(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	checks := map[string]int{}
	doctor.Examine(ctx, p.site, time.Hour, func(e doctor.Event) {
		if strings.HasPrefix(e.Begins, "asking ") {
			cancel()
		}
		if e.Finding != nil {
			checks[e.Finding.Check]++
		}
	})
	if len(checks) < 6 {
		t.Errorf("findings by check: %v", checks)
	}
}
