package dpa2

import (
	"fmt"
	"runtime"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/training/graph"
)

// forces are the derivatives of the energy: force [N x 3], eV/Å, and virial [F x 9], eV, entry 3k + j.
type forces struct{ force, virial *graph.Tensor }

// buildForces differentiates the energy by the edge vectors Δ. An edge pulls its centre by dE/dΔ and its neighbour by
// the opposite; W[k,j] = −Σ dE/dΔ_k Δ_j. Images need no care: their share falls on the local atom.
func (g *energyGraph) buildForces() forces {
	pull := g.Grad(g.atomEnergy, g.delta)[0]
	return forces{
		force:  g.Sub(g.Scatter(pull, g.centre), g.Scatter(pull, g.neighbour)),
		virial: g.Neg(g.SegOuter(pull, g.delta, g.SortedIndex("edge.frame", g.edge, g.frame))),
	}
}

// A Place is where programs run: on a processor, or on a GPU, where threads of the processor bring batches there.
type Place struct {
	Threads int            // of the processor; 0 for one for each core that Go may use
	Device  *cuda.Device   // nil for the processor
	More    []*cuda.Device // with which Device shares the batches of a training, frame by frame
}

// A runner executes one program in one precision, and speaks float64.
type runner interface {
	meter() Meter
	load(m *Model) error
	run(b *Batch, extra map[string][]float64) error
	output(name string, dst []float64) []float64
	Limit(available func() int64)
	Watch(watch func(done float64))
	Close() error
}

// executor is what a graph.Exec and a graph.DeviceExec have in common.
type executor[T kernels.Float] interface {
	Meter
	Threads() int
	Param(name string) []T
	Thaw()
	Run(b *graph.Batch[T]) error
	Read(names ...string) error
	Output(name string) []T
	Limit(available func() int64)
	Watch(watch func(done float64))
	Close() error
}

var (
	_ executor[float32] = (*graph.Exec[float32])(nil)
	_ executor[float32] = (*graph.DeviceExec[float32])(nil)
)

// exec is a runner with arithmetic in T.
type exec[T kernels.Float] struct {
	executor[T]
	cfg     *Config
	batch   graph.Batch[T]
	params  []paramSpec // those that the program uses
	paths   []string    // of params
	names   pathNames
	outputs []string
}

func newRunner(cfg *Config, p *graph.Program, used map[string]*graph.Tensor, precision Precision, at Place) (runner, error) {
	switch precision {
	case Float64:
		return newExec[float64](cfg, p, used, at)
	case Float32:
		return newExec[float32](cfg, p, used, at)
	}
	return nil, fmt.Errorf("precision %q is unknown; want %q or %q", precision, Float64, Float32)
}

func newExec[T kernels.Float](cfg *Config, p *graph.Program, used map[string]*graph.Tensor, at Place) (*exec[T], error) {
	e := &exec[T]{cfg: cfg, outputs: p.Outputs()}
	if at.Threads == 0 {
		at.Threads = runtime.GOMAXPROCS(0)
	}
	if at.Device == nil {
		e.executor = graph.NewExec[T](p, at.Threads)
	} else {
		device, err := graph.NewDeviceExec[T](p, at.Device, at.Threads)
		if err != nil {
			return nil, err
		}
		e.executor = device
	}
	e.batch.Inputs = map[string][]T{}
	for _, spec := range cfg.params() {
		if used[spec.path] != nil {
			e.params = append(e.params, spec)
			e.paths = append(e.paths, spec.path)
		}
	}
	return e, nil
}

// meter is a DeviceMeter on a GPU.
func (e *exec[T]) meter() Meter { return e.executor }

// load copies the weights of m. Statistics are stored once per neighbour slot; a program wants them once.
func (e *exec[T]) load(m *Model) error {
	e.Thaw()
	names := e.names.of(m.Head, e.paths)
	for k, spec := range e.params {
		dst := e.Param(spec.path)
		if len(dst) == 0 { // taken out of the program: nothing depends on it
			continue
		}
		src, ok := m.Params.Get(names[k])
		if !ok || len(src.Data) != product(spec.shape) {
			return fmt.Errorf("model: tensor %q is missing or does not have shape %v", names[k], spec.shape)
		}
		takeParam(dst, src.Data, spec)
	}
	return nil
}

// takeParam copies a tensor to where a program reads it.
func takeParam[T kernels.Float](dst []T, src []float64, spec paramSpec) {
	if len(spec.shape) != 3 {
		convert(dst, src)
		return
	}
	for t := range spec.shape[0] {
		convert(dst[4*t:4*t+4], src[t*spec.shape[1]*4:])
	}
}

// programLen is how many numbers of a tensor a program reads.
func (p paramSpec) programLen() int {
	if len(p.shape) == 3 {
		return 4 * p.shape[0]
	}
	return product(p.shape)
}

// run executes the program on a batch; extra are inputs that are not the batch's.
func (e *exec[T]) run(b *Batch, extra map[string][]float64) error {
	if err := e.start(b, extra); err != nil {
		return err
	}
	return e.Read(e.outputs...)
}

// start is run without bringing outputs here.
func (e *exec[T]) start(b *Batch, extra map[string][]float64) error {
	e.batch.Sizes, e.batch.Indices = b.sizes, b.indices
	for _, inputs := range []map[string][]float64{b.inputs, extra} {
		for name, src := range inputs {
			convert(e.input(name, len(src)), src)
		}
	}
	for name, src := range b.counts {
		convert(e.input(name, len(src)), src)
	}
	delta := e.input("delta", 3*b.NumEdges()) // straight from the samples: a copy in between would be as large
	for _, s := range b.samples {
		convert(delta[:len(s.delta)], s.delta)
		delta = delta[len(s.delta):]
	}
	return e.Run(&e.batch)
}

// input returns the memory of an input of n numbers.
func (e *exec[T]) input(name string, n int) []T {
	dst := e.batch.Inputs[name]
	if cap(dst) < n {
		dst = make([]T, n, n+n/4)
	}
	dst = dst[:n]
	e.batch.Inputs[name] = dst
	return dst
}

// output copies an output of the last run into dst, which grows as needed.
func (e *exec[T]) output(name string, dst []float64) []float64 {
	dst = dst[:0]
	for _, v := range e.Output(name) {
		dst = append(dst, float64(v))
	}
	return dst
}

// convert fills dst from the beginning of src.
func convert[T kernels.Float, S float64 | uint8](dst []T, src []S) {
	for k := range dst {
		dst[k] = T(src[k])
	}
}
