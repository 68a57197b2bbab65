package training

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden decodes a table computed with DeePMD-kit v3.1.3.
func golden(t *testing.T, name string, into any) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestReferenceGolden(t *testing.T) {
	var cases []struct {
		Name   string
		NAtoms [][]float64
		Energy []float64
		Bias   []float64
		Std    []float64
	}
	golden(t, "stat_energy_bias.json.gz", &cases)
	if len(cases) != 4 {
		t.Fatalf("%d golden cases, want 4", len(cases))
	}
	for _, c := range cases {
		var preset []*float64
		if strings.HasPrefix(c.Name, "preset") {
			value := 1.25
			preset = []*float64{nil, &value, nil}
		}
		direct, err := FitReference(c.NAtoms, c.Energy, preset)
		if err != nil {
			t.Fatal(err)
		}
		sums := NewNormalEquations(len(c.NAtoms[0]))
		for f, row := range c.NAtoms {
			sums.Add(row, c.Energy[f])
		}
		again, err := UnpackNormalEquations(sums.Types, sums.Pack())
		if err != nil {
			t.Fatal(err)
		}
		summed, err := again.Solve(preset)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Bias {
			if got := direct.PerType[i]; math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
				t.Errorf("%s: type %d: %.12g eV, want %.12g", c.Name, i, got, want)
			}
			if got := summed.PerType[i]; math.Abs(got-want) > 1e-7*(1+math.Abs(want)) {
				t.Errorf("%s: type %d from normal equations: %.12g eV, want %.12g", c.Name, i, got, want)
			}
		}
		if math.Abs(direct.Std-c.Std[0]) > 1e-9 {
			t.Errorf("%s: std %.12g eV, want %.12g", c.Name, direct.Std, c.Std[0])
		}
		if direct.Rank != summed.Rank || direct.Present != summed.Present {
			t.Errorf("%s: rank %d of %d types directly, %d of %d from normal equations", c.Name, direct.Rank, direct.Present, summed.Rank, summed.Present)
		}
	}
}

func TestReferenceRankIsReported(t *testing.T) {
	ref, err := FitReference([][]float64{{1, 2, 0}, {2, 4, 0}}, []float64{-3, -6}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ref.Rank != 1 || ref.Present != 2 || ref.PerType[2] != 0 {
		t.Errorf("water only: rank %d, %d types present, absent type has %g eV; want 1, 2, 0", ref.Rank, ref.Present, ref.PerType[2])
	}
	if _, err := FitReference(nil, nil, nil); err == nil {
		t.Error("a fit without frames succeeded")
	}
	if _, err := NewNormalEquations(2).Solve(nil); err == nil {
		t.Error("solving without frames succeeded")
	}
	if _, err := UnpackNormalEquations(2, make([]float64, 7)); err == nil {
		t.Error("a vector of the wrong length was accepted")
	}
}

// TestNormalEquationsAddUp splits frames among members, none of whom could fit alone.
func TestNormalEquationsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	truth := []float64{-13.6, -1029.5, -2041.9}
	total := make([]float64, 3*3+3+2)
	for member := range 3 {
		sums := NewNormalEquations(3)
		composition := []float64{float64(4 + 2*member), float64(1 + member), float64(member * member)}
		for range 5 {
			e := 0.001 * random.NormFloat64()
			for i, n := range composition {
				e += n * truth[i]
			}
			sums.Add(composition, e)
		}
		if ref, err := sums.Solve(nil); err != nil || ref.Rank != 1 {
			t.Fatalf("member %d alone: rank %d, error %v; want rank 1", member, ref.Rank, err)
		}
		for k, v := range sums.Pack() {
			total[k] += v
		}
	}
	sums, err := UnpackNormalEquations(3, total)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := sums.Solve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range truth {
		if math.Abs(ref.PerType[i]-want) > 0.02 {
			t.Errorf("type %d: %.4f eV, want %.4f", i, ref.PerType[i], want)
		}
	}
	if ref.Rank != 3 {
		t.Errorf("rank %d, want 3", ref.Rank)
	}
}
