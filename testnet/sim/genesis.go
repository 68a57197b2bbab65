package sim

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// headKey is the one head, which all members use.
const headKey = "all"

// memberKey is the signing key of a simulated member.
func memberKey(i int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "simulated member %d", i))
	return ed25519.NewKeyFromSeed(seed[:])
}

// rules are those of a federation in a hurry: what takes minutes among institutions takes seconds here.
func (s *Scenario) rules() ledger.Rules {
	r := ledger.DefaultRules()
	r.MinCohort, r.MinGroup = s.Cohort, min(s.Cohort, 3)
	if s.Divided > 0 {
		r.Cohorts, r.Robust = s.Divided, "median"
	}
	r.JoinGrace, r.StepTimeout, r.MaskTimeout, r.Forfeit = 4*time.Second, 2*time.Second, 2*time.Second, 4*time.Second
	return r
}

// genesis founds the federation of a scenario. It returns the file of its first weights, too.
func (s *Scenario) genesis() (*ledger.Genesis, federation.File, error) {
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, model(), weights.F32, nil); err != nil {
		return nil, federation.File{}, fmt.Errorf("write the first weights: %w", err)
	}
	first := federation.File{CID: ledger.FileCID(b.Bytes()), Data: b.Bytes()}
	g := &ledger.Genesis{Name: "simulated", Config: ledger.FileCID([]byte("{}")), Weights: first.CID, Elements: []string{"H", "O"}, Rules: s.rules(),
		Heads: []ledger.Head{{Key: headKey, Convention: ledger.FileCID([]byte(headKey))}}}
	for i := range s.Members {
		m := ledger.Member{Name: fmt.Sprintf("M%d", i), Peer: fmt.Sprintf("peer %d", i), Heads: []string{headKey}}
		copy(m.ID[:], memberKey(i).Public().(ed25519.PublicKey))
		g.Members = append(g.Members, m)
	}
	return g, first, g.Validate()
}
