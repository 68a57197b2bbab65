package dpa2

import (
	"errors"
	"fmt"
	"math"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/graph"
)

// A Prediction is what a model says of one frame, per-atom arrays in the order of the frame.
type Prediction struct {
	Energy     float64    // eV, sum of AtomEnergy
	AtomEnergy []float64  // [N] eV, references included; 0 for virtual atoms
	Forces     []float64  // [N x 3] eV/Å
	Virial     [9]float64 // eV, −dE/d(strain), entry 3k + j with k of the force and j of the position
}

// batchAtoms is how many atoms an Evaluator puts into one run: enough to fill caches, few enough to fit memory.
const batchAtoms = 512

// An Evaluator predicts with one model. It compiles once and keeps its memory between calls. It is for one goroutine.
type Evaluator struct {
	model        *Model
	quick, large variant
	run          runner // of the last prediction
	largeAtoms   int
	onDevice     bool
	compile      func(graph.Options) (runner, error)
	buf          struct{ energy, force, virial []float64 }
	names        pathNames
	taps         []string // names of extra outputs, for tests

	available func() int64
	watch     func(done float64)
}

// NewEvaluator compiles the model in a precision, for the given number of threads (0 = all cores). Results do not
// depend on threads. Weights are copied: later changes of the model are seen after Load; references are read each time.
func NewEvaluator(m *Model, precision Precision, threads int) (*Evaluator, error) {
	return NewEvaluatorAt(m, precision, Place{Threads: threads})
}

// NewEvaluatorAt is NewEvaluator for a place. Results on a GPU differ from those of a processor in rounding.
func NewEvaluatorAt(m *Model, precision Precision, at Place) (*Evaluator, error) {
	return newEvaluator(m, precision, at, nil)
}

// Close frees the memory of a GPU; the evaluator cannot be used any more. On a processor there is nothing to free.
func (e *Evaluator) Close() error {
	var failed []error
	for _, v := range []*variant{&e.quick, &e.large} {
		if v.run != nil {
			failed = append(failed, v.run.Close())
		}
	}
	return errors.Join(failed...)
}

// newEvaluator can make intermediates outputs: those whose names keep is true for.
func newEvaluator(m *Model, precision Precision, at Place, keep func(name string) bool) (*Evaluator, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	g := buildEnergy(m.Config)
	f := g.buildForces()
	outputs := map[string]*graph.Tensor{"energy": g.atomEnergy, "force": f.force, "virial": f.virial}
	e := &Evaluator{model: m, largeAtoms: largeAtoms}
	if at.Device != nil {
		e.onDevice, e.largeAtoms = true, math.MaxInt // until so many have not fit its memory
	}
	for name, x := range g.taps {
		if keep != nil && keep(name) {
			outputs["tap."+name] = x
			e.taps = append(e.taps, name)
		}
	}
	e.compile = func(o graph.Options) (runner, error) {
		p, err := g.CompileWith(outputs, o)
		if err != nil {
			return nil, err
		}
		return newRunner(m.Config, p, g.used, precision, at)
	}
	return e, e.prepare(0)
}

// Load has the next prediction take the weights of the model again, after they have changed.
func (e *Evaluator) Load() { e.quick.stale, e.large.stale = true, true }

// Limit has predictions that need more memory than the ones before ask for the bytes available, and fail with a *MemoryError
// rather than take what is not there. nil, as at first, does not ask.
func (e *Evaluator) Limit(available func() int64) { e.available = available }

// Watch has predictions call watch from time to time with the part that is done of the batch under way, from 0 to 1, for those
// that take long. nil, as at first, is not called.
func (e *Evaluator) Watch(watch func(done float64)) { e.watch = watch }

// A MemoryError says that so many atoms at once are too many for the memory available.
type MemoryError struct {
	Atoms           int
	Need, Available int64 // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%d atoms at once need %.3g GB of memory, and %.3g GB are available; use float32, which takes half of what float64 does, smaller frames, or a machine with more memory",
		e.Atoms, float64(e.Need)/1e9, float64(e.Available)/1e9)
}

