package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/hardware"
	"github.com/fedlam/fedlam/training/memory"
)

// predictor are the arguments that eval and test share.
type predictor struct {
	Model      string `arg:"" help:"Model: a folder written by train or pull, or a DeePMD-kit model in YAML."`
	Frames     string `arg:"" help:"Frames: an extended XYZ file, a DeePMD system, or either with a range, as in water.xyz:0:100."`
	Head       string `help:"Head of a model with several: its key or its name."`
	Precision  string `default:"float64" enum:"float64,float32" help:"Arithmetic: ${enum}."`
	Convention string `help:"Label convention of FRAMES (JSON); without it they are in canonical units: Å, eV, eV/Å."`
	Threads    int    `help:"Threads; 0 uses all cores."`
	computing
}

// A labelling says whether labels are needed.
type labelling int

const (
	labelled labelling = iota
	unlabelled
)

// open reads model and frames, with the labels that the convention demands or, for labels == unlabelled, without any.
func (p *predictor) open(labels labelling) (*dpa2.Model, []dataset.Frame, error) {
	m, err := training.OpenModel(p.Model)
	if err != nil {
		return nil, nil, err
	}
	head, err := m.Head(p.Head)
	if err != nil {
		return nil, nil, err
	}
	var conv *dataset.Convention
	if p.Convention != "" {
		if conv, err = dataset.ReadConvention(p.Convention); err != nil {
			return nil, nil, err
		}
		if labels == unlabelled {
			conv = conv.WithoutLabels()
		}
	}
	frames, err := load.OpenWith(p.Frames, conv, load.Options{TypeMap: m.Description.Model.TypeMap})
	return head, frames, err
}

// protect refuses an output that is an input.
func (p *predictor) protect(outputs ...string) error {
	frames, _, _ := strings.Cut(p.Frames, ":") // without the range
	for _, input := range []string{p.Model, p.Frames, frames, p.Convention} {
		a, err := os.Stat(input)
		if err != nil {
			continue // it has been read, so that this is not its name
		}
		for _, path := range outputs {
			if b, err := os.Stat(path); err == nil && os.SameFile(a, b) {
				return fmt.Errorf("%q is read and would be overwritten; give the output another name", path)
			}
		}
	}
	return nil
}

// chunkAtoms is how many atoms are evaluated between two looks at the clock.
const chunkAtoms = 512

// run predicts the frames in order and hands each to visit.
func (p *predictor) run(ctx context.Context, m *dpa2.Model, frames []dataset.Frame, visit func(f *dataset.Frame, p *dpa2.Prediction)) error {
	place, err := p.openPlace(p.Threads, os.Stderr)
	if err != nil {
		return err
	}
	return errors.Join(p.runAt(ctx, place, m, frames, visit), place.Close())
}

func (p *predictor) runAt(ctx context.Context, place *hardware.Place, m *dpa2.Model, frames []dataset.Frame, visit func(f *dataset.Frame, p *dpa2.Prediction)) error {
	evaluator, err := dpa2.NewEvaluatorAt(m, dpa2.Precision(p.Precision), place.Place)
	if err != nil {
		return err
	}
	clock := newETA(os.Stderr, len(frames))
	if place.Device == nil {
		evaluator.Limit(memory.OrUnlimited)
	}
	dropped := 0
	for first := 0; first < len(frames); {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("interrupted after %d of %d frames; nothing was written", first, len(frames))
		}
		last, atoms := first, 0
		for last < len(frames) && (last == first || atoms+frames[last].NumAtoms() <= chunkAtoms) {
			atoms += frames[last].NumAtoms()
			last++
		}
		evaluator.Watch(clock.within(first, last))
		batch, err := dpa2.NewBatch(m.Config, frames[first:last])
		if err != nil {
			return atFrame(err, first)
		}
		predictions, err := evaluator.EvaluateBatch(batch)
		if err != nil {
			return atFrame(err, first)
		}
		dropped += batch.Dropped()
		for k := range predictions {
			visit(&frames[first+k], &predictions[k])
		}
		first = last
		clock.report(first, "frames")
	}
	if dropped > 0 {
		fmt.Fprintf(os.Stderr, "note: %s\n", tooManyNeighbors(dropped, m.Config))
	}
	return nil
}

// tooManyNeighbors says that atoms had more neighbours than the model looks at.
func tooManyNeighbors(dropped int, cfg *dpa2.Config) string {
	return fmt.Sprintf("%d neighbours within the cut-off were left out, since the model looks at the nearest %d of an atom only (nsel)", dropped, cfg.Descriptor.Repinit.NSel.Count)
}

// atFrame counts the frame in an error from the beginning of the input.
func atFrame(err error, first int) error {
	var fe *dpa2.FrameError
	if errors.As(err, &fe) {
		fe.Position += first
	}
	return err
}

// eta reports progress of what takes longer than two seconds, at most once per second.
type eta struct {
	w           io.Writer
	total       int
	start, last time.Time
}

func newETA(w io.Writer, total int) *eta { return &eta{w: w, total: total, start: time.Now()} }

func (e *eta) report(done int, what string) {
	if done > 0 && e.due() {
		fmt.Fprintf(e.w, "%d of %d %s, %s left\n", done, e.total, what, e.left(float64(done)))
	}
}

// within returns a function that reports which part is done of the frames first to last (excluded), from one per cent on,
// before which nothing can be estimated; nil for several frames, which are small.
func (e *eta) within(first, last int) func(part float64) {
	if last-first > 1 {
		return nil
	}
	return func(part float64) {
		if part >= 0.01 && e.due() {
			fmt.Fprintf(e.w, "%.0f %% of frame %d of %d, %s left\n", 100*part, last, e.total, e.left(float64(first)+part))
		}
	}
}

// due reports whether it is time for a report.
func (e *eta) due() bool {
	now := time.Now()
	if now.Sub(e.start) < 2*time.Second || now.Sub(e.last) < time.Second {
		return false
	}
	e.last = now
	return true
}

// left estimates the remaining time from the average speed so far.
func (e *eta) left(done float64) time.Duration {
	if done <= 0 {
		return 0
	}
	return time.Duration(float64(time.Since(e.start)) * (float64(e.total) - done) / done).Round(time.Second)
}
