package ledger

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// testMember is a member that the test genesis does not have.
func testMember(i int) Member {
	m := Member{Name: fmt.Sprintf("member %d", i), Peer: fmt.Sprintf("peer%d", i), Heads: []string{"pbe"}}
	copy(m.ID[:], testKey(i).Public().(ed25519.PublicKey))
	return m
}

// follow returns an epoch that may follow e as it is.
func follow(e *Epoch) *Epoch {
	return &Epoch{Genesis: e.Genesis, K: e.K + 1, Prev: e.CID(), Members: slices.Clone(e.Members), Heads: e.Heads, Local: e.Local, Rules: e.Rules}
}

// rotate gives member i the key and peer id of test member to.
func rotate(e *Epoch, i, to int) {
	m := testMember(to)
	e.Rotated = append(e.Rotated, Rotation{e.Members[i].ID, m.ID})
	e.Members[i].ID, e.Members[i].Peer = m.ID, m.Peer
}

func drop(e *Epoch, i int) { e.Members = slices.Delete(e.Members, i, i+1) }

func TestCheckNext(t *testing.T) {
	for _, tt := range []struct {
		name    string
		members int
		change  func(e *Epoch)
		ok      bool
	}{
		{"nothing changes", 4, func(*Epoch) {}, true},
		{"one joins", 4, func(e *Epoch) { e.Members = append(e.Members, testMember(9)) }, true},
		{"one joins at another place", 4, func(e *Epoch) { e.Members = slices.Insert(e.Members, 1, testMember(9)) }, true},
		{"one leaves", 4, func(e *Epoch) { drop(e, 3) }, true},
		{"one joins and one leaves", 4, func(e *Epoch) { drop(e, 2); e.Members = append(e.Members, testMember(9)) }, true},
		{"one rotates its keys", 4, func(e *Epoch) { rotate(e, 1, 9) }, true},
		{"one of three rotates its keys", 3, func(e *Epoch) { rotate(e, 1, 9) }, true},
		{"one has another peer id", 4, func(e *Epoch) {
			e.Members[2].Peer, e.Rotated = "elsewhere", []Rotation{{e.Members[2].ID, e.Members[2].ID}}
		}, true},
		{"other addresses", 4, func(e *Epoch) { e.Members[0].Addresses = []string{"/dns4/example.org/tcp/1"} }, true},
		{"other heads of a member", 4, func(e *Epoch) { e.Members[3].Heads = nil }, true},
		{"other rules", 4, func(e *Epoch) { e.Rules.Steps = 7 }, true},

		{"a number left out", 4, func(e *Epoch) { e.K++ }, false},
		{"another past", 4, func(e *Epoch) { e.Prev = NoState() }, false},
		{"another genesis", 4, func(e *Epoch) { e.Genesis = NoState() }, false},
		{"another convention of a head", 4, func(e *Epoch) { e.Heads = slices.Clone(e.Heads); e.Heads[0].Convention = NoState() }, false},
		{"a head too many", 4, func(e *Epoch) {
			e.Heads = append(slices.Clone(e.Heads), Head{Key: "zz", Convention: NoState()})
		}, false},
		{"a shared head loses its members", 4, func(e *Epoch) { e.Members[0].Heads = []string{"pbe"} }, false},
		{"a minimum that closes a shared head", 4, func(e *Epoch) { e.Rules.MinGroup = 3 }, false},
		{"a shared head becomes local", 4, func(e *Epoch) { e.Local = []string{"scan"} }, false},
		{"a lower minimum group", 4, func(e *Epoch) { e.Rules.MinGroup-- }, false},
		{"more bits than a sum over its members can have", 4, func(e *Epoch) { e.Rules.ValueBits, e.Rules.WeightBits = 24, 8 }, false},
		{"bad rules", 4, func(e *Epoch) { e.Rules.Momentum = 1 }, false},
		{"fewer members than its rules demand", 3, func(e *Epoch) { e.Rules.MinCohort = 4 }, false},
		{"a name twice", 4, func(e *Epoch) {
			m := testMember(9)
			m.Name = e.Members[0].Name
			e.Members = append(e.Members, m)
		}, false},
		{"a key twice", 4, func(e *Epoch) {
			m := testMember(9)
			m.ID = e.Members[0].ID
			e.Members = append(e.Members, m)
		}, false},
		{"one of three leaves", 3, func(e *Epoch) { drop(e, 2) }, false},
		{"two of four leave", 4, func(e *Epoch) { drop(e, 3); drop(e, 2) }, false},
		{"more join than the rest could do without", 4, func(e *Epoch) { e.Members = append(e.Members, testMember(8), testMember(9)) }, false},
		{"all are replaced", 4, func(e *Epoch) {
			for i := range e.Members {
				e.Members[i] = testMember(6 + i)
			}
		}, false},
		{"two rotate their keys", 4, func(e *Epoch) {
			rotate(e, 0, 8)
			rotate(e, 1, 9)
			slices.SortFunc(e.Rotated, func(a, b Rotation) int { return slices.Compare(a.Old[:], b.Old[:]) })
		}, false},
		{"a new key that is not listed", 4, func(e *Epoch) { rotate(e, 1, 9); e.Rotated = nil }, false},
		{"a new peer id that is not listed", 4, func(e *Epoch) { e.Members[1].Peer = "elsewhere" }, false},
		{"a rotation of nothing", 4, func(e *Epoch) { e.Rotated = []Rotation{{e.Members[1].ID, e.Members[1].ID}} }, false},
		{"a rotation of a stranger", 4, func(e *Epoch) { e.Rotated = []Rotation{{testMember(8).ID, e.Members[1].ID}} }, false},
		{"a rotation into nobody", 4, func(e *Epoch) { e.Rotated = []Rotation{{e.Members[1].ID, testMember(8).ID}} }, false},
		{"two go on as one", 4, func(e *Epoch) { e.Rotated = []Rotation{{e.Members[3].ID, e.Members[2].ID}}; drop(e, 3) }, false},
		{"a member with another name", 4, func(e *Epoch) { e.Members[1].Name = "x" }, false},
		{"a rotation with another name", 4, func(e *Epoch) { rotate(e, 1, 9); e.Members[1].Name = "x" }, false},
		{"a joiner with the name of who leaves", 4, func(e *Epoch) {
			m := testMember(9)
			m.Name = e.Members[3].Name
			e.Members[3] = m
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := testGenesis(tt.members).Epoch()
			next := follow(e)
			tt.change(next)
			err := e.CheckNext(next)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrChange) {
				t.Errorf("CheckNext = %v, want ok %v", err, tt.ok)
			}
		})
	}
}

