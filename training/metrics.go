package training

import (
	"context"
	"math"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
)

// Score says how far predictions are from labels. RMSE and MAE are 0 without labels; look at N first.
type Score struct {
	N    int     `json:"n"` // numbers compared
	RMSE float64 `json:"rmse"`
	MAE  float64 `json:"mae"`
}

// Metrics compares predictions with labels over a set of frames.
type Metrics struct {
	Frames int   `json:"frames"`
	Energy Score `json:"energy"` // eV per atom; one number per frame
	Force  Score `json:"force"`  // eV/Å; one per component
	Virial Score `json:"virial"` // eV per atom; nine per frame
}

// Comparison adds up errors frame by frame. The zero value is empty.
type Comparison struct {
	frames                int
	energy, force, virial errorSum
}

type errorSum struct {
	n            int
	squares, abs float64
}

func (s *errorSum) add(e float64) {
	s.n++
	s.squares += e * e
	s.abs += math.Abs(e)
}

func (s *errorSum) score() Score {
	if s.n == 0 {
		return Score{}
	}
	n := float64(s.n)
	return Score{s.n, math.Sqrt(s.squares / n), s.abs / n}
}

// Add enters a frame with its prediction. Labels that the frame lacks do not count; energies and virials are divided
// by the number of atoms, virtual ones left out.
func (c *Comparison) Add(f *dataset.Frame, p *dpa2.Prediction) {
	c.frames++
	atoms := 0.0
	for i, name := range f.Species {
		if name == "" {
			continue
		}
		atoms++
		if f.Forces != nil {
			for k := 3 * i; k < 3*i+3; k++ {
				c.force.add(p.Forces[k] - f.Forces[k])
			}
		}
	}
	if atoms == 0 {
		return
	}
	if f.Energy != nil {
		c.energy.add((p.Energy - *f.Energy) / atoms)
	}
	if f.Virial != nil {
		for k, want := range f.Virial {
			c.virial.add((p.Virial[k] - want) / atoms)
		}
	}
}

// Metrics returns the errors so far.
func (c *Comparison) Metrics() Metrics {
	return Metrics{c.frames, c.energy.score(), c.force.score(), c.virial.score()}
}

// Validate evaluates the validation frames of a head with the weights as they are now. When ctx ends it returns early
// with the context's error.
func (t *Trainer) Validate(ctx context.Context, key string) (Metrics, error) {
	h, err := t.head(key)
	if err != nil {
		return Metrics{}, err
	}
	if err := t.settle(); err != nil {
		return Metrics{}, err
	}
	if h.evaluator == nil {
		if h.evaluator, err = dpa2.NewEvaluatorAt(h.model, t.cfg.Precision, t.cfg.Place); err != nil {
			return Metrics{}, err
		}
	}
	h.evaluator.Load()
	var c Comparison
	for first := 0; first < len(h.Validation); {
		if err := ctx.Err(); err != nil {
			return Metrics{}, err
		}
		positions := chunk(h.Validation, first)
		batch, err := t.samples.batch(dpa2.NewCollator(t.cfg.Model), h.Key, h.Validation, positions)
		if err != nil {
			return Metrics{}, err
		}
		predictions, err := h.evaluator.EvaluateBatch(batch)
		if err != nil {
			return Metrics{}, err
		}
		for k, i := range positions {
			c.Add(&h.Validation[i], &predictions[k])
		}
		first += len(positions)
	}
	return c.Metrics(), nil
}

// chunkAtoms is how many atoms are evaluated at once.
const chunkAtoms = 512

// chunk lists the frames from first on that are evaluated together.
func chunk(frames []dataset.Frame, first int) (positions []int) {
	atoms := 0
	for i := first; i < len(frames); i++ {
		if atoms += frames[i].NumAtoms(); atoms > chunkAtoms && i > first {
			break
		}
		positions = append(positions, i)
	}
	return positions
}

// CurveRow returns the line of the learning curve for the step just done: for each head the errors of its last training
// batch, and those of one validation batch with the present weights. The batches take turns, so that a row depends
// on the step and the weights only.
func (t *Trainer) CurveRow() (CurveRow, error) {
	row := CurveRow{Step: t.step, LR: t.schedule.At(max(0, t.step-1))}
	for k, h := range t.heads {
		if err := t.lastErrors(k); err != nil {
			return row, err
		}
		e := CurveErrors{Training: h.last, Validation: noErrors()}
		if len(h.Validation) > 0 {
			n := len(h.Validation)
			positions := chunk(h.Validation, t.step*validationStride%n)
			per, err := h.BatchSize.frames(max(1, h.Validation[positions[0]].NumAtoms()))
			if err != nil {
				return row, err
			}
			batch, err := t.samples.batch(dpa2.NewCollator(t.cfg.Model), h.Key, h.Validation, positions[:min(per, len(positions))])
			if err != nil {
				return row, err
			}
			m, err := t.evaluate(k, batch, t.cfg.Loss.At(row.LR, t.schedule.StartLR))
			if err != nil {
				return row, err
			}
			e.Validation = errorsOf(m)
		}
		row.Heads = append(row.Heads, e)
	}
	return row, nil
}

// validationStride is a prime, so that rows at round numbers of steps do not meet the same frames again.
const validationStride = 7919

// CurveColumns returns the columns that CurveRow fills.
func (t *Trainer) CurveColumns() CurveColumns {
	l := &t.cfg.Loss
	c := CurveColumns{Energy: l.StartPrefE*l.LimitPrefE != 0, Force: l.StartPrefF*l.LimitPrefF != 0, Virial: l.StartPrefV*l.LimitPrefV != 0}
	for _, h := range t.heads {
		c.Heads = append(c.Heads, h.Key)
		c.Validation = c.Validation || len(h.Validation) > 0
	}
	return c
}

func noErrors() Errors {
	nan := math.NaN()
	return Errors{nan, nan, nan, nan}
}
