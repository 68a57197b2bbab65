package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// A Trainer is a training under way. See the package comment for its life.
type Trainer struct {
	cfg      Config
	heads    []*head
	params   *weights.Set // float64 masters of trunk and heads, statistics included
	schedule *optim.Schedule
	adam     *optim.Adam
	sampler  *sampler
	draw     func() (head int, frames []int) // nil but in tests with given batches; called by the loader
	samples  *sampleCache
	program  stepper    // nil with a residency
	resident *residency // nil unless weights stay on a GPU
	gradient *weights.Set
	step     int                 // steps done
	show     func(step int) bool // see Display
}

// A stepper computes loss and gradient of a batch for the optimizer of the host.
type stepper interface {
	Run(m *dpa2.Model, b *dpa2.Batch, p dpa2.Prefactors, gradient *weights.Set) (dpa2.Metrics, error)
	Trainable(head string) []string
	Close() error
}

var (
	_ stepper = (*dpa2.TrainingStep)(nil)
	_ stepper = (*dpa2.SplitStep)(nil)
)

// head is what the Trainer keeps of a Head.
type head struct {
	Head
	model     *dpa2.Model     // shares the masters
	trainable []string        // names of the parameters that its steps move
	evaluator *dpa2.Evaluator // made when first needed
	last      Errors          // of its last training batch
	kept      bool            // these are still on the device
	reference *Reference      // that Prepare found
}

// New makes a trainer with fresh weights, drawn from the seed. Statistics and references are still missing: call
// Prepare, or put weights in that have them.
func New(cfg Config, heads []Head) (*Trainer, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	if err := checkHeads(heads); err != nil {
		return nil, err
	}
	t := &Trainer{cfg: cfg, params: &weights.Set{}, gradient: &weights.Set{}, samples: newSampleCache(&cfg)}
	var err error
	if t.schedule, err = optim.NewSchedule(cfg.Schedule); err != nil {
		return nil, err
	}
	if t.adam, err = optim.NewAdam(cfg.Optimizer); err != nil {
		return nil, err
	}
	fit := &fitter{cfg: &t.cfg}
	var sampled []*headSampler
	for _, h := range heads {
		own, err := t.addHead(h, fit)
		if err != nil {
			return nil, errors.Join(err, fit.close())
		}
		sampled = append(sampled, own)
	}
	if err := fit.close(); err != nil {
		return nil, err
	}
	if t.sampler, err = newSampler(cfg.Seed, sampled); err != nil {
		return nil, err
	}
	if err := t.open(); err != nil {
		return nil, err
	}
	for _, h := range t.heads {
		h.trainable = t.Trainable(h.Key)
	}
	return t, nil
}

func (t *Trainer) addHead(h Head, fit *fitter) (*headSampler, error) {
	fresh, err := dpa2.NewHead(t.cfg.Model, h.Key, t.cfg.Seed)
	if err != nil {
		return nil, err
	}
	for _, tensor := range fresh.Params.Tensors() {
		if _, shared := t.params.Get(tensor.Name); !shared {
			t.params.Put(*tensor)
		}
	}
	rule, err := fit.rule(h, fresh)
	if err != nil {
		return nil, err
	}
	systems, err := groupSystems(h.Key, h.Train, rule, t.cfg.Seed)
	if err != nil {
		return nil, err
	}
	t.heads = append(t.heads, &head{
		Head:  h,
		model: &dpa2.Model{Config: t.cfg.Model, Params: t.params, Head: h.Key},
		last:  noErrors(),
	})
	return &headSampler{key: h.Key, probability: h.Probability, systems: systems}, nil
}

// head returns the head of that key, or an error that lists those there are.
func (t *Trainer) head(key string) (*head, error) {
	var keys []string
	for _, h := range t.heads {
		if h.Key == key {
			return h, nil
		}
		keys = append(keys, h.Key)
	}
	return nil, fmt.Errorf("no head has the key %q; there are %q", key, keys)
}

// Step returns the number of steps done.
func (t *Trainer) Step() int { return t.step }

