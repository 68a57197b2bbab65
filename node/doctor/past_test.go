package doctor_test

import (
	"crypto/ed25519"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/proto/peerpb"
)

// A past is the certified rounds of a federation, as the folders of its members have them.
type past struct {
	t     *testing.T
	chain *ledger.Chain
	keys  map[ledger.MemberID]ed25519.PrivateKey
	done  []ledger.Finished
}

func seeded(name string) ed25519.PrivateKey {
	var seed [32]byte
	copy(seed[:], name)
	return ed25519.NewKeyFromSeed(seed[:])
}

func id(key ed25519.PrivateKey) (id ledger.MemberID) {
	copy(id[:], key.Public().(ed25519.PublicKey))
	return id
}

func newPast(t *testing.T, g *ledger.Genesis, keys ...ed25519.PrivateKey) *past {
	p := &past{t: t, chain: ledger.NewChain(g), keys: map[ledger.MemberID]ed25519.PrivateKey{}}
	p.know(keys...)
	return p
}

// know lets members sign with further keys.
func (p *past) know(keys ...ed25519.PrivateKey) {
	for _, key := range keys {
		p.keys[id(key)] = key
	}
}

func (p *past) certify(r *ledger.Round, next []byte) {
	p.t.Helper()
	var signatures []ledger.Signature
	for i, m := range p.chain.Epoch.Members {
		signatures = append(signatures, ledger.Sign(p.keys[m.ID], i, 0, r.CID()))
	}
	f := ledger.Finished{Record: r.Encode(), Certificate: ledger.NewCertificate(r.CID(), 0, signatures).Encode(), Epoch: next}
	if _, _, err := p.chain.Append(f); err != nil {
		p.t.Fatal(err)
	}
	p.done = append(p.done, f)
}

// rounds certifies some that change nothing.
func (p *past) rounds(n int) {
	p.t.Helper()
	for range n {
		p.certify(p.chain.NextVoid(), nil)
	}
}

// enter lets the epoch ripen and begins the next one, which change makes of it.
func (p *past) enter(change func(next *ledger.Epoch)) *ledger.Epoch {
	p.t.Helper()
	for !p.chain.Ripe() {
		p.rounds(1)
	}
	next := p.follow(change)
	p.certify(p.chain.NextEpoch(next.CID()), next.Encode())
	return next
}

// follow makes the document of an epoch after the one in force.
func (p *past) follow(change func(next *ledger.Epoch)) *ledger.Epoch {
	e := p.chain.Epoch
	next := &ledger.Epoch{Genesis: e.Genesis, K: e.K + 1, Prev: e.CID(), Members: slices.Clone(e.Members), Heads: e.Heads, Rules: e.Rules}
	change(next)
	return next
}

// log is that of a member with the first rounds.
func (p *past) log(rounds int) memory {
	log := memory{}
	for k, f := range p.done[:rounds] {
		log[string(federation.RecordKey(uint64(k)))], log[string(federation.CertificateKey(uint64(k)))] = f.Record, f.Certificate
		if f.Epoch != nil {
			log[string(federation.EpochKey(uint64(k)))] = f.Epoch
		}
	}
	return log
}

// records are those of the first rounds.
func (p *past) records(rounds int) (out [][]byte) {
	for _, f := range p.done[:rounds] {
		out = append(out, f.Record)
	}
	return out
}

// head is what a member with the first rounds says.
func (p *past) head(rounds int) *peerpb.Head {
	h := &peerpb.Head{Finished: uint64(rounds), Weights: p.chain.Weights().Bytes()}
	if rounds > 0 {
		h.Record = ledger.CIDOf(p.done[rounds-1].Record).Bytes()
	}
	return h
}

// epoch is the one of the round after the first rounds.
func (p *past) epoch(rounds int) *ledger.Epoch { return p.chain.EpochOf(uint64(rounds)) }
