package dpa2

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// TestProgramsAgreeWithOracle compares atomic energies of random architectures, with every option the reference files
// leave out, short lists and virtual atoms.
func TestProgramsAgreeWithOracle(t *testing.T) {
	r := newRandom(t)
	for range 12 {
		cfg := randomConfig(r)
		in, out := &cfg.Descriptor.Repinit, &cfg.Descriptor.Repformer
		in.NSel.Count, in.ThreeSel.Count, out.NSel.Count = 16+r.IntN(30), 4+r.IntN(4), 7+r.IntN(8)
		in.Activation, out.Activation = pickOne(r, in.Activation, "relu", "relu6"), pickOne(r, out.Activation, "relu", "relu6")
		if flip(r) {
			cfg.PairSkip = [][2]int{{1, 1}}
		}
		m := randomModel(t, r, cfg)
		e, err := newEvaluator(m, Float64, Place{Threads: 1}, func(name string) bool { return name == "fitting_output_before_out_bias" })
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []dataset.Frame{randomFrame(r, cfg, 5, true), randomFrame(r, cfg, 8, false)} {
			f.Species[2] = ""
			if _, err := e.Evaluate([]dataset.Frame{f}); err != nil {
				t.Fatal(err)
			}
			got, want := e.run.output("tap.fitting_output_before_out_bias", nil), atomEnergies(m, f)
			got[2], want[2] = 0, 0
			near(t, "atom energies", got, want, 1e-9)
		}
		if t.Failed() {
			t.Fatalf("configuration: %+v", *cfg)
		}
	}
}

// oracle computes atomic energies the plain way: one atom after the other, over padded neighbour slots, empty ones
// included, as SPEC writes it down. It shares nothing with the programs but weights and the names of layers. It is
// meant to be read next to SPEC, not to be fast.
type oracle struct {
	m     *Model
	cfg   *Config
	types []int
	first int // type that empty slots seem to have
	slots [][]slot
}

// slot is one of the nsel places for neighbours of an atom.
type slot struct {
	used, zero bool // zero: excluded by the descriptor
	j, typ     int
	delta      [3]float64
	r          float64
}

// atomEnergies returns the network energy of each atom before masks.
func atomEnergies(m *Model, f dataset.Frame) []float64 {
	o := &oracle{m: m, cfg: m.Config}
	for _, s := range f.Species {
		o.types = append(o.types, max(0, slices.Index(m.Config.TypeMap, s)))
	}
	o.first = o.types[0]
	o.findSlots(f)
	var g1 []vec
	for i := range o.types {
		g1 = append(g1, o.enter(i))
	}
	g1 = o.repformers(g1)
	energies := make([]float64, len(g1))
	for i, d := range g1 {
		if o.cfg.Descriptor.ConcatTebd {
			d = append(slices.Clone(d), o.tebd(o.types[i])...)
		}
		energies[i] = o.net(o.cfg.fittingNet(), d)[0]
		if o.cfg.Fitting.subtractsVacuum() {
			energies[i] -= o.net(o.cfg.fittingNet(), make(vec, len(d)))[0]
		}
	}
	return energies
}

