package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/dataset/sharedtest"
)

type goldenArray struct {
	Shape []int
	Data  []float64
}

// goldenIO holds inputs and outputs of a model that DeePMD-kit evaluated.
type goldenIO struct {
	Coord, Atype, Box *goldenArray
	Outputs           struct {
		Energy     goldenArray
		AtomEnergy goldenArray `json:"atom_energy"`
		Force      goldenArray
		Virial     goldenArray
	}
}

// TestEvalGolden types what a user would: a foreign YAML model, frames in extended XYZ, JSON out.
func TestEvalGolden(t *testing.T) {
	for _, name := range []string{"u1_deeppot_dpa_yaml", "s1_medium_like_small_triclinic_cell"} {
		t.Run(name, func(t *testing.T) {
			dir := sharedtest.Dir(t, "golden", "dpa2", name)
			var want goldenIO
			text, err := os.ReadFile(filepath.Join(dir, "io.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			temp := t.TempDir()
			frames := goldenFrames(&want)
			if err := extxyz.WriteFile(filepath.Join(temp, "frames.xyz"), nil, frames); err != nil {
				t.Fatal(err)
			}
			cmd := evalCmd{JSON: filepath.Join(temp, "out.json")}
			cmd.Model, cmd.Frames, cmd.Precision = filepath.Join(dir, "model.yaml"), filepath.Join(temp, "frames.xyz"), "float64"
			if err := cmd.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			var got evalOutput
			if text, err = os.ReadFile(cmd.JSON); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if got.Version != 1 || len(got.Frames) != len(frames) {
				t.Fatalf("version %d with %d frames, want 1 with %d", got.Version, len(got.Frames), len(frames))
			}
			n := frames[0].NumAtoms()
			for f, p := range got.Frames {
				near(t, "energy", []float64{p.Energy}, want.Outputs.Energy.Data[f:f+1])
				near(t, "atom_energy", p.AtomEnergy, want.Outputs.AtomEnergy.Data[n*f:n*(f+1)])
				near(t, "virial", p.Virial[:], want.Outputs.Virial.Data[9*f:9*(f+1)])
				for i, v := range p.Forces {
					near(t, "forces", v[:], want.Outputs.Force.Data[3*(n*f+i):3*(n*f+i)+3])
				}
			}
		})
	}
}

func goldenFrames(g *goldenIO) []dataset.Frame {
	typeMap := []string{"O", "H", "C"}
	n := g.Coord.Shape[1]
	var out []dataset.Frame
	for f := range g.Coord.Shape[0] {
		frame := dataset.Frame{Positions: g.Coord.Data[3*n*f : 3*n*(f+1)], Index: f}
		for _, typ := range g.Atype.Data[n*f : n*(f+1)] {
			frame.Species = append(frame.Species, typeMap[int(typ)])
		}
		if g.Box != nil {
			cell := [9]float64(g.Box.Data[9*f:])
			frame.Cell = &cell
		}
		out = append(out, frame)
	}
	return out
}

// near demands 1e-10 relative to the largest number of the array.
func near(t *testing.T, name string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
	}
	scale := 1.0
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	for k := range got {
		if math.Abs(got[k]-want[k]) > 1e-10*scale {
			t.Errorf("%s: entry %d is %.15g, want %.15g", name, k, got[k], want[k])
		}
	}
}
