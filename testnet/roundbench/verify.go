package roundbench

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/bench"
)

// A VerifyReport is how long a stranger needs to verify a download. Times are in seconds.
type VerifyReport struct {
	Version       int     `json:"version"` // 1
	What          string  `json:"what"`    // "verify"
	Parameters    int     `json:"parameters"`
	Members       int     `json:"members"`
	Rounds        int     `json:"rounds"`
	Median        float64 `json:"median_s"`
	Min           float64 `json:"min_s"`
	Max           float64 `json:"max_s"`
	bench.Machine `json:"machine"`
}

// Verify measures the verification of a release in memory: float32 weights of that many parameters, certified by all members.
func Verify(ctx context.Context, parameters, members, rounds, runs int) (*VerifyReport, error) {
	if parameters < 1 || parameters > 1<<28 || members < 4 || members > ledger.MaxMembers || rounds < 1 || rounds > 1000 || runs < 1 {
		return nil, fmt.Errorf("verify bench: %d parameters, %d members, %d rounds, %d runs", parameters, members, rounds, runs)
	}
	files, g, err := release(parameters, members, rounds)
	if err != nil {
		return nil, err
	}
	var times []float64
	for range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		begun := time.Now()
		if _, err := ledger.VerifyFiles(files, g.CID()); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begun).Seconds())
	}
	slices.Sort(times)
	return &VerifyReport{1, "verify", parameters, members, rounds, times[len(times)/2], times[0], times[len(times)-1], bench.ThisMachine()}, nil
}

// release makes a chain of records and certificates that hold.
func release(parameters, members, rounds int) (map[string][]byte, *ledger.Genesis, error) {
	weights := make([]byte, 4*parameters)
	for k := range weights {
		weights[k] = byte(k * 2654435761 >> 7)
	}
	g := &ledger.Genesis{Name: "bench", Created: 1_700_000_000, Config: ledger.FileCID([]byte("{}")), Weights: ledger.FileCID(weights[:4]), Elements: []string{"H"},
		Rules: ledger.DefaultRules(), Heads: []ledger.Head{{Key: "pbe", Name: "PBE", Convention: ledger.FileCID([]byte("{}"))}}}
	var keys []ed25519.PrivateKey
	for i := range members {
		s := seed("signing", i)
		keys = append(keys, ed25519.NewKeyFromSeed(s[:]))
		m := ledger.Member{Name: fmt.Sprintf("member %d", i), Peer: fmt.Sprintf("peer%d", i), Heads: []string{"pbe"}}
		copy(m.ID[:], keys[i].Public().(ed25519.PublicKey))
		g.Members = append(g.Members, m)
	}
	if err := g.Validate(); err != nil {
		return nil, nil, err
	}
	rel := &ledger.Release{Genesis: g.Encode(), Config: []byte("{}"), Weights: weights, Conventions: map[string][]byte{"pbe": []byte("{}")}}
	chain := ledger.NewChain(g)
	all := make([]uint64, members)
	for i := range all {
		all[i] = uint64(i)
	}
	out := ledger.FileCID(weights)
	for range rounds {
		r := chain.Next()
		r.StateOut, r.WeightsOut = ledger.NoState(), out
		r.Groups = []ledger.Group{{Name: ledger.TrunkGroup, Session: [32]byte{1}, Survivors: all, Weight: 1}}
		if r.Kind == ledger.Setup {
			r.Elements, r.Groups[0].Weight = []uint64{uint64(members)}, 0
		}
		var signatures []ledger.Signature
		for i, key := range keys {
			signatures = append(signatures, ledger.Sign(key, i, 0, r.CID()))
		}
		f := ledger.Finished{Record: r.Encode(), Certificate: ledger.NewCertificate(r.CID(), 0, signatures).Encode()}
		if _, _, err := chain.Append(f); err != nil {
			return nil, nil, err
		}
		rel.Rounds = append(rel.Rounds, f)
	}
	files, err := rel.Files()
	return files, g, err
}

// Print writes a table.
func (r *VerifyReport) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "verify\t%d parameters, %d rounds certified by %d members each, offline\n", r.Parameters, r.Rounds, r.Members)
	fmt.Fprintf(t, "time\tmedian %.3f s, min %.3f s, max %.3f s\n", r.Median, r.Min, r.Max)
	fmt.Fprintf(t, "machine\t%s, %d cores, %s, %s\n", r.CPU, r.Cores, r.Go, r.System)
	return t.Flush()
}