// findSlots lists each atom's nsel nearest images within the cut-off by trying all of them.
func (o *oracle) findSlots(f dataset.Frame) {
	d := &o.cfg.Descriptor
	in := func(list [][2]int, a, b int) bool {
		return slices.Contains(list, [2]int{a, b}) || slices.Contains(list, [2]int{b, a})
	}
	cell, reach := &[9]float64{}, 0
	if f.Cell != nil {
		cell, reach = f.Cell, 4
	}
	for i := range o.types {
		list := []slot{}
		for j := range o.types {
			for a := -reach; a <= reach; a++ {
				for b := -reach; b <= reach; b++ {
					for c := -reach; c <= reach; c++ {
						s := slot{used: true, j: j, typ: o.types[j]}
						for k := range 3 {
							s.delta[k] = f.Positions[3*j+k] - f.Positions[3*i+k] + float64(a)*cell[k] + float64(b)*cell[3+k] + float64(c)*cell[6+k]
						}
						s.r = math.Sqrt(s.delta[0]*s.delta[0] + s.delta[1]*s.delta[1] + s.delta[2]*s.delta[2])
						self := i == j && s.r < 1e-9
						if !self && s.r <= d.Repinit.RCut && f.Species[i] != "" && f.Species[j] != "" {
							list = append(list, s)
						}
					}
				}
			}
		}
		slices.SortFunc(list, func(a, b slot) int { return cmp.Compare(a.r, b.r) })
		padded := make([]slot, d.Repinit.NSel.Count)
		copy(padded, list)
		for k := range padded {
			s := &padded[k]
			s.zero = s.used && in(d.ExcludeTypes, o.types[i], s.typ)
			if !s.used || in(o.cfg.PairSkip, o.types[i], s.typ) {
				*s = slot{typ: o.first}
			}
		}
		o.slots = append(o.slots, padded)
	}
}

// block returns the slots of a block: the first nsel, empty where r is beyond its cut-off.
func (o *oracle) block(i int, rcut float64, nsel int) []slot {
	list := slices.Clone(o.slots[i][:nsel])
	for k := range list {
		if list[k].r > rcut {
			list[k] = slot{typ: o.first}
		}
	}
	return list
}

// environment returns R (4 numbers) and sw of each slot.
func (o *oracle) environment(i int, path string, list []slot, rcut, smooth float64) (r [][4]float64, sw vec) {
	r, sw = make([][4]float64, len(list)), make(vec, len(list))
	davg, dstd := o.m.tensor(path+"/@variables/davg"), o.m.tensor(path+"/@variables/dstd")
	for k, s := range list {
		if s.used {
			u := min(max((s.r-smooth)/(rcut-smooth), 0), 1)
			sw[k] = 1 + u*u*u*(-6*u*u+15*u-10)
			q := s.r + o.cfg.Descriptor.EnvProtection
			r[k] = [4]float64{sw[k] / q, sw[k] * s.delta[0] / q / q, sw[k] * s.delta[1] / q / q, sw[k] * s.delta[2] / q / q}
		}
		for c := range 4 {
			at := (o.types[i]*len(list)+k)*4 + c
			r[k][c] = (r[k][c] - davg[at]) / dstd[at]
		}
	}
	return r, sw
}

// enter returns the row of g1 before the repformers.
func (o *oracle) enter(i int) vec {
	d := &o.cfg.Descriptor
	g1 := o.repinit(i)
	if d.Repinit.UseThreeBody {
		g1 = append(g1, o.threeBody(i)...)
	}
	if !o.cfg.shapeIsIdentity() {
		g1 = o.layer(o.cfg.shapeLayer(), g1)
	}
	if d.AddTebd {
		add(g1, o.layer(o.cfg.tebdTransform(), o.tebd(o.types[i])), 1)
	}
	return g1
}

func (o *oracle) repinit(i int) vec {
	p := &o.cfg.Descriptor.Repinit
	list := o.block(i, p.RCut, p.NSel.Count)
	r, sw := o.environment(i, repinitPath, list, p.RCut, p.RCutSmooth)
	width := last(p.Neuron)
	var a [4]vec
	for c := range a {
		a[c] = make(vec, width)
	}
	for k, s := range list {
		if s.zero {
			r[k], sw[k] = [4]float64{}, 0
		}
		z := o.tebd(s.typ)
		if !p.TypeOneSide {
			z = append(z, o.tebd(o.types[i])...)
		}
		g := o.embed(o.cfg.repinitNet(), o.cfg.repinitStripNet(), r[k][0], z, sw[k])
		for c := range a {
			add(a[c], g, r[k][c]/float64(p.NSel.Count))
		}
	}
	var out vec
	for g := range width {
		for x := range p.AxisNeuron {
			out = append(out, a[0][g]*a[0][x]+a[1][g]*a[1][x]+a[2][g]*a[2][x]+a[3][g]*a[3][x])
		}
	}
	return out
}