// Evaluate predicts all frames, in order. The error for a frame that cannot be evaluated is a *FrameError.
func (e *Evaluator) Evaluate(frames []dataset.Frame) ([]Prediction, error) {
	out := make([]Prediction, 0, len(frames))
	for first := 0; first < len(frames); {
		n, atoms := 0, 0
		for _, f := range frames[first:] {
			if n > 0 && atoms+f.NumAtoms() > batchAtoms {
				break
			}
			n, atoms = n+1, atoms+f.NumAtoms()
		}
		b, err := NewBatch(e.model.Config, frames[first:first+n])
		if err != nil {
			if fe := (*FrameError)(nil); errors.As(err, &fe) {
				fe.Position += first
			}
			return nil, err
		}
		if out, err = e.evaluate(out, b); err != nil {
			return nil, err
		}
		first += n
	}
	return out, nil
}

// EvaluateBatch predicts the frames of a batch made with the model's configuration.
func (e *Evaluator) EvaluateBatch(b *Batch) ([]Prediction, error) { return e.evaluate(nil, b) }

func (e *Evaluator) evaluate(out []Prediction, b *Batch) ([]Prediction, error) {
	if err := e.prepare(b.NumAtoms()); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	err := e.run.run(b, nil)
	if e.tooLarge(err, b.NumAtoms()) {
		if err := e.prepare(b.NumAtoms()); err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
		err = e.run.run(b, nil)
	}
	if short := (*graph.MemoryError)(nil); errors.As(err, &short) {
		err = &MemoryError{Atoms: b.NumAtoms(), Need: short.Need, Available: short.Available}
	}
	if err != nil {
		return nil, fmt.Errorf("evaluate %d frames: %w", b.NumFrames(), err)
	}
	e.buf.energy = e.run.output("energy", e.buf.energy)
	e.buf.force = e.run.output("force", e.buf.force)
	e.buf.virial = e.run.output("virial", e.buf.virial)
	reference := e.model.references(nil, &e.names)
	for f := range b.NumFrames() {
		first, end := b.first[f], b.first[f+1]
		p := Prediction{
			AtomEnergy: append([]float64(nil), e.buf.energy[first:end]...),
			Forces:     append([]float64(nil), e.buf.force[3*first:3*end]...),
			Virial:     [9]float64(e.buf.virial[9*f : 9*f+9]),
		}
		for i, t := range b.types[first:end] {
			if t >= 0 {
				p.AtomEnergy[i] += reference[t]
			}
			p.Energy += p.AtomEnergy[i]
		}
		if !finite(p.Energy + p.Virial[0] + p.Virial[4] + p.Virial[8]) { // a force that is not finite shows in the trace
			return nil, &FrameError{Position: len(out), Frame: b.samples[f].name, Err: ErrOverflow}
		}
		out = append(out, p)
	}
	return out, nil
}

// ErrOverflow is the cause when a model's energy or virial for a frame is not a finite number.
var ErrOverflow = errors.New("the prediction is not finite; use float64, or check the frame for atoms that nearly coincide")

// references appends to dst the sum of the reference energies of each frame, eV. perType is what Model.references returns.
func (b *Batch) references(dst, perType []float64) []float64 {
	for f := range b.NumFrames() {
		sum := 0.0
		for _, t := range b.types[b.first[f]:b.first[f+1]] {
			if t >= 0 {
				sum += perType[t]
			}
		}
		dst = append(dst, sum)
	}
	return dst
}

// referencePaths are the tensors that reference energies come from.
var referencePaths = []string{"@variables/out_bias", "fitting/@variables/bias_atom_e"}

// references appends to dst the energy that is added to the network's for each type: out_bias + bias_atom_e, with the
// exclusions of the configuration (SPEC 4.1, 4.2). names are those of referencePaths.
func (m *Model) references(dst []float64, names *pathNames) []float64 {
	list := names.of(m.Head, referencePaths)
	bias, _ := m.Params.Get(list[0])
	atom, _ := m.Params.Get(list[1])
	out, fit := bias.Data, atom.Data
	sum := dst
	for t := range out {
		sum = append(sum, out[t]+fit[t])
	}
	for _, t := range m.Config.Fitting.ExcludeTypes {
		sum[t] = out[t]
	}
	for _, t := range m.Config.AtomSkip {
		sum[t] = 0
	}
	return sum
}
