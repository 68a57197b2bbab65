package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
)

const maxConfig = 16 << 20

// openTrainer reads the data, unless the trainer was given.
func (n *Node) openTrainer(ctx context.Context) error {
	if n.trainer = n.cfg.Trainer; n.trainer == nil {
		s, err := n.openSilo(ctx)
		if err != nil {
			return err
		}
		n.trainer = s
	}
	return n.openStream()
}

func (n *Node) openSilo(ctx context.Context) (*silo.Silo, error) {
	text, err := blocks.FileReader{From: n.store, Limit: maxConfig}.Read(ctx, n.genesis.Config)
	if err != nil {
		return nil, fmt.Errorf("the model configuration is not in the folder: run `fedlam join` again with the founding folder: %w", err)
	}
	model, err := founding.DecodeModelConfig(text)
	if err != nil {
		return nil, err
	}
	h, r := n.cfg.Home, model.Training
	cfg := silo.Config{ValidationFraction: *h.Config.Training.ValidationFraction, Seed: h.Config.Training.Seed, Threads: h.Config.Training.Threads,
		Precision: r.Precision, BatchSize: training.BatchSize(r.BatchSize), Log: n.log,
		Recipe: silo.Recipe{Model: model.Model, Loss: r.Loss, Schedule: r.LearningRate, Optimizer: r.Optimizer,
			Steps: int(r.Rounds * n.genesis.Rules.Steps)}}
	if err := n.openPlace(); err != nil {
		return nil, err
	}
	cfg.Place = n.place.Place
	if p := h.Config.Training.Precision; p != "" {
		cfg.Precision = dpa2.Precision(p)
	}
	if b := h.Config.Training.BatchSize; b != "" {
		cfg.BatchSize = training.BatchSize(b)
	}
	if cfg.Canaries, err = n.readCanaries(ctx); err != nil {
		return nil, err
	}
	for _, d := range h.Config.Data {
		cfg.Sets = append(cfg.Sets, silo.Set{Path: h.Path(d.Path), Convention: h.Path(d.Convention)})
	}
	n.log.Info("reading the data")
	s, err := silo.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return n.resume(ctx, cfg, s)
}

// openPlace opens the GPU that the owner wants, or finds that there is none.
func (n *Node) openPlace() (err error) {
	c := n.cfg.Home.Config.Training
	if n.place, err = c.Device.Open(c.Threads); err != nil {
		return fmt.Errorf("%w; set device in [training] of node.toml to auto or cpu to do without", err)
	}
	if n.place.Broken {
		n.log.Warn(n.place.Notice)
	} else {
		n.log.Info(n.place.Notice)
	}
	return nil
}

// closePlace gives the GPU back, once nothing trains any more.
func (n *Node) closePlace() error {
	var failed []error
	if s, own := n.trainer.(*silo.Silo); own {
		failed = append(failed, s.Close())
	}
	if n.place != nil {
		failed = append(failed, n.place.Close())
	}
	return errors.Join(failed...)
}

// resume continues with the local state of an earlier run, if there is any.
func (n *Node) resume(ctx context.Context, cfg silo.Config, s *silo.Silo) (*silo.Silo, error) {
	folder, err := n.stateFolder()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(folder); err != nil {
		return s, nil
	}
	failed := s.Resume(folder)
	if failed == nil {
		n.log.Info("continuing with the local optimizer's state", "steps", s.Step())
		return s, nil
	}
	n.log.Warn("the local optimizer's state does not fit the data any more; its moments begin anew, local heads are kept", "reason", failed)
	if err := s.Close(); err != nil {
		return nil, err
	}
	if s, err = silo.Open(ctx, cfg); err != nil {
		return nil, err
	}
	return s, s.Adopt(folder)
}

func (n *Node) stateFolder() (string, error) { return n.cfg.Home.Data("local", "state") }

// checkHeads compares what the data are with what the list of members says.
func (n *Node) checkHeads(m *ledger.Member) error {
	listed := map[string]bool{}
	for _, key := range m.Heads {
		listed[key] = true
	}
	for _, h := range n.trainer.Heads() {
		if !listed[h.Key] {
			return fmt.Errorf("the data of head %s (%s) are made under a convention that the genesis does not list for this member, nor the epoch: remove the data set, or correct the convention file so that it says what the card said", h.Key, h.Name)
		}
		delete(listed, h.Key)
	}
	for key := range listed {
		n.log.Warn("the genesis lists a head for this member that has no data here; it takes no part in it", "head", key)
	}
	return nil
}

