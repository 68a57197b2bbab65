package training

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// A residency is a training whose weights, moments and gradients stay on a GPU. The trainer's weights, Trainer.params, are a
// copy that is brought up to date when somebody wants it; until then the device is ahead.
//
// Steps are under way when the trainer counts them. Should one turn out not to have been possible, the trainer goes back to
// the step before it, weights, moments, step counts and place in the data alike.
type residency struct {
	*dpa2.Resident
	behind *sampler // as after the last step that is known to have been possible
	known  int      // that step
	seen   int      // steps that behind has followed
	ahead  bool     // the device has weights that the trainer has not
	stale  bool     // the trainer has weights that the device has not
	broken error    // why the trainer had to go back in this Run

	home     *sampler // as when the device was ahead of nothing
	homeStep int
}

// open compiles the step for the place where it runs.
func (t *Trainer) open() (err error) {
	if len(t.cfg.Place.More) > 0 {
		t.program, err = dpa2.NewSplitStep(t.cfg.Model, t.cfg.Loss, t.cfg.Precision, t.cfg.Place)
		return err
	}
	if _, alone := t.cfg.Reducer.(identity); t.cfg.Place.Device == nil || !alone {
		t.program, err = dpa2.NewTrainingStepAt(t.cfg.Model, t.cfg.Loss, t.cfg.Precision, t.cfg.Place)
		return err
	}
	var models []*dpa2.Model
	for _, h := range t.heads {
		models = append(models, h.model)
	}
	r, err := dpa2.NewResident(models, t.cfg.Loss, t.cfg.Precision, t.cfg.Place, t.cfg.Optimizer)
	if err != nil {
		return err
	}
	t.resident = &residency{Resident: r, stale: true}
	return nil
}

// advanceOnDevice starts the step after those started, and waits for it if it is displayed.
func (t *Trainer) advanceOnDevice(ctx context.Context, l *loader) (Progress, error) {
	r := t.resident
	lr := t.schedule.At(t.step)
	b, waited, err := l.next(ctx)
	if err != nil {
		return Progress{}, err
	}
	defer l.release(b)
	if r.stale {
		if err := r.Upload(); err != nil {
			return Progress{}, t.backed(err)
		}
		r.stale = false
	}
	if err := r.Step(t.step+1, b.head, b.batch, t.cfg.Loss.At(lr, t.schedule.StartLR), lr); err != nil {
		return Progress{}, t.backed(err)
	}
	r.ahead = true
	t.step++
	t.sampler.draw() // what the loader drew for this step
	h := t.heads[b.head]
	h.last, h.kept = noErrors(), true
	p := Progress{Step: t.step, Steps: t.cfg.Steps, LR: lr, Head: h.Key, Errors: noErrors(), Norm: math.NaN(), Dropped: b.batch.Dropped(), Waited: waited}
	t.learn()
	if p.Displayed = t.displayed(t.step); !p.Displayed {
		return p, nil
	}
	if err := t.lastErrors(b.head); err != nil {
		return Progress{}, err
	}
	p.Errors, p.Norm = h.last, r.Norm()
	return p, nil
}

// learn moves the place in the data that is known to have been reached up to the steps known to have been possible.
func (t *Trainer) learn() {
	r := t.resident
	for ; r.seen < r.Done(); r.seen++ {
		r.behind.draw()
		r.known++
	}
}

// backed goes back to the step before one that was not possible; other errors leave everything where it is.
func (t *Trainer) backed(err error) error {
	if !isStepError(err) {
		return err
	}
	t.learn()
	for k, h := range t.heads {
		if h.kept && !t.resident.Kept(k) {
			h.last, h.kept = noErrors(), false
		}
	}
	t.step = t.resident.known
	t.sampler = t.resident.behind.clone()
	t.resident.broken = err
	return err
}

