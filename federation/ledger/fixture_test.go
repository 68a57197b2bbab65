package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

// testKey is the signing key of member i.
func testKey(i int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "test key %d", i))
	return ed25519.NewKeyFromSeed(seed[:])
}

var (
	testConfig      = []byte(`{"format":"fedlam-model"}`)
	testConventions = map[string][]byte{"pbe": []byte(`{"functional":"PBE"}`), "scan": []byte(`{"functional":"SCAN"}`)}
)

// testWeights are larger than one leaf, so that their file is a tree.
func testWeights(round int) []byte {
	w := make([]byte, LeafSize+1000)
	for i := range w {
		w[i] = byte(i*31 + i>>9 + round)
	}
	return w
}

// testGenesis has n members; all of them use the head pbe, two the head scan.
func testGenesis(n int) *Genesis {
	g := &Genesis{Name: "test", Created: 1_700_000_000, Config: FileCID(testConfig), Weights: FileCID(testWeights(-1)),
		Elements: []string{"H", "O"}, Rules: DefaultRules()}
	g.Rules.MinCohort, g.Rules.MinGroup, g.Rules.JoinGrace = 3, 2, 1500*time.Millisecond
	for _, key := range []string{"pbe", "scan"} {
		g.Heads = append(g.Heads, Head{Key: key, Name: "head " + key, Convention: FileCID(testConventions[key])})
	}
	for i := range n {
		m := Member{Name: fmt.Sprintf("member %d", i), Peer: fmt.Sprintf("peer%d", i), Addresses: []string{"/ip4/127.0.0.1/tcp/4101"}, Heads: []string{"pbe"}}
		copy(m.ID[:], testKey(i).Public().(ed25519.PublicKey))
		if i < 2 {
			m.Heads = append(m.Heads, "scan")
		}
		g.Members = append(g.Members, m)
	}
	return g
}

// nextRecord continues a chain with a plausible round.
func nextRecord(c *Chain) *Round {
	r := c.Next()
	r.Attempt, r.Roster = 1, RosterHash([]MemberID{c.Genesis.Members[0].ID})
	r.StateOut, r.WeightsOut = FileCID([]byte("state")), FileCID(testWeights(int(r.R)))
	for i, name := range []string{TrunkGroup, HeadGroup("pbe")} {
		r.Groups = append(r.Groups, Group{Name: name, Session: [32]byte{byte(i + 1)}, Survivors: []uint64{0, 2, 3},
			Masked: [32]byte{3}, Seeds: [32]byte{4}, Aggregate: [32]byte{5}, Weight: 2.5})
	}
	if r.Kind == Setup {
		r.Elements = []uint64{4, 3}
	}
	r.Metrics = []Metric{{"update_norm/trunk", 0.125}}
	return r
}

// certify signs a record with the given members.
func certify(r *Round, members ...int) Finished {
	var signatures []Signature
	for _, i := range members {
		signatures = append(signatures, Sign(testKey(i), i, 0, r.CID()))
	}
	return Finished{Record: r.Encode(), Certificate: NewCertificate(r.CID(), 0, signatures).Encode()}
}

// testRelease has a setup round, a training round, a void one and another training round.
func testRelease(t *testing.T, g *Genesis) *Release {
	t.Helper()
	rel := &Release{Genesis: g.Encode(), Config: testConfig, Weights: testWeights(3), Conventions: testConventions}
	c := NewChain(g)
	for k := range 4 {
		r := nextRecord(c)
		if k == 2 {
			r = c.NextVoid()
		}
		f := certify(r, 3, 1, 0)
		if _, _, err := c.Append(f); err != nil {
			t.Fatalf("round %d: %v", k, err)
		}
		rel.Rounds = append(rel.Rounds, f)
	}
	return rel
}
