package secagg

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// TestNarrowFeedbackConverges: over rounds, the decoded means add up to the true ones but for what is still in the
// residuals, however much was saturated on the way.
func TestNarrowFeedbackConverges(t *testing.T) {
	const n, members, rounds = 300, 3, 40
	residuals := make([]*Residual, members)
	want, got, at := make([]float64, n), make([]float64, n), Version{Round: 1}
	saturated := 0
	for r := range rounds {
		c := narrowConfig(200, NarrowGroup{"a", 200, 1e9, 1}, NarrowGroup{"b", 100, 1e9, 0.1})
		c.Session[0] = byte(r + 1)
		q := testNarrow(t, c)
		sum := make([]uint32, q.Lanes())
		for i := range residuals {
			u := normalVector(n, uint64(100*r+i))
			for k := range u[200:] {
				u[200+k] *= 0.1
			}
			if r%10 == 0 {
				for k := range u {
					u[k] *= 10 // far beyond saturation
				}
			}
			out, err := q.Quantize(u, 1, at, residuals[i], testRoot(100*r+i))
			if err != nil {
				t.Fatal(err)
			}
			saturated += out.Saturated
			add16(sum, out.Lanes)
			residuals[i] = out.Residual
			for k := range u {
				want[k] += u[k] / members
			}
		}
		mean, err := q.Dequantize(sum, members)
		if err != nil {
			t.Fatal(err)
		}
		at = Version{Round: at.Round + 1, Chain: [32]byte{byte(r)}}
		for i := range residuals {
			residuals[i].Advance(at.Chain)
		}
		for k, v := range mean.Values {
			got[k] += v
		}
	}
	left := make([]float64, n)
	for _, r := range residuals {
		for k, v := range r.Values {
			left[k] += v / members
		}
	}
	if saturated == 0 {
		t.Error("nothing saturated: this tests too little")
	}
	if d := distance(got, want); d > 0.01 {
		t.Errorf("after %d rounds the sum of means is off by %.4f", rounds, d)
	}
	for k := range got {
		got[k] += left[k]
	}
	if d := distance(got, want); d > 1e-12 {
		t.Errorf("with the residuals it is off by %g, want nothing", d)
	}
}

func TestNarrowResidualOfWeights(t *testing.T) {
	q := testNarrow(t, narrowConfig(4, NarrowGroup{"g", 50, 1e9, 1}))
	u := normalVector(50, 1)
	zero := mustNarrow(t, q, u, 0, 1)
	if !slices.Equal(zero.Residual.Values, u) {
		t.Error("a member of weight zero does not keep its update")
	}
	const w = 0.25
	out := mustNarrow(t, q, u, w, 1)
	mean, err := q.Dequantize(out.Lanes, 1)
	if err != nil {
		t.Fatal(err)
	}
	for k := range u {
		if math.Abs(mean.Values[k]+out.Residual.Values[k]-u[k]) > 1e-4 { // the weight is rounded
			t.Fatalf("value %d: mean %v and residual %v of update %v", k, mean.Values[k], out.Residual.Values[k], u[k])
		}
	}
	at := Version{Round: 3, Chain: fill32(1)}
	if _, err := q.Quantize(u, 1, at, out.Residual, testRoot(2)); !errors.Is(err, ErrResidual) {
		t.Errorf("a residual of another round: %v, want %v", err, ErrResidual)
	}
}
