package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fedlam/fedlam/training"
)

type trainCmd struct {
	Config  string `arg:"" help:"Training input in TOML."`
	Resume  bool   `help:"Continue from the newest checkpoint; the result has the same bits as without the interruption."`
	Threads int    `help:"Threads; 0 uses all cores. Results do not depend on it."`
	computing
}

// Help is shown by `fedlam train --help`.
func (trainCmd) Help() string {
	return `Trains one trunk with a head for each label convention on this machine. The input has DeePMD-kit's sections and keys, as TOML.
Before the first step the frames are audited: labels that contradict each other, such as a unit declared wrongly, are refused.
Ctrl-C saves a checkpoint. Files are relative to the folder of the input: lcurve.out, and model.ckpt-<step>/ with weights
(safetensors), config.json and what --resume needs; the file "checkpoint" names the newest. model.ckpt.statistics.json keeps
sums over the training frames, and no frame, so that a new start with the same frames and model is quicker; remove it freely.
On a GPU (--device) weights and optimizer stay in its memory, batch_size "auto:memory" fills it, and results differ from those of a processor in rounding.
Batches are prepared while the step before runs; the last lines say which part of the time was spent waiting for data.

Example:
  fedlam train input.toml
with input.toml:
  [model]
  type_map = ["O", "H"]
  [model.descriptor]
  type = "dpa2"
  [model.descriptor.repinit]
  rcut = 6.0
  rcut_smth = 0.5
  nsel = 120
  [model.descriptor.repformer]
  rcut = 4.0
  rcut_smth = 3.5
  nsel = 48
  [model.fitting_net]
  neuron = [240, 240, 240]
  [learning_rate]
  type = "exp"
  start_lr = 1e-3
  stop_lr = 3.5e-8
  decay_steps = 5000
  [loss]
  start_pref_e = 0.02
  limit_pref_e = 1
  start_pref_f = 1000
  limit_pref_f = 1
  [training]
  numb_steps = 100000
  gradient_max_norm = 5.0
  disp_freq = 100
  save_freq = 2000
  [[heads]]
  name = "water"
  convention = "water.json"
  probability = 1.0
  [heads.training_data]
  systems = ["water.xyz:0:900"]
  batch_size = "auto:32"
  [heads.validation_data]
  systems = ["water.xyz:900:1000"]
Further keys: [optimizer] type ("Adam", "AdamW"), weight_decay, adam_beta1, adam_beta2, eps; [learning_rate] type "cosine",
stop_lr_ratio, decay_rate, smooth, warmup_steps, warmup_ratio, warmup_start_factor; [training] seed, disp_file, save_ckpt,
max_ckpt_keep; [[heads]] validation_split = 0.1 in place of validation data. Without [[heads]], data in canonical units
(Å, eV, eV/Å) are read from [training.training_data] and [training.validation_data].`
}

func (c *trainCmd) Run(ctx context.Context) error {
	plan, err := readTrainInput(c.Config)
	if err != nil {
		return err
	}
	place, err := c.Device.Open(c.Threads)
	if err != nil {
		return err
	}
	plan.config.Threads, plan.config.Place = c.Threads, place.Place
	s := &trainSession{plan: plan, out: os.Stdout}
	fmt.Fprintln(s.out, place.Notice)
	if err = s.start(c.Resume); err == nil {
		err = s.run(ctx)
	}
	if s.trainer != nil {
		err = errors.Join(err, s.trainer.Close())
	}
	err = errors.Join(err, place.Close())
	if errors.Is(err, errInterrupted) {
		return fmt.Errorf("%w; continue with: fedlam train %s --resume", err, c.Config)
	}
	return err
}

// errInterrupted says that the training stopped early and was saved.
var errInterrupted = errors.New("interrupted")

// A trainSession is one training on this machine, from input to last checkpoint.
type trainSession struct {
	plan    *trainPlan
	out     io.Writer
	trainer *training.Trainer
	curve   *training.Curve
	clock   *eta
	waited  time.Duration // for data
	saved   int           // step of the newest checkpoint
	warned  bool          // of neighbours left out
}

// start makes the trainer, fresh or from the newest checkpoint.
func (s *trainSession) start(resume bool) error {
	latest, err := training.LatestCheckpoint(s.plan.dir)
	if err != nil {
		return err
	}
	switch {
	case latest != "" && !resume:
		return fmt.Errorf("%q holds the checkpoint of an earlier training; continue it with --resume, or choose another place with save_ckpt", latest)
	case latest == "" && resume:
		return fmt.Errorf("there is no checkpoint in %q to resume from; start without --resume", s.plan.dir)
	}
	if s.trainer, err = training.New(s.plan.config, s.plan.heads); err != nil {
		return err
	}
	s.trainer.Display(s.displays)
	if err := training.CheckPlace(s.plan.dir, s.plan.prefix); err != nil {
		return fmt.Errorf("%w; make the folder writable, or choose another place with save_ckpt", err)
	}
	for _, h := range s.plan.heads {
		fmt.Fprintf(s.out, "head %s: %d training frames, %d validation frames\n", headTitle(h.Key, h.Name), len(h.Train), len(h.Validation))
	}
	for _, n := range s.plan.notes {
		fmt.Fprintln(s.out, n)
	}
	if resume {
		if err := s.trainer.Resume(latest); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "continuing after step %d\n", s.trainer.Step())
	} else if err := s.prepare(); err != nil {
		return err
	}
	if s.saved = -1; resume {
		s.saved = s.trainer.Step()
	}
	s.curve, err = training.OpenCurve(s.plan.curve, s.trainer.CurveColumns(), s.trainer.Step())
	if err != nil {
		return fmt.Errorf("%w; make room, or choose another place with disp_file", err)
	}
	return nil
}