// embed returns G for one scalar input and the type embeddings beside it.
func (o *oracle) embed(net, strip []linear, s float64, z vec, sw float64) vec {
	if strip == nil {
		return o.net(net, append(vec{s}, z...))
	}
	gs, gt := o.net(net, vec{s}), o.net(strip, z)
	for k := range gs {
		if o.cfg.Descriptor.Smooth {
			gt[k] *= sw
		}
		gs[k] += gs[k] * gt[k]
	}
	return gs
}

func (o *oracle) threeBody(i int) vec {
	p := &o.cfg.Descriptor.Repinit
	list := o.block(i, p.ThreeRCut, p.ThreeSel.Count)
	r, sw := o.environment(i, threePath, list, p.ThreeRCut, p.ThreeRCutSmoth)
	out := make(vec, last(p.ThreeNeuron))
	for j, a := range list {
		for k, b := range list {
			if a.zero || b.zero {
				continue
			}
			theta := r[j][1]*r[k][1] + r[j][2]*r[k][2] + r[j][3]*r[k][3]
			if theta == 0 {
				continue // also all pairs with an empty slot
			}
			z := append(o.tebd(a.typ), o.tebd(b.typ)...)
			add(out, o.embed(o.cfg.threeNet(), o.cfg.threeStripNet(), theta, z, sw[j]*sw[k]), theta/math.Pow(float64(len(list)), 2))
		}
	}
	return out
}

// layer applies one layer to a row.
func (o *oracle) layer(l linear, x vec) vec {
	w, y := o.m.tensor(l.path+"/@variables/w"), make(vec, l.out)
	for n, v := range x {
		add(y, w[n*l.out:(n+1)*l.out], v)
	}
	if l.bias {
		add(y, o.m.tensor(l.path+"/@variables/b"), 1)
	}
	y = o.act(l.act, y)
	for k := range y {
		if l.step && (l.out == l.in || l.out == 2*l.in) {
			y[k] *= o.m.tensor(l.path + "/@variables/idt")[k]
		}
		if l.resnet && (l.out == l.in || l.out == 2*l.in) {
			y[k] += x[k%l.in]
		}
	}
	return y
}

func (o *oracle) net(layers []linear, x vec) vec {
	for _, l := range layers {
		x = o.layer(l, x)
	}
	return x
}

// tebd returns a fresh row of the type embedding.
func (o *oracle) tebd(t int) vec {
	x := make(vec, o.cfg.NumTypes())
	x[t] = 1
	return o.layer(o.cfg.tebdLayer(), x)
}

// act returns the activation of each number.
func (o *oracle) act(name string, x vec) vec {
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	f := map[string]func(float64) float64{
		"linear": func(v float64) float64 { return v }, "": func(v float64) float64 { return v },
		"tanh": math.Tanh, "sigmoid": sigmoid,
		"relu":     func(v float64) float64 { return max(v, 0) },
		"relu6":    func(v float64) float64 { return min(max(v, 0), 6) },
		"softplus": func(v float64) float64 { return math.Log1p(math.Exp(v)) },
		"silu":     func(v float64) float64 { return v * sigmoid(v) },
		"gelu":     func(v float64) float64 { return v / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v))) },
		"silut": func(v float64) float64 {
			s := sigmoid(3)
			if v < 3 {
				return v * sigmoid(v)
			}
			return math.Tanh((s+3*s*(1-s))*(v-3)) + 3*s
		},
	}[strings.TrimSuffix(name, ":3.0")]
	y := make(vec, len(x))
	for k, v := range x {
		y[k] = f(v)
	}
	return y
}

// vec is a row of numbers.
type vec = []float64

// add adds s·y to x.
func add(x, y vec, s float64) {
	for k := range y {
		x[k] += s * y[k]
	}
}
