package dpa2

// A paramSpec says what a stored tensor of the model is called (path in the DeePMD tree below "model"), which shape
// it has, how it starts (SPEC 2.4) and whether it is trained.
type paramSpec struct {
	path      string
	shape     []int
	init      initKind
	scale     float64 // meaning depends on init
	trainable bool
}

type initKind int

const (
	initZero   initKind = iota
	initOne             // every element 1
	initConst           // every element scale
	initNormal          // mean 0, standard deviation scale
	initStep            // mean 0.1, standard deviation 0.001 (idt)
	initGlorot          // uniform in ±scale
)

// specs collects paramSpecs; on is the "trainable" of the section under way.
type specs struct {
	list []paramSpec
	on   bool
}

func (s *specs) add(path string, kind initKind, scale float64, shape ...int) {
	s.list = append(s.list, paramSpec{path, shape, kind, scale, s.on})
}

// buffer adds a tensor that is stored but never trained.
func (s *specs) buffer(path string, kind initKind, shape ...int) {
	s.list = append(s.list, paramSpec{path, shape, kind, 0, false})
}

// linear adds w, and b where asked.
func (s *specs) linear(l linear) {
	kind, scale := initNormal, 1/sqrt(float64(l.in+l.out))
	if l.glorot {
		kind, scale = initGlorot, sqrt(6/float64(l.in+l.out))
	}
	s.add(l.path+"/@variables/w", kind, scale, l.in, l.out)
	if l.bias {
		s.add(l.path+"/@variables/b", initNormal, 1, l.out)
	}
	if l.hasStep() {
		s.add(l.path+"/@variables/idt", initStep, 0, l.out)
	}
}

func (s *specs) net(layers []linear) {
	for _, l := range layers {
		s.linear(l)
	}
}

// stat adds davg and dstd of a block, in DeePMD's shape: one copy per slot.
func (s *specs) stat(path string, ntypes, nsel int) {
	s.buffer(path+"/@variables/davg", initZero, ntypes, nsel, 4)
	s.buffer(path+"/@variables/dstd", initOne, ntypes, nsel, 4)
}

// params lists every stored tensor of the model, buffers included, in the order of the architecture.
func (c *Config) params() []paramSpec {
	s := &specs{}
	t := c.NumTypes()
	s.buffer("@variables/out_bias", initZero, 1, t, 1)
	s.buffer("@variables/out_std", initOne, 1, t, 1)
	s.on = c.Descriptor.Trainable
	c.descriptorParams(s)
	c.fittingParams(s)
	return s.list
}

func (c *Config) descriptorParams(s *specs) {
	d, t := &c.Descriptor, c.NumTypes()
	s.linear(c.tebdLayer())
	if !c.shapeIsIdentity() {
		s.linear(c.shapeLayer())
	}
	if d.AddTebd {
		s.linear(c.tebdTransform())
	}
	s.net(c.repinitNet())
	s.net(c.repinitStripNet())
	s.stat(repinitPath, t, d.Repinit.NSel.Count)
	if d.Repinit.UseThreeBody {
		s.net(c.threeNet())
		s.net(c.threeStripNet())
		s.stat(threePath, t, d.Repinit.ThreeSel.Count)
	}
	s.linear(c.g2Embed())
	for i := range d.Repformer.NLayers {
		c.layer(i).params(s)
	}
	s.stat(repformerPath, t, d.Repformer.NSel.Count)
}

// params adds the tensors of one repformer layer, residual vectors last.
func (l *repLayer) params(s *specs) {
	for _, m := range l.linears() {
		s.linear(m)
	}
	r := l.rep
	if l.g2Attn {
		on := s.on
		s.on = on && r.TrainableLN
		s.add(l.path+"/attn2_lm/@variables/w", initOne, 0, r.G2Dim)
		s.add(l.path+"/attn2_lm/@variables/b", initZero, 0, r.G2Dim)
		s.on = on
	}
	if r.UpdateStyle != "res_residual" {
		return
	}
	kind := initNormal
	if r.ResidualInit == "const" {
		kind = initConst
	}
	for _, v := range []struct {
		name     string
		count, n int
	}{{"g1", l.g1Terms() - 1, r.G1Dim}, {"g2", l.g2Terms() - 1, r.G2Dim}, {"h2", l.h2Terms() - 1, 1}} {
		for k := range v.count {
			s.add(l.residual(v.name, k), kind, r.Residual, v.n)
		}
	}
}

func (c *Config) fittingParams(s *specs) {
	f, t := &c.Fitting, c.NumTypes()
	for i, l := range c.fittingNet() {
		s.on = f.Trainable.Layer(i)
		s.linear(l)
	}
	s.buffer("fitting/@variables/bias_atom_e", initZero, t, 1)
	if n := f.DimCaseEmbd; n > 0 {
		s.buffer("fitting/@variables/case_embd", initZero, n)
	}
	if n := f.NumbFParam; n > 0 {
		s.buffer("fitting/@variables/fparam_avg", initZero, n)
		s.buffer("fitting/@variables/fparam_inv_std", initOne, n)
	}
	if n := f.NumbAParam; n > 0 {
		s.buffer("fitting/@variables/aparam_avg", initZero, n)
		s.buffer("fitting/@variables/aparam_inv_std", initOne, n)
	}
}

// NumParameters returns how many numbers training adjusts or could adjust: weights, biases, time steps, layer norms
// and residual vectors, frozen or not; statistics and energy references are not counted.
func (c *Config) NumParameters() int {
	total := 0
	for _, p := range c.params() {
		if !isBuffer(p.path) {
			total += product(p.shape)
		}
	}
	return total
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
