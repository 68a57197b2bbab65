package ledger

import (
	"errors"
	"testing"
)

func TestQuorum(t *testing.T) {
	for n, want := range map[int]int{2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5, 10: 7, 100: 67, 200: 134} {
		if got := Quorum(n); got != want {
			t.Errorf("Quorum(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestCertificateVerify(t *testing.T) {
	g := testGenesis(4)
	e := g.Epoch()
	r := nextRecord(NewChain(g))
	record := r.CID()
	sign := func(members ...int) *Certificate {
		c := NewCertificate(record, 3, nil)
		for _, i := range members {
			c.Signatures = append(c.Signatures, Sign(testKey(i), i, 3, record))
		}
		return c
	}
	stranger := Sign(testKey(9), 3, 3, record)
	other := Sign(testKey(2), 2, 3, NoState())
	for _, tt := range []struct {
		name string
		cert *Certificate
		ok   bool
	}{
		{"a quorum", sign(0, 1, 3), true},
		{"everyone", sign(0, 1, 2, 3), true},
		{"one too few", sign(0, 1), false},
		{"one member twice", sign(0, 1, 1), false},
		{"not ascending", sign(0, 3, 1), false},
		{"a stranger under a member's index", &Certificate{Record: record, View: 3, Phase: PhaseCommit, Signatures: append(sign(0, 1, 2).Signatures, stranger)}, false},
		{"a signature of another record", &Certificate{Record: record, View: 3, Phase: PhaseCommit, Signatures: append(sign(0, 1).Signatures, other)}, false},
		{"an index outside", &Certificate{Record: record, View: 3, Phase: PhaseCommit, Signatures: append(sign(0, 1, 2).Signatures, Sign(testKey(4), 4, 3, record))}, false},
		{"signatures of two views", &Certificate{Record: record, View: 3, Phase: PhaseCommit, Signatures: append(sign(0, 1).Signatures, Sign(testKey(2), 2, 2, record))}, false},
		{"another view than was signed", &Certificate{Record: record, View: 2, Phase: PhaseCommit, Signatures: sign(0, 1, 2).Signatures}, false},
		{"another phase", &Certificate{Record: record, View: 3, Phase: "prepare", Signatures: sign(0, 1, 2).Signatures}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.cert.Verify(e); (err == nil) != tt.ok {
				t.Errorf("Verify = %v, want ok %v", err, tt.ok)
			}
		})
	}
	if err := sign(0, 1).Verify(e); !errors.Is(err, ErrQuorum) {
		t.Errorf("two signatures: %v, want ErrQuorum", err)
	}
}

func TestChainRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(c *Chain, r *Round)
	}{
		{"a round left out", func(_ *Chain, r *Round) { r.R++ }},
		{"another genesis", func(_ *Chain, r *Round) { r.Genesis = NoState() }},
		{"another past", func(_ *Chain, r *Round) { r.Prev = NoState() }},
		{"other weights in", func(_ *Chain, r *Round) { r.WeightsIn = NoState() }},
		{"another configuration", func(_ *Chain, r *Round) { r.Config = NoState() }},
		{"a second setup", func(_ *Chain, r *Round) { r.Kind, r.Elements = Setup, []uint64{4, 3} }},
		{"a trunk over too few", func(_ *Chain, r *Round) { r.Groups[0].Survivors = []uint64{0, 1} }},
		{"a head over one", func(_ *Chain, r *Round) { r.Groups[1].Survivors = []uint64{2} }},
		{"a head over a member who does not use it", func(_ *Chain, r *Round) {
			r.Groups[1].Name, r.Groups[1].Survivors = HeadGroup("scan"), []uint64{0, 3}
		}},
		{"a head that does not exist", func(_ *Chain, r *Round) { r.Groups[1].Name = HeadGroup("hse") }},
		{"a member who does not exist", func(_ *Chain, r *Round) { r.Groups[0].Survivors = []uint64{0, 1, 4} }},
		{"a void round with new weights", func(c *Chain, r *Round) { out := r.WeightsOut; *r = *c.NextVoid(); r.WeightsOut = out }},
		{"a void round with another state", func(c *Chain, r *Round) { out := NoState(); *r = *c.NextVoid(); r.StateOut = out }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewChain(testGenesis(4))
			if _, _, err := c.Append(certify(nextRecord(c), 0, 1, 2)); err != nil {
				t.Fatal(err)
			}
			good, bad := nextRecord(c), nextRecord(c)
			tt.spoil(c, bad)
			if _, _, err := c.Append(certify(bad, 0, 1, 2)); err == nil {
				t.Fatal("accepted")
			}
			if _, _, err := c.Append(certify(good, 0, 1, 2)); err != nil {
				t.Errorf("the right one afterwards: %v", err)
			}
		})
	}
}
