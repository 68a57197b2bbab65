package doctor_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
)

func public(name string) ed25519.PublicKey {
	var seed [32]byte
	copy(seed[:], name)
	return ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
}

// member is a member whose keys are made from its name.
func member(t *testing.T, name string) ledger.Member {
	t.Helper()
	id, err := p2p.ID(public(name + " identity"))
	if err != nil {
		t.Fatal(err)
	}
	m := ledger.Member{Name: name, Peer: id.String()}
	copy(m.ID[:], public(name+" signing"))
	return m
}

func keys(identity, signing string) []home.Key {
	return []home.Key{
		{File: home.IdentityKey, Path: "lab/identity.key", Mode: 0o600, Public: public(identity + " identity")},
		{File: home.SigningKey, Path: "lab/signing.key", Mode: 0o600, Public: public(signing + " signing")},
	}
}

func TestIdentity(t *testing.T) {
	cid := ledger.FileCID([]byte("x"))
	genesis := &ledger.Genesis{Name: "water", Config: cid, Weights: cid, Members: []ledger.Member{member(t, "lab"), member(t, "bank")}}
	for _, c := range []struct {
		name  string
		spoil func(f *doctor.IdentityFacts)
		want  []want
	}{
		{"all in place", func(*doctor.IdentityFacts) {}, []want{{doctor.OK, `this is lab in federation "water", genesis ` + genesis.CID().String(), ""}}},
		{"bad node.toml", func(f *doctor.IdentityFacts) { f.Config = errors.New("a key that means nothing") },
			[]want{{doctor.Failed, "means nothing", "correct node.toml"}}},
		{"key missing", func(f *doctor.IdentityFacts) {
			f.Keys[0] = home.Key{File: home.IdentityKey, Err: errors.New("no such file")}
		}, []want{{doctor.Failed, "no such file", "restore identity.key from your backup"}}},
		{"key for all to read", func(f *doctor.IdentityFacts) { f.Keys[1].Mode = 0o644 },
			[]want{{doctor.Failed, "others may read lab/signing.key (mode 0644)", "chmod 600 lab/signing.key"}}},
		{"identity of another node", func(f *doctor.IdentityFacts) { f.Keys = keys("bank", "lab") },
			[]want{{doctor.Failed, "the genesis lists " + genesis.Members[0].Peer + " for lab", "restore the key that your card was made with"}}},
		{"unknown member", func(f *doctor.IdentityFacts) { f.Keys = keys("lab", "stranger") },
			[]want{{doctor.Failed, "does not list", "join the federation that lists this one"}}},
		{"not joined", func(f *doctor.IdentityFacts) {
			f.Genesis, f.GenesisErr = nil, fmt.Errorf("read: %w", home.ErrNoGenesis)
		},
			[]want{{doctor.Failed, "has not joined", "`fedlam init lab --card`"}}},
		{"genesis spoiled", func(f *doctor.IdentityFacts) { f.Genesis, f.GenesisErr = nil, errors.New("genesis: bad CBOR") },
			[]want{{doctor.Failed, "bad CBOR", "genesis.cbor of the founding folder"}}},
		{"configuration spoiled", func(f *doctor.IdentityFacts) { f.Documents["config.json"] = errors.New("blocks are missing") },
			[]want{{doctor.Failed, "config.json of the federation is not whole in the folder: blocks are missing", "`fedlam join lab FOUNDING`"}}},
		{"several at once", func(f *doctor.IdentityFacts) {
			f.Keys = keys("bank", "lab")
			f.Keys[0].Mode = 0o640
		}, []want{{doctor.Failed, "mode 0640", "chmod"}, {doctor.Failed, "identity.key belongs to peer", "restore"}}},
		{"no keys", func(f *doctor.IdentityFacts) { f.Keys = nil }, []want{{doctor.Skipped, "no keys", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := doctor.IdentityFacts{Dir: "lab", Keys: keys("lab", "lab"), Genesis: genesis, Documents: map[string]error{"config.json": nil}}
			c.spoil(&f)
			check(t, doctor.Identity(f), c.want...)
		})
	}
}
