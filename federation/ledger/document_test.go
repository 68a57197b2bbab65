package ledger

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func TestDocumentsRoundTrip(t *testing.T) {
	g := testGenesis(5)
	g.Heads[1].Canary = FileCID([]byte("frames"))
	c := NewChain(g)
	r := nextRecord(c)
	f := certify(r, 0, 2, 3, 4)
	gotG, err := DecodeGenesis(g.Encode())
	if err != nil || !reflect.DeepEqual(gotG, g) {
		t.Errorf("genesis = %+v, %v; want %+v", gotG, err, g)
	}
	gotR, err := DecodeRound(f.Record)
	if err != nil || !bytes.Equal(gotR.Encode(), f.Record) || gotR.Groups[1].Survivors[2] != 3 {
		t.Errorf("round = %+v, %v; want %+v", gotR, err, r)
	}
	gotC, err := DecodeCertificate(f.Certificate)
	if err != nil || len(gotC.Signatures) != 4 || gotC.Verify(c.Epoch) != nil {
		t.Errorf("certificate = %+v, %v", gotC, err)
	}
	e := g.Epoch()
	if gotE, err := DecodeEpoch(e.Encode()); err != nil || !gotE.CID().Equals(e.CID()) {
		t.Errorf("epoch = %+v, %v", gotE, err)
	}
}

