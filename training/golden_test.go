package training

import (
	"math"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// goldenArray is an array in the golden files.
type goldenArray struct {
	Shape []int
	Data  []float64
}

// goldenRun is train.json: six steps of DeePMD-kit with everything that can be compared.
type goldenRun struct {
	Loss    dpa2.LossConfig
	Rate    optim.Schedule `json:"learning_rate"`
	Batches []struct{ Coord, Atype, Box, Energy, Force, Virial goldenArray }
	Steps   []goldenStep
	StepsL2 []goldenStep `json:"steps_adam_l2"`
}

type goldenStep struct {
	LR, Loss float64
	Norm     *float64 `json:"grad_norm_before_clip"`
	E        float64  `json:"rmse_e"`
	F        float64  `json:"rmse_f"`
	V        float64  `json:"rmse_v"`
}

// frames turns the batches into one list; batch b holds frames 2b and 2b+1.
func (g *goldenRun) frames() []dataset.Frame {
	var out []dataset.Frame
	for _, b := range g.Batches {
		n := b.Coord.Shape[1]
		for f := range b.Coord.Shape[0] {
			energy, cell, virial := b.Energy.Data[f], [9]float64(b.Box.Data[9*f:]), [9]float64(b.Virial.Data[9*f:])
			frame := dataset.Frame{
				Positions: b.Coord.Data[3*n*f : 3*n*(f+1)], Forces: b.Force.Data[3*n*f : 3*n*(f+1)],
				Cell: &cell, Energy: &energy, Virial: &virial, Index: len(out),
			}
			for _, t := range b.Atype.Data[n*f : n*(f+1)] {
				frame.Species = append(frame.Species, []string{"O", "H"}[int(t)])
			}
			out = append(out, frame)
		}
	}
	return out
}

// TestGoldenTraining repeats whole runs of DeePMD-kit v3.1.3: same model, batches, schedule, optimiser.
func TestGoldenTraining(t *testing.T) { goldenTraining(t, dpa2.Place{}) }

// TestGoldenTrainingOnDevice repeats them with weights that stay on a GPU.
func TestGoldenTrainingOnDevice(t *testing.T) {
	goldenTraining(t, dpa2.Place{Device: cudatest.Open(t)})
}

func goldenTraining(t *testing.T, at dpa2.Place) {
	var run1, run2 goldenRun
	golden(t, "t1.train.json.gz", &run1)
	golden(t, "t2.train.json.gz", &run2)
	decay := 1e-2
	for _, c := range []struct {
		name      string
		optimizer optim.Config
		steps     []goldenStep
		final     string
	}{
		{"Adam with clipping", optim.Config{MaxNorm: 5}, run1.Steps, "t1.model_final.json.gz"},
		{"AdamW", optim.Config{Type: "AdamW", WeightDecay: &decay}, run2.Steps, "t2.model_final.json.gz"},
		{"Adam with L2", optim.Config{WeightDecay: &decay}, run2.StepsL2, "t2.model_final_adam_l2.json.gz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			initial, final := goldenTree(t, "t1.model_initial.json.gz"), goldenTree(t, c.final)
			loss := run1.Loss
			loss.Type = "ener"
			tr, err := New(Config{Model: initial.Config, Loss: loss, Schedule: run1.Rate, Optimizer: c.optimizer, Steps: run1.Rate.NumSteps, Threads: 1, Place: at},
				[]Head{{Train: run1.frames(), BatchSize: "2"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.SetWeights(initial.Params); err != nil {
				t.Fatal(err)
			}
			drawn := 0
			tr.draw = func() (int, []int) { b := drawn % 2; drawn++; return 0, []int{2 * b, 2*b + 1} }
			for k, p := range run(t, tr, len(c.steps)) {
				want := c.steps[k]
				check := func(name string, got, want float64) {
					if math.Abs(got-want) > 1e-9*math.Abs(want) {
						t.Errorf("step %d: %s is %.15g, want %.15g", k, name, got, want)
					}
				}
				check("learning rate", p.LR, want.LR)
				check("loss", p.Errors.Total*p.Errors.Total, want.Loss)
				check("rmse_e", p.Errors.Energy, want.E)
				check("rmse_f", p.Errors.Force, want.F)
				check("rmse_v", p.Errors.Virial, want.V)
				if want.Norm != nil {
					check("gradient norm", p.Norm, *want.Norm)
				}
			}
			if err := tr.params.SameShapes(final.Params); err != nil {
				t.Fatal(err)
			}
			for _, want := range final.Params.Tensors() {
				got, _ := tr.params.Get(want.Name)
				for k, w := range want.Data {
					if math.Abs(got.Data[k]-w) > 1e-9*(1+math.Abs(w)) {
						t.Fatalf("%s: entry %d is %.15g, want %.15g", want.Name, k, got.Data[k], w)
					}
				}
			}
		})
	}
}
