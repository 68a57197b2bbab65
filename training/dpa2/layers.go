package dpa2

import (
	"fmt"
	"math"
)

// Paths of the blocks in the DeePMD tree.
const (
	tebdPath      = "descriptor/type_embedding/embedding"
	shapeKey      = "g1_shape_tranform" //nolint:misspell // DeePMD-kit's spelling is part of the format
	shapePath     = "descriptor/" + shapeKey
	repinitPath   = "descriptor/repinit_variable"
	threePath     = "descriptor/repinit_three_body_variable"
	repformerPath = "descriptor/repformers_variable"
	fittingPath   = "fitting/nets/networks/0"
)

// linear describes one layer y = act(xW + b) ⊙ idt (+ x): SPEC 2.1.
type linear struct {
	path    string
	in, out int
	bias    bool
	act     string
	step    bool // "use_timestep" was asked for
	resnet  bool // a skip is added where widths allow
	glorot  bool // starts from Glorot's uniform distribution
}

// hasStep says whether idt exists: asked for, and the widths allow a skip.
func (l linear) hasStep() bool { return l.step && (l.out == l.in || l.out == 2*l.in) }

// hasSkip says whether the input is added to the output (twice side by side when out = 2·in).
func (l linear) hasSkip() bool { return l.resnet && (l.out == l.in || l.out == 2*l.in) }

// embeddingNet lists the layers in -> neuron[0] -> neuron[1] ...
func embeddingNet(path string, in int, neuron []int, act string, dt bool) []linear {
	var net []linear
	for i, out := range neuron {
		net = append(net, linear{path: fmt.Sprintf("%s/layers/%d", path, i), in: in, out: out, bias: true, act: act, step: dt, resnet: true})
		in = out
	}
	return net
}

func (c *Config) tebdLayer() linear {
	d := &c.Descriptor
	return linear{path: tebdPath + "/layers/0", in: c.NumTypes(), out: d.Repinit.TebdDim, bias: d.UseTebdBias, act: "linear", resnet: true}
}

// repinitWidth is the length of an atom's repinit output, three-body part included.
func (c *Config) repinitWidth() int {
	r := &c.Descriptor.Repinit
	width := last(r.Neuron) * r.AxisNeuron
	if r.UseThreeBody {
		width += last(r.ThreeNeuron)
	}
	return width
}

func (c *Config) shapeIsIdentity() bool { return c.repinitWidth() == c.Descriptor.Repformer.G1Dim }

func (c *Config) shapeLayer() linear {
	return linear{path: shapePath, in: c.repinitWidth(), out: c.Descriptor.Repformer.G1Dim, glorot: true}
}

func (c *Config) tebdTransform() linear {
	return linear{path: "descriptor/tebd_transform", in: c.Descriptor.Repinit.TebdDim, out: c.Descriptor.Repformer.G1Dim, glorot: true}
}

// repinitNet is the embedding net of repinit; its input is the distance feature and, in concat mode, type embeddings.
func (c *Config) repinitNet() []linear {
	r := &c.Descriptor.Repinit
	in := 1
	if !r.strip() {
		in += r.TebdDim * r.tebdParts()
	}
	return embeddingNet(repinitPath+"/embeddings/networks/0", in, r.Neuron, r.Activation, r.ResnetDt)
}

// repinitStripNet is empty in concat mode.
func (c *Config) repinitStripNet() []linear {
	r := &c.Descriptor.Repinit
	if !r.strip() {
		return nil
	}
	return embeddingNet(repinitPath+"/embeddings_strip/networks/0", r.TebdDim*r.tebdParts(), r.Neuron, r.Activation, r.ResnetDt)
}

func (c *Config) threeNet() []linear {
	r := &c.Descriptor.Repinit
	in := 1
	if !r.strip() {
		in += 2 * r.TebdDim
	}
	return embeddingNet(threePath+"/embeddings/networks/0", in, r.ThreeNeuron, r.Activation, r.ResnetDt)
}

func (c *Config) threeStripNet() []linear {
	r := &c.Descriptor.Repinit
	if !r.strip() {
		return nil
	}
	return embeddingNet(threePath+"/embeddings_strip/networks/0", 2*r.TebdDim, r.ThreeNeuron, r.Activation, r.ResnetDt)
}

func (c *Config) g2Embed() linear {
	return linear{path: repformerPath + "/g2_embd", in: 1, out: c.Descriptor.Repformer.G2Dim, bias: true, act: "linear"}
}

func (r *Repinit) strip() bool { return r.TebdInputMode == "strip" }

// tebdParts is how many type embeddings enter repinit's net: the neighbour's, and the centre's unless one-sided.
func (r *Repinit) tebdParts() int {
	if r.TypeOneSide {
		return 1
	}
	return 2
}

// descriptorWidth is the length of D.
func (c *Config) descriptorWidth() int {
	if c.Descriptor.ConcatTebd {
		return c.Descriptor.Repformer.G1Dim + c.Descriptor.Repinit.TebdDim
	}
	return c.Descriptor.Repformer.G1Dim
}

func (c *Config) fittingInput() int {
	f := &c.Fitting
	return c.descriptorWidth() + f.NumbFParam + f.NumbAParam + f.DimCaseEmbd
}

// fittingNet lists the hidden layers and the output layer.
func (c *Config) fittingNet() []linear {
	f := &c.Fitting
	net := embeddingNet(fittingPath, c.fittingInput(), f.Neuron, f.Activation, f.ResnetDt)
	out := linear{path: fmt.Sprintf("%s/layers/%d", fittingPath, len(f.Neuron)), in: last(f.Neuron), out: 1, bias: true, act: "linear"}
	return append(net, out)
}

func last[E any](list []E) E { return list[len(list)-1] }

func sqrt(x float64) float64 { return math.Sqrt(x) }