// TestLocalHead lets so many members use a head that was local that it would be shared.
func TestLocalHead(t *testing.T) {
	g := testGenesis(4)
	g.Heads = append(g.Heads, Head{Key: "zz", Convention: NoState()})
	g.Members[0].Heads = append(g.Members[0].Heads, "zz")
	next := follow(g.Epoch())
	m := testMember(9)
	m.Heads = append(m.Heads, "zz")
	next.Members = append(next.Members, m)
	if err := g.Epoch().CheckNext(next); !errors.Is(err, ErrChange) {
		t.Errorf("a head that the weights have no part for becomes shared: %v", err)
	}
	next.Local = []string{"zz"}
	if err := g.Epoch().CheckNext(next); err != nil {
		t.Errorf("listed as local: %v", err)
	}
}

func TestEpochIsValidated(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*Epoch)
	}{
		{"no epoch before", func(e *Epoch) { e.Prev = testGenesis(4).Epoch().Prev }},
		{"an epoch before the first", func(e *Epoch) { e.K = 0 }},
		{"a local head that does not exist", func(e *Epoch) { e.Local = []string{"hse"} }},
		{"local heads out of order", func(e *Epoch) { e.Local = []string{"scan", "pbe"} }},
		{"a key rotated twice", func(e *Epoch) { e.Rotated = []Rotation{{}, {}} }},
		{"a long reason", func(e *Epoch) { e.Reason = string(make([]byte, 501)) }},
		{"the first one with a reason", func(e *Epoch) { *e = *testGenesis(4).Epoch(); e.Reason = "x" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := follow(testGenesis(4).Epoch())
			if _, err := DecodeEpoch(e.Encode()); err != nil {
				t.Fatalf("the good one: %v", err)
			}
			tt.spoil(e)
			if _, err := DecodeEpoch(e.Encode()); err == nil {
				t.Error("accepted")
			}
		})
	}
}
