package federation

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
)

func TestCanaryLimit(t *testing.T) {
	for _, tt := range []struct {
		name          string
		past          []float64
		median, limit float64
	}{
		{"too few", []float64{1, 2, 3}, 2, math.Inf(1)},
		{"all the same: a twentieth counts as sigma", []float64{2, 2, 2, 2}, 2, 2 + 3*0.1},
		{"spread", []float64{1, 2, 3, 4}, 2.5, 2.5 + 3*madToSigma*1},
		{"order and outliers do not matter", []float64{4, 100, 2, 3, 1}, 3, 3 + 3*madToSigma*1},
		{"nothing but zeros", []float64{0, 0, 0, 0}, 0, 0},
	} {
		median, limit := canaryLimit(tt.past)
		if median != tt.median || !(math.Abs(limit-tt.limit) < 1e-12 || limit == tt.limit) {
			t.Errorf("%s: median %g, limit %g; want %g and %g", tt.name, median, limit, tt.median, tt.limit)
		}
	}
}

func TestCanaryFault(t *testing.T) {
	heads := []ledger.Head{{Key: "a", Name: "PBE"}, {Key: "b"}}
	var history []canaryRecord
	for k := range 6 {
		e := CanaryError{Energy: 0.01, Force: 0.1 + 0.001*float64(k)}
		errors := map[string]CanaryError{"a": e}
		if k > 2 { // head b came later
			errors["b"] = e
		}
		history = append(history, canaryRecord{uint64(k), errors})
	}
	for _, tt := range []struct {
		name   string
		errors map[string]CanaryError
		say    string // of the fault; nothing when there is none
	}{
		{"as before", map[string]CanaryError{"a": {0.01, 0.1}, "b": {0.01, 0.1}}, ""},
		{"a little worse", map[string]CanaryError{"a": {0.0114, 0.117}}, ""},
		{"much better", map[string]CanaryError{"a": {0, 0}}, ""},
		{"energies worse", map[string]CanaryError{"a": {0.0116, 0.1}}, "the energy error on the canary set of head a (PBE) is 0.0116 eV/atom; after a median of 0.01 in the last 6 certified rounds at most 0.0115 eV/atom is accepted"},
		{"forces worse", map[string]CanaryError{"a": {0.01, 0.12}}, "force error on the canary set of head a (PBE) is 0.12 eV/Å"},
		{"no history yet", map[string]CanaryError{"b": {1, 1}}, ""},
		{"not a number without history", map[string]CanaryError{"b": {math.NaN(), 1}}, "energy error on the canary set of head b is NaN"},
		{"infinite", map[string]CanaryError{"b": {1, math.Inf(1)}}, "force error on the canary set of head b is +Inf"},
		{"not evaluated", nil, ""},
		{"a head that is not watched", map[string]CanaryError{"c": {math.NaN(), 1}}, ""},
	} {
		got := canaryFault(heads, history, tt.errors)
		if (got == "") != (tt.say == "") || !strings.Contains(got, tt.say) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.say)
		}
	}
}

func TestRemembered(t *testing.T) {
	one := func(e float64) map[string]CanaryError { return map[string]CanaryError{"a": {e, e}} }
	var history []canaryRecord
	for k := range uint64(20) {
		history = remembered(history, k, one(float64(k)))
	}
	if len(history) != canaryRounds || history[0].round != 4 || history[15].errors["a"].Force != 19 {
		t.Errorf("history of %d rounds from %d", len(history), history[0].round)
	}
	for name, errors := range map[string]map[string]CanaryError{"nothing": nil, "not a number": one(math.NaN()), "infinite": one(math.Inf(1))} {
		if got := remembered(history, 20, errors); !reflect.DeepEqual(got, history) {
			t.Errorf("%s was remembered", name)
		}
	}
	if got := remembered(history, 19, one(1)); !reflect.DeepEqual(got, history) {
		t.Error("a round was remembered twice")
	}
	back, err := decodeCanaries(encodeCanaries(history))
	if err != nil || !reflect.DeepEqual(back, history) {
		t.Errorf("read back %v, %v", back, err)
	}
}

func FuzzCanaries(f *testing.F) {
	f.Add(encodeCanaries(nil))
	f.Add(encodeCanaries([]canaryRecord{{7, map[string]CanaryError{"a": {1, 2}, "bc": {math.Inf(1), 0}}}, {8, map[string]CanaryError{}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := decodeCanaries(b)
		if err == nil && len(records) > canaryRounds {
			t.Errorf("%d records", len(records))
		}
	})
}