// TestStrictDecoding flips every bit of a record: whatever still decodes must be another record, never the same one in
// other bytes.
func TestStrictDecoding(t *testing.T) {
	record := nextRecord(NewChain(testGenesis(4))).Encode()
	for i := range record {
		for bit := range 8 {
			other := bytes.Clone(record)
			other[i] ^= 1 << bit
			if r, err := DecodeRound(other); err == nil && !bytes.Equal(r.Encode(), other) {
				t.Fatalf("byte %d bit %d: decoded to a record with other bytes", i, bit)
			}
		}
	}
	for n := range record {
		if _, err := DecodeRound(record[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("record cut to %d bytes: %v, want ErrMalformed", n, err)
		}
	}
	if _, err := DecodeRound(append(bytes.Clone(record), 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("trailing byte: %v, want ErrMalformed", err)
	}
}

func TestUnknownFieldIsRefused(t *testing.T) {
	f := fields{"fedlam": "certificate/1", "record": NoState(), "view": uint64(0), "phase": PhaseCommit, "signatures": list{}}
	if _, err := DecodeCertificate(marshal(f)); err != nil {
		t.Fatalf("without it: %v", err)
	}
	f["more"] = uint64(1)
	if _, err := DecodeCertificate(marshal(f)); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v, want ErrMalformed", err)
	}
}

// TestOwnersAreEncoded has the rule in a document only where it says something.
func TestOwnersAreEncoded(t *testing.T) {
	g := testGenesis(4)
	without := g.CID()
	g.Rules.Owners = 2
	got, err := DecodeGenesis(g.Encode())
	if err != nil || got.Rules != g.Rules || got.CID().Equals(without) {
		t.Errorf("rules %+v (%v), want %+v under another CID", got.Rules, err, g.Rules)
	}
	f := g.Rules.fields()
	f["owners"] = uint64(0)
	var read Rules
	if err := unmarshal("rules", marshal(f), MaxGenesis, read.read, func() []byte { return marshal(read.fields()) }); !errors.Is(err, ErrMalformed) {
		t.Errorf("owners of 0 written out: %v, want ErrMalformed", err)
	}
}

func TestGenesisIsValidated(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*Genesis)
	}{
		{"no name", func(g *Genesis) { g.Name = "" }},
		{"one member", func(g *Genesis) { g.Members = g.Members[:1] }},
		{"member twice", func(g *Genesis) { g.Members[1].ID = g.Members[0].ID }},
		{"peer twice", func(g *Genesis) { g.Members[1].Peer = g.Members[0].Peer }},
		{"head that is not listed", func(g *Genesis) { g.Members[0].Heads = []string{"hse"} }},
		{"head key that climbs out of the directory", func(g *Genesis) { g.Heads[0].Key = "../x" }},
		{"heads out of order", func(g *Genesis) { g.Heads[0], g.Heads[1] = g.Heads[1], g.Heads[0] }},
		{"no elements", func(g *Genesis) { g.Elements = nil }},
		{"sum over one member", func(g *Genesis) { g.Rules.MinGroup = 1 }},
		{"unknown optimizer", func(g *Genesis) { g.Rules.Outer = "sgd" }},
		{"momentum of 1", func(g *Genesis) { g.Rules.Momentum = 1 }},
		{"more owners than there can be members", func(g *Genesis) { g.Rules.Owners = MaxMembers + 1 }},
		{"timeout of 0", func(g *Genesis) { g.Rules.StepTimeout = 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := testGenesis(4)
			tt.spoil(g)
			if _, err := DecodeGenesis(g.Encode()); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// TestCanaryIsALink refuses what is no link to a file; a head without one is not the same as one with an empty one.
func TestCanaryIsALink(t *testing.T) {
	for _, tt := range []struct {
		name   string
		canary any
		want   error
	}{
		{"a file", FileCID([]byte("frames")), nil},
		{"text", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", ErrMalformed},
		{"bytes", []byte{}, ErrMalformed},
		{"a number", uint64(0), ErrMalformed},
	} {
		g := testGenesis(4)
		heads := headsList(g.Heads)
		heads[0].(fields)["canary"] = tt.canary
		f := fields{"fedlam": "genesis/1", "name": g.Name, "created": g.Created, "config": g.Config, "weights": g.Weights,
			"elements": textList(g.Elements), "members": membersList(g.Members), "heads": heads, "rules": g.Rules.fields()}
		if _, err := DecodeGenesis(marshal(f)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func FuzzDocuments(f *testing.F) {
	g := testGenesis(3)
	r := nextRecord(NewChain(g))
	fin := certify(r, 0, 1, 2)
	next := follow(g.Epoch())
	rotate(next, 1, 9)
	change := NewChain(g).NextEpoch(next.CID())
	for _, seed := range [][]byte{g.Encode(), g.Epoch().Encode(), next.Encode(), change.Encode(), fin.Record, fin.Certificate} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := DecodeGenesis(b); err == nil && !bytes.Equal(g.Encode(), b) {
			t.Error("genesis has two encodings")
		}
		if e, err := DecodeEpoch(b); err == nil && !bytes.Equal(e.Encode(), b) {
			t.Error("epoch has two encodings")
		}
		if r, err := DecodeRound(b); err == nil && !bytes.Equal(r.Encode(), b) {
			t.Error("record has two encodings")
		}
		if c, err := DecodeCertificate(b); err == nil && !bytes.Equal(c.Encode(), b) {
			t.Error("certificate has two encodings")
		}
	})
}

// TestFragmentsAreSaidWhenThereAreSome keeps the CIDs of federations without fragments.
func TestFragmentsAreSaidWhenThereAreSome(t *testing.T) {
	g := testGenesis(4)
	plain := g.Encode()
	for fragments, want := range map[int]int{0: 0, 1: 0, 2: 2, MaxFragments: MaxFragments} {
		g.Rules.Fragments = fragments
		text := g.Encode()
		if bytes.Equal(text, plain) != (want == 0) {
			t.Errorf("%d fragments: the genesis is the one without: %v", fragments, bytes.Equal(text, plain))
		}
		got, err := DecodeGenesis(text)
		if err != nil || got.Rules.Fragments != want {
			t.Errorf("%d fragments: decoded %d, %v, want %d", fragments, got.Rules.Fragments, err, want)
		}
	}
	for _, bad := range []int{-1, MaxFragments + 1} {
		g.Rules.Fragments = bad
		if g.Validate() == nil {
			t.Errorf("%d fragments: accepted", bad)
		}
	}
}

// TestCohortRules reads back what is written, keeps the CIDs of federations without cohorts, and refuses rules that no sum can follow.
func TestCohortRules(t *testing.T) {
	for _, c := range []struct {
		cohorts int
		robust  string
		owners  int
		ok      bool
	}{
		{0, "", 0, true}, {3, "median", 0, true}, {10, "trimmed-mean", 0, true}, {MaxMembers / 2, "geometric-median", 0, true},
		{2, "median", 0, false}, {-1, "median", 0, false}, {MaxMembers, "median", 0, false}, {3, "", 0, false}, {0, "median", 0, false},
		{3, "mean", 0, false}, {3, "median", 2, false},
	} {
		g := testGenesis(4)
		plain := g.Encode()
		g.Rules.Cohorts, g.Rules.Robust, g.Rules.Owners = c.cohorts, c.robust, c.owners
		text := g.Encode()
		if err := g.Validate(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
		if !c.ok {
			continue
		}
		got, err := DecodeGenesis(text)
		if err != nil || (got.Rules.Cohorts != c.cohorts || got.Rules.Robust != c.robust || bytes.Equal(text, plain) != (c.cohorts == 0)) {
			t.Errorf("%+v: read as %d %q", c, got.Rules.Cohorts, got.Rules.Robust)
		}
	}
}
