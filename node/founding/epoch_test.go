package founding_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
)

// epochOf is the first epoch of the members whose cards are given.
func epochOf(t *testing.T, cards ...home.Card) *ledger.Epoch {
	t.Helper()
	d, err := founding.Found(parse(t, plan), cards, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	g, err := ledger.DecodeGenesis(d.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	return g.Epoch()
}

func TestPropose(t *testing.T) {
	before := epochOf(t, card(t, "a", "pbe"), card(t, "b", "pbe"), card(t, "c", "scan"), card(t, "d", "pbe"))
	next, err := founding.Propose(before, founding.Change{Add: []home.Card{card(t, "e", "pbe")}, Remove: []string{"d"}, Reason: "d has closed"})
	if err != nil {
		t.Fatal(err)
	}
	if next.K != 1 || next.Reason != "d has closed" || len(next.Members) != 4 || next.Members[3].Name != "e" || !slices.Equal(next.Members[3].Heads, before.Members[0].Heads) {
		t.Errorf("next is %+v", next)
	}
	if _, err := ledger.DecodeEpoch(next.Encode()); err != nil {
		t.Error(err)
	}
	said := strings.Join(next.Differences(before), "\n")
	for _, want := range []string{"d is no member any more", "e joins with the key"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not among the differences:\n%s", want, said)
		}
	}
}

func TestProposeRotation(t *testing.T) {
	before := epochOf(t, card(t, "a", "pbe"), card(t, "b", "pbe"), card(t, "c", "pbe"), card(t, "d", "pbe"))
	fresh := card(t, "new node of b", "pbe")
	next, err := founding.Propose(before, founding.Change{Rotate: map[string]home.Card{"b": fresh}})
	if err != nil {
		t.Fatal(err)
	}
	if m := next.Members[1]; m.Name != "b" || m.Peer != fresh.Peer || len(next.Rotated) != 1 || next.Rotated[0] != (ledger.Rotation{Old: before.Members[1].ID, New: m.ID}) {
		t.Errorf("next is %+v", next)
	}
	if said := strings.Join(next.Differences(before), "\n"); !strings.Contains(said, "b signs with another key") {
		t.Errorf("differences: %s", said)
	}
}

// TestProposeKeepsHeadsLocal has a second member come with a convention that so far one member had alone.
func TestProposeKeepsHeadsLocal(t *testing.T) {
	before := epochOf(t, card(t, "a", "pbe"), card(t, "b", "pbe"), card(t, "c", "scan"), card(t, "d", "pbe"))
	next, err := founding.Propose(before, founding.Change{Add: []home.Card{card(t, "e", "scan")}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(next.Local, before.Members[2].Heads) || !slices.Equal(next.Shared(), before.Shared()) {
		t.Errorf("local heads %v, shared %v", next.Local, next.Shared())
	}
}

func TestProposeRefuses(t *testing.T) {
	before := epochOf(t, card(t, "a", "pbe"), card(t, "b", "pbe"), card(t, "c", "pbe"), card(t, "d", "pbe"))
	for _, tt := range []struct {
		name   string
		change founding.Change
		say    string
	}{
		{"nobody of that name", founding.Change{Remove: []string{"x"}}, `nobody is named "x": the members are ["a" "b" "c" "d"]`},
		{"rotation of nobody", founding.Change{Rotate: map[string]home.Card{"x": card(t, "x", "pbe")}}, `nobody is named "x"`},
		{"a new convention", founding.Change{Add: []home.Card{card(t, "e", "scan")}}, "the federation has no head"},
		{"too many leave", founding.Change{Remove: []string{"a", "b"}}, "may not follow"},
		{"the same keys", founding.Change{Rotate: map[string]home.Card{"a": {Name: "a", Member: before.Members[0].ID.String(), Peer: before.Members[0].Peer}}}, "keeps its keys"},
		{"a card without a key", founding.Change{Add: []home.Card{{Name: "e", Member: "00"}}}, "32-byte key"},
	} {
		if _, err := founding.Propose(before, tt.change); err == nil || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.say)
		}
	}
}
