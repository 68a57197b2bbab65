package dpa2

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/weights"
)

// goldenBatch is a batch with labels of the reference files.
type goldenBatch struct {
	Coord, Atype, Box, Energy, Force, Virial goldenArray
}

func (g *goldenBatch) frames(typeMap []string) []dataset.Frame {
	io := golden{Coord: &g.Coord, Atype: &g.Atype, Box: &g.Box}
	frames := io.frames(typeMap)
	n := g.Coord.Shape[1]
	for f := range frames {
		frames[f].Energy = &g.Energy.Data[f]
		frames[f].Forces = g.Force.Data[3*n*f : 3*n*(f+1)]
		frames[f].Virial = (*[9]float64)(g.Virial.Data[9*f : 9*f+9])
	}
	return frames
}

// runStep computes loss and gradients of frames in float64.
func runStep(t *testing.T, m *Model, loss LossConfig, p Prefactors, frames []dataset.Frame) (Metrics, *weights.Set) {
	t.Helper()
	return runStepAt(t, Place{Threads: 2}, Float64, m, loss, p, frames)
}

func runStepAt(t *testing.T, at Place, precision Precision, m *Model, loss LossConfig, p Prefactors, frames []dataset.Frame) (Metrics, *weights.Set) {
	t.Helper()
	step, err := NewTrainingStepAt(m.Config, loss, precision, at)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBatch(m.Config, frames)
	if err != nil {
		t.Fatal(err)
	}
	grad := &weights.Set{}
	got, err := step.Run(m, b, p, grad)
	if err != nil {
		t.Fatal(err)
	}
	if err := step.Close(); err != nil {
		t.Error(err)
	}
	return got, grad
}

// TestGoldenGradient compares every entry of the gradient of DeePMD-kit's first training step.
func TestGoldenGradient(t *testing.T) { goldenGradient(t, Place{Threads: 2}) }

func goldenGradient(t *testing.T, at Place) {
	m := readModel(t, goldenFile(t, "t1.model_initial", "t1_train_adam/model_initial.json"))
	var train struct {
		Loss    json.RawMessage
		Batches []goldenBatch
		Steps   []struct {
			Loss     float64
			GradNorm float64 `json:"grad_norm_before_clip"`
			RMSE     float64 `json:"rmse_e"`
			RMSF     float64 `json:"rmse_f"`
			RMSV     float64 `json:"rmse_v"`
		}
	}
	if err := json.Unmarshal(goldenFile(t, "t1.train", "t1_train_adam/train.json"), &train); err != nil {
		t.Fatal(err)
	}
	loss, err := ParseLoss(train.Loss)
	if err != nil {
		t.Fatal(err)
	}
	got, grad := runStepAt(t, at, Float64, m, loss, loss.At(1e-3, 1e-3), train.Batches[0].frames(m.Config.TypeMap))
	first := train.Steps[0]
	close(t, "loss", []float64{got.Loss}, []float64{first.Loss}, 1e-9)
	close(t, "errors", []float64{got.Energy.RMS(), got.Force.RMS(), got.Virial.RMS()}, []float64{first.RMSE, first.RMSF, first.RMSV}, 1e-9)

	tree := readTree(t, []byte(`{"model":`+string(goldenFile(t, "t1.gradient_step0", "t1_train_adam/gradient_step0.json"))+`}`))
	want, err := tree.Get("model").Weights()
	if err != nil {
		t.Fatal(err)
	}
	norm := 0.0
	for _, x := range grad.Tensors() {
		w, ok := want.Get(x.Name)
		if !ok {
			t.Errorf("no reference gradient for %q", x.Name)
			continue
		}
		close(t, x.Name, x.Data, w.Data, 1e-9)
		for _, v := range x.Data {
			norm += v * v
		}
	}
	close(t, "norm of the gradient", []float64{math.Sqrt(norm)}, []float64{first.GradNorm}, 1e-9)
	for _, name := range want.Names() {
		if _, ok := grad.Get(name); !ok && strings.Contains(name, "@variables/") && !isBuffer(name) {
			t.Errorf("no gradient for %q", name)
		}
	}
}

func TestGoldenLossVariants(t *testing.T) {
	m := readModel(t, goldenFile(t, "t1.model_initial", "t1_train_adam/model_initial.json"))
	var ref struct {
		Data     goldenBatch
		Variants []struct {
			Name     string
			Params   map[string]any
			StartLR  float64 `json:"start_lr"`
			LR, Loss float64
			More     map[string]float64
		}
	}
	if err := json.Unmarshal(goldenFile(t, "loss_variants", "loss_variants.json"), &ref); err != nil {
		t.Fatal(err)
	}
	for _, v := range ref.Variants {
		t.Run(v.Name, func(t *testing.T) {
			params, err := json.Marshal(v.Params)
			if err != nil {
				t.Fatal(err)
			}
			loss, err := ParseLoss(params)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := runStep(t, m, loss, loss.At(v.LR, v.StartLR), ref.Data.frames(m.Config.TypeMap))
			close(t, "loss", []float64{got.Loss}, []float64{v.Loss}, 1e-9)
			if want, ok := v.More["rmse_e"]; ok {
				close(t, "rmse_e", []float64{got.Energy.RMS()}, []float64{want}, 1e-9)
			}
			if want, ok := v.More["mae_f"]; ok {
				close(t, "mae_f", []float64{got.Force.MAE()}, []float64{want}, 1e-9)
			}
		})
	}
}

func TestLossErrors(t *testing.T) {
	for _, c := range []struct{ name, section, want string }{
		{"misspelled", `{"start_pref_E": 1}`, `did you mean "start_pref_e"?`},
		{"nothing left", `{"start_pref_e": 0, "start_pref_f": 0}`, "every term is switched off"},
		{"no such label", `{"start_pref_ae": 1, "limit_pref_ae": 1}`, "frames have no such label"},
		{"two shapes", `{"use_huber": true, "use_l1_all": true}`, "exclude each other"},
	} {
		if _, err := ParseLoss([]byte(c.section)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.want)
		}
	}
}
