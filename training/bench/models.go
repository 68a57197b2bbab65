package bench

import (
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
)

// A Subject is a model to measure.
type Subject struct {
	Name  string
	Model *dpa2.Model
}

// official are the example inputs that DeePMD-kit publishes for water: layers of the repformer, and whether pairs attend.
var official = []struct {
	name      string
	layers    int
	attention bool
}{{"small", 3, false}, {"medium", 6, true}, {"large", 12, true}}

// modelSeed fixes the weights of the built-in models.
const modelSeed = 1

// OpenModel returns a built-in model (small, medium, large; types O and H, fresh weights from a fixed seed) or the given
// head of a model file or folder.
func OpenModel(name, head string) (*Subject, error) {
	var names []string
	for _, o := range official {
		if o.name == name {
			m, err := dpa2.New(officialConfig(o.layers, o.attention), modelSeed)
			if err != nil {
				return nil, fmt.Errorf("model %q: %w", name, err)
			}
			scaleStatistics(m)
			return &Subject{name, m}, nil
		}
		names = append(names, o.name)
	}
	file, err := training.OpenModel(name)
	if err != nil {
		return nil, fmt.Errorf("model: give %s or a model: %w", strings.Join(names, ", "), err)
	}
	m, err := file.Head(head)
	if err != nil {
		return nil, err
	}
	return &Subject{name, m}, nil
}

// officialConfig returns the model section of an official input (SPEC 3.7).
func officialConfig(layers int, attention bool) *dpa2.Config {
	c := dpa2.DefaultConfig()
	c.TypeMap = []string{"O", "H"}
	r, p := &c.Descriptor.Repinit, &c.Descriptor.Repformer
	r.RCut, r.RCutSmooth, r.NSel, r.AxisNeuron = 6, 0.5, dpa2.Sel{Count: 120}, 12
	r.UseThreeBody, r.ThreeSel, r.ThreeRCut, r.ThreeRCutSmoth = true, dpa2.Sel{Count: 48}, 4, 3.5
	p.RCut, p.RCutSmooth, p.NSel, p.NLayers, p.G1Dim, p.G2Dim = 4, 3.5, dpa2.Sel{Count: 48}, layers, 128, 32
	p.G1Attn, p.G2G1G1, p.G2Attn, p.Attn2HasGate = false, false, attention, true
	p.Attn1Hidden, p.Attn2Hidden, p.UpdateStyle, p.Residual = 128, 32, "res_residual", 0.01
	c.Fitting.Neuron = []int{240, 240, 240}
	return c
}

// scaleStatistics sets the standard deviations of the environment to what water has, about, so that the numbers in the
// network have the size that they have in training.
func scaleStatistics(m *dpa2.Model) {
	deviation := [4]float64{0.1, 0.06, 0.06, 0.06}
	for _, t := range m.Params.Tensors() {
		if strings.HasSuffix(t.Name, "/dstd") {
			for k := range t.Data {
				t.Data[k] = deviation[k%4]
			}
		}
	}
}
