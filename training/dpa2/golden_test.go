package dpa2

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/sharedtest"
	"github.com/fedlam/fedlam/training/weights"
)

// goldenArray is an array of the reference files.
type goldenArray struct {
	Shape []int     `json:"shape"`
	Data  []float64 `json:"data"`
}

// golden is an io.json of golden/dpa2: numbers computed with DeePMD-kit 3.1.3.
type golden struct {
	Coord, Atype, Box *goldenArray
	FParam, AParam    *goldenArray
	Outputs           map[string]goldenArray
	Intermediates     map[string]goldenArray
}

// frames returns the frames of the case, in the words of the model.
func (g *golden) frames(typeMap []string) []dataset.Frame {
	nf, n := g.Coord.Shape[0], g.Coord.Shape[1]
	frames := make([]dataset.Frame, nf)
	for f := range frames {
		frames[f] = dataset.Frame{Positions: g.Coord.Data[3*n*f : 3*n*(f+1)], Source: "golden", Index: f}
		for _, t := range g.Atype.Data[n*f : n*(f+1)] {
			name := ""
			if t >= 0 {
				name = typeMap[int(t)]
			}
			frames[f].Species = append(frames[f].Species, name)
		}
		if g.Box != nil {
			frames[f].Cell = (*[9]float64)(g.Box.Data[9*f : 9*f+9])
		}
		if g.FParam != nil {
			w := len(g.FParam.Data) / nf
			frames[f].FParam = g.FParam.Data[w*f : w*(f+1)]
		}
		if g.AParam != nil {
			w := len(g.AParam.Data) / nf
			frames[f].AParam = g.AParam.Data[w*f : w*(f+1)]
		}
	}
	return frames
}

// goldenFile returns the text of a reference file: from testdata where the license allows to carry it (s*, t* and
// tables), else from the shared folder.
func goldenFile(t testing.TB, name, elsewhere string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", name+".json.gz"))
	if err != nil {
		data, err := os.ReadFile(sharedtest.Dir(t, "golden", "dpa2", elsewhere))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readGolden(t testing.TB, name, folder string) (*Model, *golden) {
	t.Helper()
	m := readModel(t, goldenFile(t, name+".model", filepath.Join(folder, "model.json")))
	g := &golden{}
	if err := json.Unmarshal(goldenFile(t, name+".io", filepath.Join(folder, "io.json")), g); err != nil {
		t.Fatal(err)
	}
	return m, g
}

func readModel(t testing.TB, data []byte) *Model {
	t.Helper()
	tree, err := weights.ReadYAML(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	m, err := FromTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var goldenCases = []struct {
	name, folder string
	precision    Precision
	tol          float64
}{
	{"s1", "s1_medium_like_small_triclinic_cell", Float64, 1e-10},
	{"s2", "s2_compressible_like_strip_two_frames", Float64, 1e-10},
	{"s3", "s3_nopbc_all_branches_res_incr", Float64, 1e-10},
	{"s4", "s4_nonsmooth_davg_virtual_atoms", Float64, 1e-10},
	{"s5", "s5_float32", Float32, 1e-5},
	{"s6", "s6_fparam_aparam_case_embd_silut", Float64, 1e-10},
	{"s8", "s8_pair_and_atom_exclude", Float64, 1e-10},
	{"u1", "u1_deeppot_dpa_yaml", Float64, 1e-10},
	{"u2", "u2_deeppot_dpa_pth", Float64, 1e-10},
}

// TestGoldenOutputs compares energies, forces and virials with DeePMD-kit's.
func TestGoldenOutputs(t *testing.T) {
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) { goldenOutputs(t, c.name, c.folder, c.precision, Place{Threads: 2}, c.tol) })
	}
}

func goldenOutputs(t *testing.T, name, folder string, precision Precision, at Place, tol float64) {
	m, g := readGolden(t, name, folder)
	e, err := NewEvaluatorAt(m, precision, at)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Evaluate(g.frames(m.Config.TypeMap))
	if err != nil {
		t.Fatal(err)
	}
	var energy, atom, force, virial []float64
	for _, p := range got {
		energy = append(energy, p.Energy)
		atom = append(atom, p.AtomEnergy...)
		force = append(force, p.Forces...)
		virial = append(virial, p.Virial[:]...)
	}
	close(t, "energy", energy, g.Outputs["energy"].Data, tol)
	close(t, "atom energy", atom, g.Outputs["atom_energy"].Data, tol)
	close(t, "force", force, g.Outputs["force"].Data, tol)
	close(t, "virial", virial, g.Outputs["virial"].Data, tol)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestGoldenIntermediates compares every stored intermediate, so that a fault shows where it begins. Neighbour slots
// are matched by geometry, not by their order.
func TestGoldenIntermediates(t *testing.T) {
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			m, g := readGolden(t, c.name, c.folder)
			e, err := newEvaluator(m, c.precision, Place{Threads: 2}, func(string) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewBatch(m.Config, g.frames(m.Config.TypeMap))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.EvaluateBatch(b); err != nil {
				t.Fatal(err)
			}
			slots := map[string]*slotMap{}
			for _, block := range []string{"repinit", "repinit_three_body", "repformers"} {
				if list, ok := g.Intermediates[block+".nlist"]; ok {
					slots[block] = matchSlots(t, m.Config, b, g, block, list)
				}
			}
			seen := 0
			for _, name := range e.taps {
				want, ok := g.Intermediates[strings.TrimSuffix(name, ".angular")]
				if name == "repinit_three_body.angular" {
					want, ok = g.Intermediates["repinit_three_body.env_mat_normalized"]
				}
				if !ok {
					t.Errorf("no reference for %q", name)
					continue
				}
				seen++
				compareTap(t, name, b, slots, e.run.output("tap."+name, nil), want, c.tol)
			}
			if stored := len(g.Intermediates) - 4 - len(slots); seen != stored {
				t.Errorf("compared %d intermediates of %d stored", seen, stored)
			}
		})
	}
}

// close compares arrays; the tolerance is relative to the largest number wanted.
func close(t *testing.T, name string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d numbers, want %d", name, len(got), len(want))
		return
	}
	scale, worst, at := 0.0, 0.0, 0
	for k := range want {
		scale = math.Max(scale, math.Abs(want[k]))
		if d := math.Abs(got[k] - want[k]); !(d <= worst) {
			worst, at = d, k
		}
	}
	if !(worst <= tol*scale) {
		t.Errorf("%s: entry %d: got %.15g, want %.15g, differs by %.2g of the largest %.3g", name, at, got[at], want[at], worst/scale, scale)
	}
}
