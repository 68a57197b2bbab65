package dpa2

import (
	"fmt"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/training/optim"
)

// A Resident is a training on a GPU whose weights stay there: a Step brings a batch to the device, and nothing comes back but
// whether it was possible, once it is done. The models that it trains share a trunk and have a head each; their Params are the
// host's copy, which Upload and Download bring to the device and up to date.
//
// Steps are under way when Step returns. Two are at most: a third waits for the first. A step whose loss or gradient is not
// finite changes nothing, and neither do those after it; the host finds out when it looks at it, and gets a *StepError: in the
// second next Step, or in the next call of anything else that waits, which are all but Close. Then the weights, the moments
// and their step counts are those after the step before the one that failed, and training may go on from there.
//
// It is for one goroutine at a time.
type Resident struct {
	step    *TrainingStep
	exec    residentRunner
	heads   []*residentHead
	program int        // head that the program has the tensors of; -1 for none
	pending []underWay // steps not yet looked at, at most two
	events  [2]*cuda.Event
	turn    int
	norm    float64 // of the step looked at last
	done    int     // steps looked at that were possible
}

// residentHead is a model, with what is needed to say how good its last step was.
type residentHead struct {
	*Model
	labels labels
	batch  Batch // as far as errors need it
	kept   bool  // predictions of the last step are on the device
}

// underWay is a step that was started.
type underWay struct {
	number, head int
	done         *cuda.Event
	report       []float64
}

// A StepError says that a step was not possible, since its loss or its gradient was not finite.
type StepError struct {
	Step int // its number
	Head string
	Loss bool // it was the loss, or also the loss
}

func (e *StepError) Error() string {
	if e.Loss {
		return fmt.Sprintf("the loss of head %q is not finite; lower start_lr, or set gradient_max_norm", e.Head)
	}
	return fmt.Sprintf("%v; lower the learning rate or look for broken labels", optim.ErrNotFinite)
}

// Is reports a gradient that is not finite as optim.ErrNotFinite.
func (e *StepError) Is(target error) bool { return !e.Loss && target == optim.ErrNotFinite }

// NewResident compiles the step and takes memory for the weights, which Upload brings. at must have a device.
func NewResident(models []*Model, loss LossConfig, precision Precision, at Place, adam optim.Config) (*Resident, error) {
	if at.Device == nil || len(models) == 0 {
		return nil, fmt.Errorf("weights stay on a GPU: want a device and a model, got %d models", len(models))
	}
	step, err := NewTrainingStepAt(models[0].Config, loss, precision, at)
	if err != nil {
		return nil, err
	}
	r := &Resident{step: step, program: -1}
	for _, m := range models {
		r.heads = append(r.heads, &residentHead{Model: m})
	}
	switch e := step.run.(type) {
	case *exec[float32]:
		r.exec, err = newResidentExec(e, step, models, at.Device, adam)
	case *exec[float64]:
		r.exec, err = newResidentExec(e, step, models, at.Device, adam)
	}
	for k := range r.events {
		if err == nil {
			r.events[k], err = at.Device.NewEvent()
		}
	}
	if err != nil {
		step.Close()
		return nil, err
	}
	return r, nil
}

// Close waits for everything and frees the memory of the device. Weights that were not downloaded are lost.
func (r *Resident) Close() error {
	err := r.exec.close()
	for _, e := range r.events {
		if failed := e.Free(); err == nil {
			err = failed
		}
	}
	return err
}

// Trainable is TrainingStep.Trainable.
func (r *Resident) Trainable(head string) []string { return r.step.Trainable(head) }

// Upload brings the host's copy to the device. Moments stay.
func (r *Resident) Upload() error {
	err := r.Settle()
	if err != nil {
		return err
	}
	r.program = -1
	return r.exec.setValues()
}

// Download brings the host's copy of the trained tensors up to date, all or none of them.
func (r *Resident) Download() error {
	if err := r.Settle(); err != nil {
		return err
	}
	return r.exec.values()
}

// State returns a copy of the moments, for a checkpoint.
func (r *Resident) State() (map[string]optim.Moments, error) {
	if err := r.Settle(); err != nil {
		return nil, err
	}
	return r.exec.state()
}