func (n *Node) collect(a federation.CollectSetup) {
	n.work.add(job{mustRun, func(ctx context.Context) {
		sums, err := n.trainer.Collect(ctx)
		n.answer(ctx, a.Round, err, federation.SetupSummed{Round: a.Round, Sums: sums})
	}})
}

func (n *Node) apply(a federation.ApplySetup) {
	n.work.add(job{mustRun, func(ctx context.Context) {
		w, err := n.trainer.Apply(ctx, a.Weights, a.Totals)
		n.answer(ctx, a.Round, err, federation.SetupApplied{Round: a.Round, Attempt: a.Attempt, Weights: w})
	}})
}

func (n *Node) train(a federation.Train) {
	n.work.add(job{canBeLeft, func(ctx context.Context) {
		update, err := n.localSteps(ctx, a)
		n.answer(ctx, a.Round, err, federation.Trained{Round: a.Round, Update: update})
	}})
}

// answer posts e, or the failure. Work that was cut off because it is of no use any more has no answer.
func (n *Node) answer(ctx context.Context, round uint64, err error, e federation.Event) {
	switch {
	case err == nil:
		n.mail.post(e)
	case ctx.Err() == nil:
		n.log.Error("local work failed", "round", round, "error", err)
		n.mail.post(federation.Failed{Round: round, Reason: "local work failed"})
	}
}

// install hands certified weights to the trainer, evaluates them on the own validation frames, and keeps the local state.
func (n *Node) install(a federation.Install) error {
	n.noteElements()
	closed := n.closed
	n.network.Discard(a.Round + 1)
	if a.Record.Kind != ledger.Change {
		if err := n.forgetLeaving(); err != nil {
			return err
		}
	}
	n.log.Info(MsgCertified, "round", a.Round, "kind", a.Record.Kind, "record", a.Record.CID().String(),
		"weights", a.Record.WeightsOut.String(), "members", survivors(a.Record))
	n.work.add(job{mustRun, func(ctx context.Context) {
		n.trainer.CloseRows(closed)
		if err := n.takeOver(ctx, a); err != nil {
			n.failLocally("install certified weights", err)
			return
		}
		n.evaluate(ctx, a)
		folder, err := n.stateFolder()
		if err == nil {
			err = disk.Explain(n.trainer.Save(folder))
		}
		if err != nil {
			n.failLocally("keep the local state", err)
		}
	}})
	return nil
}

func survivors(r *ledger.Round) int {
	if len(r.Groups) == 0 {
		return 0
	}
	return len(r.Groups[0].Survivors)
}

// noteElements remembers which elements too few members have.
func (n *Node) noteElements() {
	if closed := n.machine.Closed(); closed != nil {
		n.closed = closed
	}
}

// failLocally ends the node: its owner has to look.
func (n *Node) failLocally(what string, err error) {
	n.stop(fmt.Errorf("%s: %w", what, err))
}

// evaluate writes the errors on the own validation frames to a file that stays here.
func (n *Node) evaluate(ctx context.Context, a federation.Install) {
	results, err := n.trainer.Validate(ctx)
	if err != nil {
		if ctx.Err() == nil {
			n.log.Error("validation failed", "round", a.Round, "error", err)
		}
		return
	}
	results.Round, results.Weights = a.Round, a.Record.WeightsOut.String()
	results.Sent, results.Received = n.traffic.Totals()
	for key, h := range results.Heads {
		if h.Validation.Frames == 0 {
			continue
		}
		n.log.Info(MsgResults, "round", a.Round, "head", key, "name", h.Name, "frames", h.Validation.Frames,
			"energy_rmse", h.Validation.Energy.RMSE, "force_rmse", h.Validation.Force.RMSE)
	}
	if err := n.writeResults(results); err != nil {
		n.failLocally("write results", err)
	}
}

func (n *Node) writeResults(r silo.Results) error {
	path, err := n.cfg.Home.Data("results", fmt.Sprintf("round-%06d.json", r.Round))
	if err != nil {
		return err
	}
	text, err := r.Text()
	if err != nil {
		return err
	}
	return disk.WriteFile(filepath.Clean(path), text, 0o600)
}