// prepare computes statistics and warns of what the data cannot determine.
func (s *trainSession) prepare() error {
	file := filepath.Join(s.plan.dir, s.plan.prefix+".statistics.json")
	if err := s.trainer.PrepareCached(file, func(line string) { fmt.Fprintln(s.out, "note: "+line) }); err != nil {
		return err
	}
	for _, h := range s.plan.heads {
		ref, err := s.trainer.Reference(h.Key)
		if err == nil && ref.Rank < ref.Present {
			fmt.Fprintf(s.out, "head %s: compositions determine %d of %d element energies; totals are right, single elements mean nothing\n", headTitle(h.Key, h.Name), ref.Rank, ref.Present)
		}
	}
	return nil
}

func headTitle(key, name string) string {
	if key == "" && name == "" {
		return "(only)"
	}
	return strings.TrimSpace(key + " " + name)
}

// run trains to the end, or until ctx ends; then it saves and returns errInterrupted.
func (s *trainSession) run(ctx context.Context) error {
	defer s.curve.Close()
	todo := s.trainer.Steps() - s.trainer.Step()
	if todo <= 0 {
		fmt.Fprintf(s.out, "all %d steps are done; raise numb_steps to go on\n", s.trainer.Steps())
		return nil
	}
	s.clock = newETA(s.out, todo)
	began := time.Now()
	if err := s.steps(ctx, todo); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "waited for data %.1f %% of the time\n", 100*s.waited.Seconds()/max(1e-9, time.Since(began).Seconds()))
	if err := s.save(); err != nil {
		return err
	}
	return s.summary(ctx)
}

// steps trains until todo steps are done, ctx ends, or something goes wrong.
func (s *trainSession) steps(ctx context.Context, todo int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failed error
	first := s.trainer.Step()
	err := s.trainer.Run(ctx, todo, func(p training.Progress) {
		s.waited += p.Waited
		if failed = s.after(p, p.Step-first); failed != nil {
			stop()
		}
	})
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return s.stopped(err)
	}
	return nil
}

// stopped saves what an interruption left; other errors keep the older checkpoint.
func (s *trainSession) stopped(err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	if err := s.save(); err != nil {
		return err
	}
	return fmt.Errorf("%w after step %d of %d; everything is saved", errInterrupted, s.trainer.Step(), s.trainer.Steps())
}

// displays says whether a step is printed: those of the learning curve, and one now and then in between.
func (s *trainSession) displays(step int) bool {
	return s.inCurve(step) || time.Since(s.clock.last) > 10*time.Second
}

func (s *trainSession) inCurve(step int) bool { return step == 1 || step%s.plan.dispFreq == 0 }

// after writes the learning curve, progress and checkpoints when their time has come.
func (s *trainSession) after(p training.Progress, done int) error {
	if p.Dropped > 0 && !s.warned {
		s.warned = true
		fmt.Fprintf(s.out, "note: in the batch of step %d %s; raise nsel of descriptor.repinit, or set it to \"auto\"\n", p.Step, tooManyNeighbors(p.Dropped, s.plan.config.Model))
	}
	if s.inCurve(p.Step) {
		row, err := s.trainer.CurveRow()
		if err != nil {
			return err
		}
		if err := s.curve.Write(row); err != nil {
			return s.uncurved(err)
		}
	}
	if p.Displayed {
		s.clock.last = time.Now()
		fmt.Fprintf(s.out, "step %d of %d  lr %.1e  head %s  loss %.3e  energy %.3g meV/atom  force %.3g meV/Å  %s left\n",
			p.Step, p.Steps, p.LR, headTitle(p.Head, ""), p.Errors.Total*p.Errors.Total, 1e3*p.Errors.Energy, 1e3*p.Errors.Force, s.clock.left(float64(done)))
	}
	if p.Step%s.plan.saveFreq == 0 {
		return s.save()
	}
	return nil
}

// uncurved saves the training when its learning curve cannot be written.
func (s *trainSession) uncurved(err error) error {
	if failed := s.save(); failed != nil {
		return failed
	}
	return fmt.Errorf("%w; the training is saved after step %d: %s, then continue with --resume", err, s.saved, remedy(err))
}

// remedy says what to do about a place that cannot be written to.
func remedy(err error) string {
	if errors.Is(err, syscall.ENOSPC) {
		return "make room"
	}
	return "mend this"
}

func (s *trainSession) save() error {
	if s.saved == s.trainer.Step() {
		return nil
	}
	if _, err := s.trainer.SaveNumbered(s.plan.dir, s.plan.prefix, s.plan.keep); err != nil {
		if s.saved < 0 {
			return fmt.Errorf("%w; there is no checkpoint yet: %s, then start again", err, remedy(err))
		}
		return fmt.Errorf("%w; the checkpoint of step %d is whole: %s, then continue from it with --resume", err, s.saved, remedy(err))
	}
	s.saved = s.trainer.Step()
	return nil
}

// summary prints the errors of each head on its validation frames, and what to do next.
func (s *trainSession) summary(ctx context.Context) error {
	for _, h := range s.plan.heads {
		if len(h.Validation) == 0 {
			continue
		}
		m, err := s.trainer.Validate(ctx, h.Key)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "head %s: validation RMSE energy %.3g meV/atom, force %.3g meV/Å (%d frames)\n", headTitle(h.Key, h.Name), 1e3*m.Energy.RMSE, 1e3*m.Force.RMSE, m.Frames)
	}
	fmt.Fprintf(s.out, "done; test the model with: fedlam test %s FRAMES\n", s.plan.dir)
	return nil
}