// SetState replaces the moments by those of state, and by none where it has none.
func (r *Resident) SetState(state map[string]optim.Moments) error {
	if err := r.Settle(); err != nil {
		return err
	}
	return r.exec.setState(state)
}

// Step starts a step of the trunk and a head, at learning rate lr. Steps have positive numbers, each one more than the one
// before. The batch may be changed afterwards.
func (r *Resident) Step(number, head int, b *Batch, p Prefactors, lr float64) error {
	if len(r.pending) == len(r.events) {
		if err := r.look(); err != nil {
			return err
		}
	}
	h := r.heads[head]
	h.kept = false // also if this fails
	if err := r.start(head, &h.labels, b, p); err != nil {
		return err
	}
	u := underWay{number: number, head: head, done: r.events[r.turn]}
	var err error
	if u.report, err = r.exec.move(head, number, lr, u.done); err != nil {
		return fmt.Errorf("optimizer: %w", err)
	}
	r.turn = 1 - r.turn
	r.pending = append(r.pending, u)
	h.batch.samples, h.batch.first = b.samples, append(h.batch.first[:0], b.first...)
	h.kept = true
	return nil
}

// start has the program compute loss and gradient of a batch.
func (r *Resident) start(head int, l *labels, b *Batch, p Prefactors) error {
	if head != r.program {
		whole := r.program < 0
		r.program = -1
		if err := r.exec.load(head, whole); err != nil {
			return err
		}
		r.program = head
	}
	r.step.labels = l
	r.step.fillInputs(r.heads[head].Model, b, p)
	if err := r.exec.start(b, r.step.extra); err != nil {
		return fmt.Errorf("training step on %d frames: %w", b.NumFrames(), err)
	}
	return nil
}

// look waits for the oldest step under way and looks whether it was possible.
func (r *Resident) look() error {
	u := r.pending[0]
	if err := u.done.Wait(); err != nil {
		return err
	}
	s := cuda.ParseOptimState(u.report)
	if s.Failed == 0 {
		r.norm, r.done = s.Norm, r.done+1
		r.pending = append(r.pending[:0], r.pending[1:]...)
		return nil
	}
	for _, left := range r.pending {
		r.exec.undo(left.head)
		r.heads[left.head].kept = false
	}
	r.pending = r.pending[:0]
	if err := r.exec.reset(); err != nil {
		return err
	}
	return &StepError{Step: u.number, Head: r.heads[u.head].Head, Loss: s.Loss}
}

// Settle waits for all steps and looks at them.
func (r *Resident) Settle() error {
	for len(r.pending) > 0 {
		if err := r.look(); err != nil {
			return err
		}
	}
	return nil
}

// Done returns how many steps are known to have been possible.
func (r *Resident) Done() int { return r.done }

// Norm returns the norm of the gradient of the last step looked at, before clipping.
func (r *Resident) Norm() float64 { return r.norm }

// Kept reports whether there are Metrics of a head, as far as is known.
func (r *Resident) Kept(head int) bool { return r.heads[head].kept }

// Meter returns the meter of the step's program.
func (r *Resident) Meter() Meter { return r.exec }

// Metrics returns the errors of the last step of a head. There are none, and ok is false, if it has taken no step, or one that
// was not possible.
func (r *Resident) Metrics(head int) (m Metrics, ok bool, err error) {
	if err := r.Settle(); err != nil {
		return Metrics{}, false, err
	}
	h := r.heads[head]
	if !h.kept {
		return Metrics{}, false, nil
	}
	out := &r.step.out
	if out.loss, out.energy, out.force, out.virial, err = r.exec.kept(head); err != nil {
		return Metrics{}, false, err
	}
	r.step.labels = &h.labels
	return r.step.compare(&h.batch), true, nil
}

// Evaluate returns the errors of a head on a batch, and moves nothing.
func (r *Resident) Evaluate(head int, b *Batch, p Prefactors) (Metrics, error) {
	if err := r.Settle(); err != nil {
		return Metrics{}, err
	}
	if err := r.start(head, &labels{}, b, p); err != nil {
		return Metrics{}, err
	}
	if err := r.exec.Read("loss", "energy", "force", "virial"); err != nil {
		return Metrics{}, err
	}
	return r.step.metrics(b), nil
}
