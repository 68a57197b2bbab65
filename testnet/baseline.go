package testnet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/sync/errgroup"

	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/proc"
	"github.com/fedlam/fedlam/testnet/report"
)

// trainInput is the input of `fedlam train` for one member alone.
func trainInput(m *manifest.Manifest, p *member) ([]byte, error) {
	training := map[string]any{"numb_steps": m.Steps(), "seed": m.Seed, "disp_freq": max(1, m.Steps()/4), "save_freq": m.Steps(),
		"gradient_max_norm": m.Training.MaxNorm, "max_ckpt_keep": 1}
	data := map[string]any{"systems": []string{p.Data}}
	if m.Training.BatchSize != "" {
		data["batch_size"] = m.Training.BatchSize
	}
	head := map[string]any{"convention": p.Convention, "validation_split": p.ValidationFraction, "training_data": data}
	var b strings.Builder
	e := toml.NewEncoder(&b)
	e.Indent = ""
	err := e.Encode(map[string]any{"model": m.Model, "loss": m.Loss, "learning_rate": m.LearningRate, "optimizer": m.Optimizer,
		"training": training, "heads": []any{head}})
	return []byte(b.String()), err
}

// baselines trains every member alone, at most BaselineSlots at a time, and returns their errors.
func (r *run) baselines(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(r.cfg.Manifest.BaselineSlots)
	for _, p := range r.members {
		all.Go(func() (err error) {
			if p.alone, err = r.baseline(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			return nil
		})
	}
	return all.Wait()
}

func (r *run) baseline(ctx context.Context, p *member) (none report.Errors, err error) {
	dir, err := r.cfg.Folder.makeDir("baseline", p.Name)
	if err != nil {
		return none, err
	}
	text, err := trainInput(r.cfg.Manifest, p)
	if err != nil {
		return none, err
	}
	input := filepath.Join(dir, "input.toml")
	if err := os.WriteFile(input, text, 0o644); err != nil {
		return none, err
	}
	err = r.group.Run(ctx, proc.Command{Name: p.Name + "-alone", Path: r.cfg.Program, Env: r.env(), Args: append([]string{"train", input}, r.threads()...),
		Line: func(line string) {
			if strings.HasPrefix(line, "step ") {
				r.console.sometimes(5*time.Second, p.Name, "alone: %s", line)
			}
		}})
	if err != nil {
		return none, err
	}
	errors, err := r.test(ctx, p, dir, p.Name+"-alone")
	if err == nil {
		r.console.say(p.Name, "alone: done, validation RMSE energy %.3g meV/atom, force %.3g meV/Å", errors.Energy, errors.Force)
	}
	return errors, err
}

// threads are the arguments that bound the threads of a process.
func (r *run) threads() []string {
	if n := r.cfg.Manifest.Threads; n > 0 {
		return []string{"--threads", fmt.Sprint(n)}
	}
	return nil
}

// env is the environment of every process: as many running threads as the manifest allows, for the parts that take no
// argument.
func (r *run) env() []string {
	if n := r.cfg.Manifest.Threads; n > 0 {
		return []string{fmt.Sprintf("GOMAXPROCS=%d", n)}
	}
	return nil
}
