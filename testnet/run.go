package testnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/ports"
	"github.com/fedlam/fedlam/testnet/proc"
	"github.com/fedlam/fedlam/testnet/report"
)

// Config says what to run and where. Program and Grace may be left out.
type Config struct {
	Manifest *manifest.Manifest
	Folder   *Folder
	// Out takes the progress, in lines.
	Out io.Writer
	// Program is the fedlam that is run; default: the running program.
	Program string
	// Grace is how long a process may take to stop; default 10 s.
	Grace time.Duration
}

// A run is one federation from manifest to report.
type run struct {
	cfg     Config
	console *console
	group   *proc.Group
	members []*member
	nodes   []*node
	ports   *ports.Held // of the nodes, once they are founded
	report  *report.Report

	progress *progress
}

// Run runs the federation and returns what came of it. When ctx ends all processes are stopped and the context's error is
// returned. An error means that there is no result; a result that does not meet the manifest's expectations is no error,
// see Report.Met.
func Run(ctx context.Context, cfg Config) (*report.Report, error) {
	if cfg.Manifest == nil || cfg.Folder == nil {
		return nil, errors.New("run a federation: manifest and folder are needed")
	}
	if cfg.Out == nil {
		cfg.Out = io.Discard
	}
	group, err := proc.NewGroup(proc.Config{LogDir: cfg.Folder.Path("logs"), Grace: cfg.Grace})
	if err != nil {
		return nil, err
	}
	defer group.Close()
	m := cfg.Manifest
	r := &run{cfg: cfg, group: group, report: &report.Report{Version: report.Version, Name: m.Name, Started: time.Now().UTC().Truncate(time.Second),
		Rounds: int(m.Rounds), LocalSteps: m.StepsPerRound(), Commands: []report.Command{}}}
	var names []string
	for _, p := range m.Members {
		names = append(names, p.Name)
	}
	r.console = newConsole(cfg.Out, names)
	defer r.closePorts()
	if err := r.all(ctx); err != nil {
		if ctx.Err() != nil {
			group.Close()
			return nil, fmt.Errorf("interrupted: all processes are stopped; run the same command again to begin anew in %s (%w)", cfg.Folder.dir, ctx.Err())
		}
		return nil, fmt.Errorf("federation %s: %w", m.Name, err)
	}
	r.report.Wall = time.Since(r.console.start).Seconds()
	r.report.Judge(m.Expect.ForceOfReference, m.Expect.ForceOfLocal)
	return r.report, nil
}

// closePorts lets others have the ports. That a lock does not close harms nobody, for it ends with the process.
func (r *run) closePorts() {
	if r.ports != nil {
		r.ports.Close()
	}
}

// all goes through the stages.
func (r *run) all(ctx context.Context) error {
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"data", r.prepare},
		{"local-only training", r.baselines},
		{"federation", r.federate},
		{"verification", r.verify},
		{"scores", r.score},
	} {
		start := time.Now()
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.report.Stages = append(r.report.Stages, report.Stage{Name: s.name, Wall: time.Since(start).Seconds()})
	}
	return nil
}

// prepare reads the data and says what is going to happen and how long it will take.
func (r *run) prepare(ctx context.Context) error {
	m := r.cfg.Manifest
	r.console.say(us, "%s: %d members, %d rounds of %d local steps; everything is kept in %s", m.Name, len(m.Members), m.Rounds, m.StepsPerRound(), r.cfg.Folder.dir)
	var err error
	if r.members, err = openMembers(m, r.cfg.Folder); err != nil {
		return err
	}
	for _, p := range r.members {
		text := fmt.Sprintf("%d frames for training, %d for validation, head %s %s", len(p.train), p.held, p.title, p.key)
		if p.copies > 0 {
			text += fmt.Sprintf("; %d copies left out", p.copies)
		}
		r.console.say(p.Name, "%s", text)
	}
	e, err := measure(ctx, m, r.members)
	if err != nil {
		return err
	}
	r.console.say(us, "about %s: local-only training %s, federation %s and the exchange of %d rounds", (e.alone + e.together).Round(time.Second),
		e.alone.Round(time.Second), e.together.Round(time.Second), m.Rounds+1)
	return nil
}

// us is who speaks when the run itself does.
const us = "testnet"
