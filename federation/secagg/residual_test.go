package secagg

import (
	"math"
	"testing"
)

func TestErrorFeedbackRemembersWhatWasRounded(t *testing.T) {
	q := testQuantizer(t, 4, 16, 0, Group{"g", 3, 10, 1})
	update := []float64{0.4 / 32767, 1e-9, 1.5} // below a step, far below, saturating
	var residual *Residual
	at := Version{Round: 1}
	total := make([]float64, 3)
	const rounds = 200
	for r := range rounds {
		lanes, next, err := q.Quantize(update, 1, at, residual, [32]byte{byte(r), 5})
		if err != nil {
			t.Fatal(err)
		}
		mean, _, err := q.Dequantize(lanes, 1)
		if err != nil {
			t.Fatal(err)
		}
		for k := range total {
			total[k] += mean[k]
		}
		update[2] = 0
		certificate := [32]byte{byte(r), 1}
		next.Advance(certificate)
		residual, at = next, Version{Round: at.Round + 1, Chain: certificate}
	}
	for k, want := range []float64{rounds * 0.4 / 32767, rounds * 1e-9, 1.5} {
		if math.Abs(total[k]-want) > 1.01/32767 {
			t.Errorf("value %d added up to %v over %d rounds, want %v within one step", k, total[k], rounds, want)
		}
	}
}

func TestResidualOfAnotherRoundIsRefused(t *testing.T) {
	q := testQuantizer(t, 4, 16, 0, Group{"g", 1, 10, 1})
	_, fresh, err := q.Quantize([]float64{1}, 1, Version{Round: 4, Chain: [32]byte{4}}, nil, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	advanced := *fresh
	advanced.Advance([32]byte{5})
	for _, c := range []struct {
		name string
		r    Residual
		at   Version
		ok   bool
	}{
		{"next round of the chain", advanced, Version{5, [32]byte{5}}, true},
		{"not certified", *fresh, Version{4, [32]byte{4}}, false},
		{"one round late", advanced, Version{6, [32]byte{5}}, false},
		{"another chain", advanced, Version{5, [32]byte{6}}, false},
		{"another length", Residual{Version: advanced.Version, Values: make([]float64, 2)}, advanced.Version, false},
		{"not finite", Residual{Version: advanced.Version, Values: []float64{math.Inf(1)}}, advanced.Version, false},
	} {
		before := append([]float64(nil), c.r.Values...)
		if _, _, err := q.Quantize([]float64{0}, 1, c.at, &c.r, [32]byte{2}); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.r.Values[0] != before[0] {
			t.Errorf("%s: the caller's residual was changed", c.name)
		}
	}
}