// begin notes the place in the data before the steps of a Run.
func (t *Trainer) begin() {
	if r := t.resident; r != nil {
		r.behind, r.known, r.seen, r.broken = t.sampler.clone(), t.step, r.Done(), nil
		r.home, r.homeStep = r.behind.clone(), t.step
	}
}

// broken returns why the trainer has gone back while progress was told, if it has.
func (t *Trainer) broken() error {
	if t.resident == nil {
		return nil
	}
	return t.resident.broken
}

// settle waits for all steps on a device and brings the trainer's weights up to date. If that cannot be done the trainer goes
// back to when it was done last.
func (t *Trainer) settle() error {
	r := t.resident
	if r == nil || !r.ahead {
		return nil
	}
	err := t.backed(r.Settle()) // if a step was not possible the weights are those before it
	if err != nil && !isStepError(err) {
		return t.goHome(err)
	}
	t.learn()
	if failed := r.Download(); failed != nil {
		return t.goHome(failed)
	}
	r.ahead = false
	r.home, r.homeStep = t.sampler.clone(), t.step
	return err
}

// goHome goes back to the weights that the trainer has.
func (t *Trainer) goHome(err error) error {
	r := t.resident
	for _, h := range t.heads {
		if h.kept {
			h.last, h.kept = noErrors(), false
		}
	}
	t.sampler, t.step = r.home.clone(), r.homeStep
	r.ahead, r.stale, r.broken = false, true, err
	return err
}

// isStepError says whether an error is that of a step that was not possible, after which everything is as before that step.
func isStepError(err error) bool {
	var step *dpa2.StepError
	return errors.As(err, &step)
}

// changed says that the trainer's weights are others than those of the device.
func (t *Trainer) changed() {
	if t.resident != nil {
		t.resident.stale = true
	}
}

// lastErrors finds the errors of a head's last training batch, if they are still on a device.
func (t *Trainer) lastErrors(k int) error {
	h := t.heads[k]
	if !h.kept {
		return nil
	}
	m, ok, err := t.resident.Metrics(k)
	if err != nil {
		return t.backed(err)
	}
	t.learn()
	if h.kept = false; ok {
		h.last = errorsOf(m)
	}
	return nil
}

// evaluate returns the errors of a head on a batch.
func (t *Trainer) evaluate(k int, b *dpa2.Batch, p dpa2.Prefactors) (dpa2.Metrics, error) {
	r := t.resident
	if r == nil {
		return t.program.Run(t.heads[k].model, b, p, t.gradient)
	}
	if r.stale {
		if err := r.Upload(); err != nil {
			return dpa2.Metrics{}, t.backed(err)
		}
		r.stale = false
	}
	m, err := r.Evaluate(k, b, p)
	return m, t.backed(err)
}

// moments returns what the optimiser remembers; setMoments replaces it.
func (t *Trainer) moments() (map[string]optim.Moments, error) {
	if t.resident == nil {
		return t.adam.State(), nil
	}
	return t.resident.State()
}

func (t *Trainer) setMoments(state map[string]optim.Moments) error {
	if t.resident == nil {
		return t.adam.SetState(state)
	}
	return t.resident.SetState(state)
}

// Display says which steps are displayed, by their number, which counts from 1: those whose Progress has errors also on a GPU,
// where finding them out makes the host wait. show is asked once for each step, when the step has been started; nil, as at first,
// displays all.
func (t *Trainer) Display(show func(step int) bool) { t.show = show }

func (t *Trainer) displayed(step int) bool { return t.show == nil || t.show(step) }

// Close waits for what a GPU still does and frees its memory; the trainer cannot be used any more. Without a GPU there is
// nothing to free.
func (t *Trainer) Close() error {
	var failed []error
	for _, h := range t.heads {
		if h.evaluator != nil {
			failed = append(failed, h.evaluator.Close())
		}
	}
	if t.resident != nil {
		failed = append(failed, t.resident.Close())
	} else {
		failed = append(failed, t.program.Close())
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("close trainer: %w", err)
	}
	return nil
}
