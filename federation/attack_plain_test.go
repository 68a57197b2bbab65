package federation

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// bodies are what the members say in a round of training, by place.
type bodies map[string][]byte

// saidWith runs a round in which member 2 has an update of another length and weight, as from another number of frames, and lets leak add to
// what it says.
func saidWith(t *testing.T, base *cluster, length, weight float64, leak func(e *ledger.Envelope)) bodies {
	t.Helper()
	c, said := base.fork(t, 2, 1), bodies{}
	c.spoil = func(round uint64, u *Update) {
		if round != 1 || u.Weight[ledger.TrunkGroup] != 1.0/3 { // that of member 2
			return
		}
		for _, v := range u.Tensors {
			for k := range v {
				v[k] *= float32(length)
			}
		}
		u.Weight[ledger.TrunkGroup] = weight
	}
	c.slow = func(from, _ int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil {
			t.Fatal(err)
		}
		if e.Round == 1 && e.From == c.nodes[from].id() && e.Type != typeSync {
			if leak != nil && from == 2 {
				leak(e)
			}
			said[fmt.Sprintf("%s %d of M%d", e.Type, e.Seq, from)] = bytes.Clone(e.Body)
		}
		return 0
	}
	c.run(time.Minute)
	return said
}

// secret are the messages that hide numbers of the members or are hashes of such, and those that follow from the opened sum: of these only the length
// must not depend on what one member adds.
var secret = []string{typeMasked, typeChunk, typeStateHead, typeStatement, typePrepare, typeCommit}

// differing lists the messages of two runs that differ where they must not, and how many were compared.
func differing(a, b bodies) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(a)) {
		other, both := b[key]
		hides := slices.ContainsFunc(secret, func(kind string) bool { return bytes.HasPrefix([]byte(key), []byte(kind+" ")) })
		if !both || len(a[key]) != len(other) || !hides && !bytes.Equal(a[key], other) {
			out = append(out, key)
		}
	}
	for key := range b {
		if _, both := a[key]; !both {
			out = append(out, key)
		}
	}
	return out
}

// TestNothingBesideTheMasks trains one member to an update of another length and gives it another weight, which is what says how many frames it has:
// no message of the round but those that hide it are other ones, and those are of the same length. The control are a member that says its weight
// where nobody looks, and one whose messages grow with its frames.
func TestNothingBesideTheMasks(t *testing.T) {
	base := afterSetup(t, 4)
	few := saidWith(t, base, 1, 0.1, nil)
	for _, kind := range []string{"join 0", "keys 0", "shares 0", "confirm 0", "masked 0", "chunk 0", "statement 0", "unmask 0", "prepare 0", "commit 0"} {
		if few[kind+" of M2"] == nil {
			t.Fatalf("member 2 did not say %s", kind)
		}
	}
	for _, tt := range []struct {
		name string
		leak func(weight float64) func(e *ledger.Envelope)
		want []string
	}{
		{"as it is", func(float64) func(e *ledger.Envelope) { return nil }, nil},
		{"control: its weight in the salt of a share", func(weight float64) func(e *ledger.Envelope) {
			return func(e *ledger.Envelope) {
				if e.Type == typeUnmask {
					e.Body = slices.Clone(e.Body)
					e.Body[len(e.Body)-1] = byte(255 * weight)
				}
			}
		}, []string{"unmask 0 of M2"}},
		{"control: a masked input as long as it has frames", func(weight float64) func(e *ledger.Envelope) {
			return func(e *ledger.Envelope) {
				if e.Type == typeChunk && e.Seq == 0 {
					e.Body = append(slices.Clone(e.Body), make([]byte, int(100*weight))...)
				}
			}
		}, []string{"chunk 0 of M2"}},
	} {
		few := saidWith(t, base, 1, 0.1, tt.leak(0.1))
		many := saidWith(t, base, 3, 1, tt.leak(1))
		if got := differing(few, many); !slices.Equal(got, tt.want) {
			t.Errorf("%s: of %d messages %q say something about the update, want %q", tt.name, len(few), got, tt.want)
		}
		if bytes.Equal(few["prepare 0 of M2"], many["prepare 0 of M2"]) {
			t.Error("the update was not another one: nothing was compared")
		}
	}
}
