package dpa2

import (
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/sharedtest"
	"github.com/fedlam/fedlam/training/weights"
)

// TestFullSizeWater evaluates the official small and medium models at their real sizes on 192 atoms of water, with
// weights that a hash of their names fills.
func TestFullSizeWater(t *testing.T) {
	var ref map[string]json.RawMessage
	if err := json.Unmarshal(goldenFile(t, "full_size_water", "full_size_water.json"), &ref); err != nil {
		t.Fatal(err)
	}
	frame := waterFrame(t)
	for name, cfg := range map[string]*Config{"small": officialInput(false, 3), "medium": officialInput(true, 6)} {
		t.Run(name, func(t *testing.T) {
			var want struct {
				Energy          float64
				AtomEnergy      []float64    `json:"atom_energy_first6"`
				Force           [][3]float64 `json:"force_first6"`
				ForceAbsSum     float64      `json:"force_abs_sum"`
				Virial          []float64
				DescriptorAtom0 []float64 `json:"descriptor_atom0"`
				DescriptorSum   float64   `json:"descriptor_sum"`
			}
			if err := json.Unmarshal(ref[name], &want); err != nil {
				t.Fatal(err)
			}
			e, err := newEvaluator(hashFilled(t, cfg), Float64, Place{}, func(n string) bool { return n == "descriptor" })
			if err != nil {
				t.Fatal(err)
			}
			p, err := e.Evaluate([]dataset.Frame{frame})
			if err != nil {
				t.Fatal(err)
			}
			const tol = 1e-10
			close(t, "energy", []float64{p[0].Energy}, []float64{want.Energy}, tol)
			close(t, "atom energies", p[0].AtomEnergy[:6], want.AtomEnergy, tol)
			var first []float64
			for _, f := range want.Force {
				first = append(first, f[:]...)
			}
			close(t, "forces", p[0].Forces[:18], first, tol)
			close(t, "sum of forces", []float64{sum(p[0].Forces, math.Abs)}, []float64{want.ForceAbsSum}, tol)
			close(t, "virial", p[0].Virial[:], want.Virial, tol)
			d := e.run.output("tap.descriptor", nil)
			close(t, "descriptor", d[:len(want.DescriptorAtom0)], want.DescriptorAtom0, tol)
			close(t, "descriptor sum", []float64{sum(d, func(x float64) float64 { return x })}, []float64{want.DescriptorSum}, tol)
		})
	}
}

func sum(list []float64, f func(float64) float64) float64 {
	total := 0.0
	for _, v := range list {
		total += f(v)
	}
	return total
}

// hashFilled returns a model whose weights follow the rule of the reference file.
func hashFilled(t testing.TB, cfg *Config) *Model {
	t.Helper()
	m, err := New(cfg, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range m.Params.Tensors() {
		h := fnv.New64a()
		h.Write([]byte(x.Name))
		seed := h.Sum64()
		for k := range x.Data {
			z := uint64(k)*0x9E3779B97F4A7C15 + seed
			z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
			z = (z ^ z>>27) * 0x94D049BB133111EB
			z ^= z >> 31
			u := math.Sqrt(3) * (2*float64(z>>11)*0x1p-53 - 1)
			x.Data[k] = filled(x, k, u)
		}
	}
	return m
}

func filled(x *weights.Tensor, k int, u float64) float64 {
	norm := strings.Contains(x.Name, "attn2_lm")
	switch base := x.Name[strings.Index(x.Name, "@variables/")+len("@variables/"):]; {
	case base == "w" && norm:
		return 1 + 0.1*u
	case base == "w":
		return u / math.Sqrt(float64(x.Shape[0]+x.Shape[1]))
	case base == "b" && norm:
		return 0.1 * u
	case base == "b":
		return 0.3 * u
	case base == "idt":
		return 0.1 + 0.01*u
	case strings.Contains(base, "_residual"):
		return 0.05 * u
	case base == "dstd":
		return [4]float64{0.1, 0.06, 0.06, 0.06}[k%4]
	case base == "out_bias":
		return [2]float64{-3, 1.5}[k]
	case base == "out_std":
		return 1
	}
	return 0 // davg, bias_atom_e
}

// waterFrame is frame 0 of DeePMD-kit's water example.
func waterFrame(t testing.TB) dataset.Frame {
	t.Helper()
	dir := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "examples", "water", "data", "data_3")
	coord, box := npyFloat32(t, filepath.Join(dir, "set.000", "coord.npy")), npyFloat32(t, filepath.Join(dir, "set.000", "box.npy"))
	types, err := os.ReadFile(filepath.Join(dir, "type.raw"))
	if err != nil {
		t.Fatal(err)
	}
	f := dataset.Frame{Source: "water", Cell: (*[9]float64)(box)}
	for _, word := range strings.Fields(string(types)) {
		f.Species = append(f.Species, map[string]string{"0": "O", "1": "H"}[word])
	}
	f.Positions = coord[:3*len(f.Species)]
	return f
}

// npyFloat32 reads a little-endian float32 array; the shape is not looked at.
func npyFloat32(t testing.TB, path string) []float64 {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	if !regexp.MustCompile(`'descr': '<f4'`).Match(raw[:header]) {
		t.Fatalf("%s is not float32", path)
	}
	var data []float64
	for at := header; at+4 <= len(raw); at += 4 {
		data = append(data, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[at:]))))
	}
	return data
}
