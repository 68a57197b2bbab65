package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// trainInput is the TOML file of `fedlam train`, with DeePMD-kit's names. Sections [model] and [loss] are read by
// package dpa2, which knows their keys.
type trainInput struct {
	Model        map[string]any  `toml:"model"`
	Loss         map[string]any  `toml:"loss"`
	LearningRate *optim.Schedule `toml:"learning_rate"`
	Optimizer    optim.Config    `toml:"optimizer"`
	Training     trainSection    `toml:"training"`
	Heads        []headSection   `toml:"heads"`
}

type trainSection struct {
	NumbSteps   int         `toml:"numb_steps"`
	Seed        uint64      `toml:"seed"`
	DispFreq    int         `toml:"disp_freq"`     // 1000
	SaveFreq    int         `toml:"save_freq"`     // 1000
	DispFile    string      `toml:"disp_file"`     // lcurve.out
	SaveCkpt    string      `toml:"save_ckpt"`     // model.ckpt
	MaxCkptKeep *int        `toml:"max_ckpt_keep"` // 5
	MaxNorm     float64     `toml:"gradient_max_norm"`
	Train       dataSection `toml:"training_data"`
	Validation  dataSection `toml:"validation_data"`
}

// headSection is one label convention with its data.
type headSection struct {
	Name            string      `toml:"name"`
	Convention      string      `toml:"convention"`
	Probability     float64     `toml:"probability"`
	ValidationSplit float64     `toml:"validation_split"`
	Train           dataSection `toml:"training_data"`
	Validation      dataSection `toml:"validation_data"`
}

type dataSection struct {
	Systems   []string `toml:"systems"`
	BatchSize any      `toml:"batch_size"` // a number or a word
}

// trainPlan is a checked input.
type trainPlan struct {
	config             training.Config
	heads              []training.Head
	notes              []string // what the audit of the data found, for people
	dispFreq, saveFreq int
	curve              string // path of lcurve.out
	dir, prefix        string // of the checkpoints
	keep               int
}

// readTrainInput reads the file and everything that it names. Paths are relative to the file's folder.
func readTrainInput(path string) (*trainPlan, error) {
	var in trainInput
	meta, err := toml.DecodeFile(path, &in)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	for _, key := range meta.Undecoded() {
		if key[0] != "model" && key[0] != "loss" { // those are decoded to maps and checked later
			return nil, fmt.Errorf("read %q: unknown key %q; see fedlam train --help for those there are", path, key.String())
		}
	}
	plan, err := in.plan(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return plan, nil
}

func (in *trainInput) plan(base string) (*trainPlan, error) {
	if in.Model == nil || in.LearningRate == nil {
		return nil, errors.New("sections [model] and [learning_rate] are required; fedlam train --help shows a complete file")
	}
	t := &in.Training
	p := &trainPlan{dispFreq: or(t.DispFreq, 1000), saveFreq: or(t.SaveFreq, 1000), keep: 5}
	if t.MaxCkptKeep != nil {
		p.keep = *t.MaxCkptKeep
	}
	if p.dispFreq < 0 || p.saveFreq < 0 {
		return nil, errors.New("disp_freq and save_freq must be positive")
	}
	p.curve = under(base, or(t.DispFile, "lcurve.out"))
	checkpoint := under(base, or(t.SaveCkpt, "model.ckpt"))
	p.dir, p.prefix = filepath.Dir(checkpoint), filepath.Base(checkpoint)
	model, err := training.Section(in.Model, dpa2.ParseConfig)
	if err != nil {
		return nil, err
	}
	loss, err := training.Section(in.Loss, dpa2.ParseLoss)
	if err != nil {
		return nil, err
	}
	in.Optimizer.MaxNorm = or(in.Optimizer.MaxNorm, t.MaxNorm)
	p.config = training.Config{Model: model, Loss: loss, Schedule: *in.LearningRate, Optimizer: in.Optimizer, Steps: t.NumbSteps, Seed: t.Seed}
	if p.heads, err = in.readHeads(base, model.TypeMap); err != nil {
		return nil, err
	}
	conventionFiles := make([]string, len(p.heads))
	for k, s := range in.Heads {
		conventionFiles[k] = under(base, s.Convention)
	}
	if err := p.admit(conventionFiles); err != nil {
		return nil, err
	}
	var frames []dataset.Frame
	for _, h := range p.heads {
		frames = append(frames, h.Train...)
	}
	return p, training.ResolveNeighbors(model, frames)
}

// readHeads loads the data: of each [[heads]], or of [training.training_data] for a model with one nameless head.
func (in *trainInput) readHeads(base string, typeMap []string) ([]training.Head, error) {
	t := &in.Training
	if len(in.Heads) == 0 {
		h, err := headSection{Train: t.Train, Validation: t.Validation}.read(base, typeMap, t.Seed)
		return []training.Head{h}, err
	}
	if len(t.Train.Systems)+len(t.Validation.Systems) > 0 {
		return nil, errors.New("data are given both under [training] and under [[heads]]; with heads, move them to [heads.training_data]")
	}
	var heads []training.Head
	for k, s := range in.Heads {
		if s.Convention == "" {
			return nil, fmt.Errorf("head %d: convention = \"FILE.json\" is required; it says what the labels mean", k)
		}
		h, err := s.read(base, typeMap, t.Seed)
		if err != nil {
			return nil, fmt.Errorf("head %d: %w", k, err)
		}
		heads = append(heads, h)
	}
	return heads, nil
}

func (s headSection) read(base string, typeMap []string, seed uint64) (training.Head, error) {
	h := training.Head{Name: s.Name, Probability: s.Probability}
	if s.Convention != "" {
		conv, err := dataset.ReadConvention(under(base, s.Convention))
		if err != nil {
			return h, err
		}
		key, err := conv.Key()
		if err != nil {
			return h, err
		}
		h.Convention, h.Key, h.Name = conv, string(key), or(s.Name, conv.Method.Name)
	}
	var err error
	if h.Train, err = s.Train.read(base, typeMap, h.Convention); err != nil {
		return h, err
	}
	if h.Validation, err = s.Validation.read(base, typeMap, h.Convention); err != nil {
		return h, err
	}
	if len(h.Train) == 0 {
		return h, errors.New("no training data; give systems = [\"FILE.xyz\"] under training_data")
	}
	if s.ValidationSplit > 0 {
		if len(h.Validation) > 0 {
			return h, errors.New("validation_split and validation_data exclude each other")
		}
		h.Train, h.Validation = dataset.Split(h.Train, s.ValidationSplit, seed)
	}
	switch size := s.Train.BatchSize.(type) {
	case nil:
	case int64:
		h.BatchSize = training.BatchSize(fmt.Sprint(size))
	case string:
		h.BatchSize = training.BatchSize(size)
	default:
		return h, fmt.Errorf("batch_size is %v; want a number of frames or a word such as \"auto:32\"", size)
	}
	return h, nil
}

func (d *dataSection) read(base string, typeMap []string, conv *dataset.Convention) (frames []dataset.Frame, err error) {
	for _, path := range d.Systems {
		part, err := load.OpenWith(under(base, path), conv, load.Options{TypeMap: typeMap})
		if err != nil {
			return nil, err
		}
		frames = append(frames, part...)
	}
	return frames, nil
}

// under makes a path of the input relative to the folder of the input.
func under(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// or returns v, or fallback where v is zero.
func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
