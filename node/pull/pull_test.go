package pull_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/public"
	"github.com/fedlam/fedlam/node/pull"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/ipfs/go-cid"
)

// federation is a chain of certified void rounds and its documents.
type federation struct {
	genesis *ledger.Genesis
	keys    []ed25519.PrivateKey
	chain   *ledger.Chain
	rounds  []ledger.Finished
	weights []byte
	config  []byte
}

func seeded(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func found(t *testing.T, rounds int) *federation {
	t.Helper()
	f := &federation{weights: bytes.Repeat([]byte("weights "), 100_000), config: []byte("{}")}
	g := &ledger.Genesis{Name: "test", Elements: []string{"H"}, Rules: ledger.DefaultRules(),
		Config: ledger.FileCID(f.config), Weights: ledger.FileCID(f.weights)}
	for i := range 4 {
		key := seeded(byte(i + 1))
		m := ledger.Member{Name: string(rune('a' + i)), Peer: string(rune('a' + i))}
		copy(m.ID[:], key.Public().(ed25519.PublicKey))
		f.keys, g.Members = append(f.keys, key), append(g.Members, m)
	}
	f.genesis, f.chain = g, ledger.NewChain(g)
	for range rounds {
		f.certify(t)
	}
	return f
}

func (f *federation) certify(t *testing.T) {
	t.Helper()
	record := f.chain.NextVoid()
	var signatures []ledger.Signature
	for i, key := range f.keys[:3] {
		signatures = append(signatures, ledger.Sign(key, i, 0, record.CID()))
	}
	done := ledger.Finished{Record: record.Encode(), Certificate: ledger.NewCertificate(record.CID(), 0, signatures).Encode()}
	if _, _, err := f.chain.Append(done); err != nil {
		t.Fatal(err)
	}
	f.rounds = append(f.rounds, done)
}

// Find implements public.Finder: it knows everything.
func (f *federation) Find([]byte) (*peerpb.FindReply, error) {
	r := &peerpb.FindReply{Genesis: f.genesis.CID().Bytes()}
	for _, done := range f.rounds {
		r.Rounds = append(r.Rounds, &peerpb.Head{Record: ledger.CIDOf(done.Record).Bytes(), Certificate: ledger.CIDOf(done.Certificate).Bytes()})
	}
	return r, nil
}

// serve publishes the federation and returns where.
func (f *federation) serve(t *testing.T) (addresses []string, store *blocks.Store) {
	t.Helper()
	store, err := blocks.Open(blocks.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	documents := [][]byte{f.genesis.Encode()}
	for _, done := range f.rounds {
		documents = append(documents, done.Record, done.Certificate)
	}
	for _, d := range documents {
		if _, err := store.PutBytes(t.Context(), cid.DagCBOR, d); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range [][]byte{f.weights, f.config} {
		if _, err := store.WriteFile(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	h, err := p2p.NewPublic(p2p.PublicConfig{Key: seeded(99), Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	public.Serve(h, f)
	x := blocks.NewExchange(h, blocks.ExchangeConfig{Store: store, Direction: blocks.ServeOnly})
	t.Cleanup(func() { x.Close() })
	return p2p.Addresses(h), store
}

func run(ctx context.Context, from []string, artefact cid.Cid, out string) (pull.Result, error) {
	return pull.Run(ctx, pull.Config{Artefact: artefact, From: from, Out: out, Random: rand.Reader})
}

func TestPullVerifies(t *testing.T) {
	f := found(t, 3)
	from, _ := f.serve(t)
	last := f.rounds[2]
	for name, artefact := range map[string]cid.Cid{
		"weights": f.chain.Weights(), "record": ledger.CIDOf(last.Record), "certificate": ledger.CIDOf(last.Certificate),
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "release")
			r, err := run(t.Context(), from, artefact, out)
			if err != nil {
				t.Fatal(err)
			}
			if r.Round != 2 || !r.Weights.Equals(f.chain.Weights()) || r.Bytes != int64(len(f.weights)) {
				t.Errorf("result is %+v", r)
			}
			if _, err := ledger.VerifyDir(out, f.genesis.CID()); err != nil {
				t.Error(err)
			}
			if got, err := os.ReadFile(filepath.Join(out, "model.safetensors")); err != nil || !bytes.Equal(got, f.weights) {
				t.Errorf("weights differ, %v", err)
			}
			if _, err := run(t.Context(), from, artefact, out); err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("second pull into the same folder: %v", err)
			}
		})
	}
}

func TestPullGoesOnAfterInterruption(t *testing.T) {
	f := found(t, 1)
	from, _ := f.serve(t)
	out := filepath.Join(t.TempDir(), "release")
	ctx, cancel := context.WithCancel(t.Context())
	cfg := pull.Config{Artefact: f.chain.Weights(), From: from, Out: out, Random: rand.Reader, Progress: func(int64, int64) { cancel() }}
	if _, err := pull.Run(ctx, cfg); err == nil {
		t.Skip("the download was faster than the interruption")
	}
	if r, err := run(t.Context(), from, f.chain.Weights(), out); err != nil || r.Round != 0 {
		t.Errorf("second try: %+v, %v", r, err)
	}
	if _, err := ledger.VerifyDir(out, f.genesis.CID()); err != nil {
		t.Error(err)
	}
}

func TestPullRefuses(t *testing.T) {
	honest := found(t, 2)
	from, _ := honest.serve(t)
	forged := found(t, 1)
	forged.genesis.Rules.MinCohort = 4 // another federation whose rounds are not signed for it
	forged.rounds = honest.rounds
	forgedFrom, _ := forged.serve(t)
	other := ledger.FileCID([]byte("other"))
	for _, c := range []struct {
		name string
		cfg  pull.Config
		want string
	}{
		{"another artefact", pull.Config{From: from, Artefact: other}, "another artefact"},
		{"another federation", pull.Config{From: from, Artefact: honest.chain.Weights(), Genesis: other}, "belongs to the federation"},
		{"chain that does not hold", pull.Config{From: forgedFrom, Artefact: honest.chain.Weights()}, "round 0"},
		{"no address", pull.Config{Artefact: other}, "no address"},
		{"address without peer id", pull.Config{From: []string{"/ip4/127.0.0.1/tcp/1"}, Artefact: other}, "should look like"},
		{"nobody there", pull.Config{From: []string{"/ip4/127.0.0.1/tcp/1" + from[0][strings.Index(from[0], "/p2p/"):]}, Artefact: other}, "public side"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Out, c.cfg.Random = filepath.Join(t.TempDir(), "release"), rand.Reader
			_, err := pull.Run(t.Context(), c.cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(c.cfg.Out, "model.safetensors")); !errors.Is(err, os.ErrNotExist) {
				t.Error("wrote weights all the same")
			}
		})
	}
}
