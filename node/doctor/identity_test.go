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
		{"all in place", func(*doctor.IdentityFacts) {}, []want{{doctor.OK, `this is lab in federation "water", genesis ` + genesis.CID().String() + ", epoch 0; keys are in place", ""}}},
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
		{"epoch.cbor spoiled", func(f *doctor.IdentityFacts) { f.JoiningErr = errors.New("epoch: bad CBOR") },
			[]want{{doctor.Failed, "epoch.cbor cannot be read: epoch: bad CBOR", "--epoch DOCUMENT"}}},
		{"several at once", func(f *doctor.IdentityFacts) {
			f.Keys = keys("bank", "lab")
			f.Keys[0].Mode = 0o640
		}, []want{{doctor.Failed, "mode 0640", "chmod"}, {doctor.Failed, "identity.key belongs to peer", "restore"}}},
		{"no keys", func(f *doctor.IdentityFacts) { f.Keys = nil }, []want{{doctor.Skipped, "no keys", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := doctor.IdentityFacts{Dir: "lab", Keys: keys("lab", "lab"), Genesis: genesis, Epochs: []*ledger.Epoch{genesis.Epoch()}, Documents: map[string]error{"config.json": nil}}
			c.spoil(&f)
			check(t, doctor.Identity(f), c.want...)
		})
	}
}

// TestIdentityAfterEpochs follows one node, north, whose keys are made from the name in each case.
func TestIdentityAfterEpochs(t *testing.T) {
	cid := ledger.FileCID([]byte("x"))
	genesis := &ledger.Genesis{Name: "water", Config: cid, Weights: cid, Members: []ledger.Member{member(t, "lab"), member(t, "bank")}}
	first := genesis.Epoch()
	// after is an epoch with other members, some of them with the keys of another name.
	after := func(before *ledger.Epoch, members map[string]string, order ...string) *ledger.Epoch {
		e := &ledger.Epoch{Genesis: before.Genesis, K: before.K + 1, Prev: before.CID(), Reason: "it\x1b[2J was so"}
		for _, name := range order {
			m := member(t, name)
			if from, other := members[name]; other {
				m = member(t, from)
				m.Name = name
				was := member(t, name)
				e.Rotated = append(e.Rotated, ledger.Rotation{Old: was.ID, New: m.ID})
			}
			e.Members = append(e.Members, m)
		}
		return e
	}
	joined := after(first, nil, "lab", "bank", "north")
	rotated := after(first, map[string]string{"lab": "new"}, "lab", "bank")
	left := after(first, nil, "bank")
	moved := after(first, nil, "lab", "bank")
	moved.Members[0].Peer = member(t, "elsewhere").Peer
	moved.Rotated = []ledger.Rotation{{Old: moved.Members[0].ID, New: moved.Members[0].ID}}
	foreign := *joined
	foreign.Genesis = cid
	for _, c := range []struct {
		name    string
		keys    string
		epochs  []*ledger.Epoch
		joining *ledger.Epoch
		want    want
	}{
		{"a member since the genesis", "lab", []*ledger.Epoch{first, joined}, nil, want{doctor.OK, "this is lab in federation \"water\", genesis " + genesis.CID().String() + ", epoch 1; keys", ""}},
		{"joined", "north", []*ledger.Epoch{first, joined}, joined, want{doctor.OK, "this is north in federation", ""}},
		{"not yet", "north", []*ledger.Epoch{first}, joined,
			want{doctor.Warning, "this is north, not a member of federation \"water\" yet: it joins with epoch 1, and the newest certified one in this folder is epoch 0", "approved"}},
		{"passed over", "north", []*ledger.Epoch{first, rotated}, joined,
			want{doctor.Failed, "the members decided epoch 1 without north, who was to join with it", "`fedlam join lab FOUNDING --epoch DOCUMENT`"}},
		{"out", "lab", []*ledger.Epoch{first, left}, nil, want{doctor.Warning, "this was lab: no member of federation \"water\" since epoch 1 (its reason: \"it [2J was so\")", "propose an epoch with your card"}},
		{"out for two epochs", "lab", []*ledger.Epoch{first, left, after(left, nil, "bank", "north")}, nil, want{doctor.Warning, "since epoch 1", "stop the node"}},
		{"out and to come back", "lab", []*ledger.Epoch{first, left}, after(left, nil, "lab", "bank"), want{doctor.Warning, "this is lab, not a member of federation \"water\" yet: it joins with epoch 2", "let the node run"}},
		{"the old key of a member", "lab", []*ledger.Epoch{first, rotated}, nil, want{doctor.Warning, "lab goes on under another key since epoch 1", "run the node that has the new key"}},
		{"the new key of a member", "new", []*ledger.Epoch{first, rotated}, rotated, want{doctor.OK, "this is lab in federation", ""}},
		{"the new key of a member, early", "new", []*ledger.Epoch{first}, rotated, want{doctor.Warning, "this is lab, not a member", "approved"}},
		{"another peer id", "lab", []*ledger.Epoch{first, moved}, nil, want{doctor.Failed, "epoch 1 lists " + moved.Members[0].Peer + " for lab", "the others refuse any other"}},
		{"another peer id, early", "lab", []*ledger.Epoch{first}, moved, want{doctor.OK, "this is lab", ""}},
		{"never a member", "stranger", []*ledger.Epoch{first, joined}, nil, want{doctor.Failed, "does not list, nor any epoch since", "restore the key"}},
		{"joins another federation", "north", []*ledger.Epoch{first}, &foreign, want{doctor.Failed, "epoch.cbor belongs to another federation", "`fedlam join lab FOUNDING --epoch DOCUMENT`"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			check(t, doctor.Identity(doctor.IdentityFacts{Dir: "lab", Keys: keys(c.keys, c.keys), Genesis: genesis, Epochs: c.epochs, Joining: c.joining}), c.want)
		})
	}
}