// Steps returns the length of the whole training.
func (t *Trainer) Steps() int { return t.cfg.Steps }

// Weights returns a copy of all weights, statistics included. Called by progress in a training on a GPU, it waits for the step;
// what then goes wrong is an error of Run, and the weights are those after the last complete step.
func (t *Trainer) Weights() *weights.Set {
	if err := t.settle(); err != nil {
		t.resident.broken = err // and Run stops
	}
	return t.params.Clone()
}

// Trainable returns the names of the tensors that a step with the given head may change: the trunk and that head.
func (t *Trainer) Trainable(key string) []string {
	if t.resident != nil {
		return t.resident.Trainable(key)
	}
	return t.program.Trainable(key)
}

// SetWeights replaces the tensors that are in w; others stay. Names and shapes must be those of the model. Optimiser
// moments are kept. When w is refused nothing has changed.
func (t *Trainer) SetWeights(w *weights.Set) error {
	if err := w.Finite(); err != nil {
		return fmt.Errorf("set weights: %w", err)
	}
	if err := t.settle(); err != nil {
		return fmt.Errorf("set weights: %w", err)
	}
	next := t.params.Clone()
	for _, tensor := range w.Tensors() {
		if err := assign(next, tensor.Name, tensor.Shape, tensor.Data); err != nil {
			return fmt.Errorf("set weights: %w", err)
		}
	}
	for _, h := range t.heads {
		if err := (&dpa2.Model{Config: t.cfg.Model, Params: next, Head: h.Key}).Check(); err != nil {
			return fmt.Errorf("set weights: %w", err)
		}
	}
	for _, tensor := range w.Tensors() {
		mine, _ := t.params.Get(tensor.Name)
		copy(mine.Data, tensor.Data)
	}
	t.changed()
	return nil
}

// assign copies data into a tensor that exists.
func assign(s *weights.Set, name string, shape []int, data []float64) error {
	mine, ok := s.Get(name)
	if !ok {
		return fmt.Errorf("tensor %q is not part of the model", name)
	}
	if len(mine.Data) != len(data) || fmt.Sprint(mine.Shape) != fmt.Sprint(shape) {
		return fmt.Errorf("tensor %q has shape %v, want %v", name, shape, mine.Shape)
	}
	copy(mine.Data, data)
	return nil
}

// Progress describes a step that was just done.
type Progress struct {
	Step    int     // steps done, this one included
	Steps   int     // of the whole training
	LR      float64 // learning rate of the step
	Head    string
	Errors  Errors  // on the batch, before the step; NaN on a GPU unless Displayed
	Norm    float64 // of the gradient before clipping; likewise
	Dropped int     // neighbours within the cut-off that the model's nsel left out, in the batch

	Waited time.Duration // for the batch, which is prepared while the step before runs

	Displayed bool // as Trainer.Display says
}

// Run does the given number of steps and calls progress after each; nil is allowed. When ctx ends it stops between two
// steps and returns the context's error: everything up to Step is done and can be saved. Any other error leaves the
// weights as they were after the last complete step.
//
// Batches of later steps of the same Run are prepared meanwhile, so that one Run of many steps is faster than many of one.
// progress may save and validate: what was prepared ahead is not part of the trainer's state.
//
// On a GPU, without a Reducer, weights, moments and gradients stay there. A step is under way when progress is told, unless it is
// displayed, and its errors are not known. That a step was not possible, for its loss or its gradient was not finite, is found
// out two steps later at the latest, or earlier when a step is displayed, when progress saves, validates, or looks at or sets
// weights, and when Run ends. It has changed nothing then, nor have steps after it, of which progress may have been told: the
// trainer goes back to the last complete step. Weights, moments, Step and the place in the data are those of that step, and
// the error is that of the step after it; only the errors in CurveRow of the heads drawn since then are lost. If the GPU
// fails itself, the trainer goes back to when its weights were last saved, validated, looked at or set, or the Run began; moments are
// lost.
func (t *Trainer) Run(ctx context.Context, steps int, progress func(Progress)) error {
	t.begin()
	err := t.run(ctx, steps, progress)
	if failed := t.settle(); failed != nil && !isStepError(err) {
		err = fmt.Errorf("training step %d: %w", t.step, failed)
	}
	return err
}

