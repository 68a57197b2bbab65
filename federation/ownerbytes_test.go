package federation

import (
	"fmt"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// traffic counts what members send in round 1, in bytes of envelopes, by member and type. Chunks that a member sends after it has
// opened its shares are given out for audits.
type traffic map[int]map[string]int

func countTraffic(c *cluster) traffic {
	out := traffic{}
	for i := range c.nodes {
		out[i] = map[string]int{}
	}
	c.slow = func(from, _ int, raw []byte) time.Duration {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Round != 1 {
			return 0
		}
		kind := e.Type
		if kind == typeChunk && out[from][typeUnmask] > 0 {
			kind = "audits"
		}
		out[from][kind] += len(raw)
		return 0
	}
	return out
}

// overhead is what an envelope and a body of secagg with an index add to chunk data.
func overhead(kind string) int {
	chunk := secagg.Chunk{Data: []byte{}}
	e := &ledger.Envelope{Type: kind, Body: chunk.Encode()}
	return len(e.Encode())
}

// TestOwnerTraffic compares what a round costs with what it should: every member sends each of its chunks to as many members as
// there are owners, the sum of each chunk travels once to everybody and its hash once per further owner, an audit brings one chunk of everybody to
// each member, and the rest does not grow with the vectors.
func TestOwnerTraffic(t *testing.T) {
	const n = 12
	for _, owners := range []int{1, 2} {
		t.Run(fmt.Sprintf("owners=%d", owners), func(t *testing.T) {
			t.Parallel()
			c := ownedAfterSetup(t, n, owners).fork(t, 2, 1)
			seen := countTraffic(c)
			var sessions []*session
			c.doom = func(v *node, _ Action) bool { // nobody dies
				if r := v.machine.r; r != nil && r.number == 1 && r.current() != nil && r.current().final != nil {
					sessions = r.current().sessions
				}
				return false
			}
			c.run(time.Minute)
			inputs, sums, vouches := [n]int{}, 0, 0
			for _, s := range sessions {
				size := 4*s.public.Lanes + s.public.Chunks()*overhead(typeChunk)
				for _, i := range s.members {
					inputs[i] += min(owners, len(s.members)-1) * size
				}
				sums += (n - 1) * (size + s.public.Chunks()*(overhead(typeChunkSum)-overhead(typeChunk)))
				vouches += (min(owners, len(s.members)) - 1) * (n - 1) * s.public.Chunks() * len((&ledger.Envelope{Type: typeVouch, Body: make([]byte, 33)}).Encode())
			}
			for i := range n {
				if got := seen[i][typeChunk]; got != inputs[i] || got < owners*4*largeTrunk {
					t.Errorf("member %d sent %d bytes of chunks, want %d", i, got, inputs[i])
				}
				sums -= seen[i][typeChunkSum]
				vouches -= seen[i][typeVouch]
				if most := n * secagg.MaxChunkSize * n; seen[i]["audits"] > most {
					t.Errorf("member %d gave out %d bytes for audits, want at most %d", i, seen[i]["audits"], most)
				}
				rest := 0
				for kind, size := range seen[i] {
					if kind != typeChunk && kind != typeChunkSum && kind != "audits" {
						rest += size
					}
				}
				if most := 2 * (n - 1) * (secagg.KeysSize + (n-1)*2500 + 10_000); rest > most { // two sessions or three
					t.Errorf("member %d sent %d bytes besides, want at most %d: %v", i, rest, most, seen[i])
				}
			}
			if sums != 0 || vouches != 0 {
				t.Errorf("chunk sums of all members together take %d bytes less than they should, vouches %d", sums, vouches)
			}
		})
	}
}