func (t *Trainer) run(ctx context.Context, steps int, progress func(Progress)) error {
	l := startLoader(ctx, t.cfg.Model, steps, t.ahead())
	defer l.Close()
	for range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := t.advance(ctx, l)
		if err != nil {
			return fmt.Errorf("training step %d: %w", t.step, err)
		}
		if progress != nil {
			progress(p)
		}
		if err := t.broken(); err != nil {
			return fmt.Errorf("training step %d: %w", t.step, err)
		}
	}
	return nil
}

// ahead returns the batches of the coming steps. It draws them with a copy of the sampler: the trainer's own moves when a
// step is done, so that a checkpoint holds the place of that step, however many batches are prepared.
func (t *Trainer) ahead() source {
	draw := t.draw
	if draw == nil {
		draw = t.sampler.clone().draw
	}
	return func(memory *dpa2.Collator) loaded {
		k, frames := draw()
		batch, err := t.samples.batch(memory, t.heads[k].Key, t.heads[k].Train, frames)
		return loaded{head: k, batch: batch, err: err}
	}
}

// advance does one step in DeePMD-kit's order: learning rate, forward, loss, backward, clip, optimiser.
func (t *Trainer) advance(ctx context.Context, l *loader) (Progress, error) {
	if t.resident != nil {
		return t.advanceOnDevice(ctx, l)
	}
	lr := t.schedule.At(t.step)
	b, waited, err := l.next(ctx)
	if err != nil {
		return Progress{}, err
	}
	defer l.release(b)
	h := t.heads[b.head]
	m, err := t.program.Run(h.model, b.batch, t.cfg.Loss.At(lr, t.schedule.StartLR), t.gradient)
	if err != nil {
		return Progress{}, err
	}
	if math.IsNaN(m.Loss) || math.IsInf(m.Loss, 0) {
		return Progress{}, fmt.Errorf("the loss of head %q is not finite; lower start_lr, or set gradient_max_norm", h.Key)
	}
	norm, err := t.move(ctx, lr, h)
	if err != nil {
		return Progress{}, err
	}
	t.step++
	t.sampler.draw() // what the loader drew for this step
	h.last = errorsOf(m)
	return Progress{Step: t.step, Steps: t.cfg.Steps, LR: lr, Head: h.Key, Errors: h.last, Norm: norm,
		Dropped: b.batch.Dropped(), Waited: waited, Displayed: t.displayed(t.step)}, nil
}

// move reduces, clips and applies the gradient. The list names every parameter, those of other heads without a gradient,
// so that a Reducer sees the same list on all machines.
func (t *Trainer) move(ctx context.Context, lr float64, drawn *head) (norm float64, err error) {
	var params []optim.Param
	listed := map[string]bool{}
	for _, h := range t.heads {
		for _, name := range h.trainable {
			if listed[name] {
				continue
			}
			listed[name] = true
			value, _ := t.params.Get(name)
			p := optim.Param{Name: name, Value: value.Data}
			if h == drawn || t.shared(name) {
				g, _ := t.gradient.Get(name)
				p.Grad = g.Data
			}
			params = append(params, p)
		}
	}
	if err := t.cfg.Reducer.Reduce(ctx, params); err != nil {
		return 0, fmt.Errorf("reduce gradients: %w", err)
	}
	if norm, err = optim.Clip(params, t.cfg.Optimizer.MaxNorm); err != nil {
		return norm, err
	}
	return norm, t.adam.Step(lr, params)
}

// shared says whether a tensor belongs to the trunk.
func (t *Trainer) shared(name string) bool {
	return len(name) > len(trunkPrefix) && name[:len(trunkPrefix)] == trunkPrefix
}

const trunkPrefix = "descriptor/"

func errorsOf(m dpa2.Metrics) Errors {
	return Errors{math.Sqrt(m.Loss), m.Energy.RMS(), m.Force.RMS(), m.Virial.RMS()}
}
