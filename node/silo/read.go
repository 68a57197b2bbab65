package silo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
)

// read loads all sets and groups them by head.
func read(ctx context.Context, cfg Config) ([]training.Head, error) {
	byKey := map[string]*training.Head{}
	for _, set := range cfg.Sets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		convention, err := dataset.ReadConvention(set.Convention)
		if err != nil {
			return nil, err
		}
		key, err := convention.Key()
		if err != nil {
			return nil, fmt.Errorf("convention %q: %w", set.Convention, err)
		}
		frames, err := load.OpenWith(set.Path, convention, load.Options{TypeMap: cfg.Recipe.Model.TypeMap})
		if err != nil {
			return nil, err
		}
		if err := admit(cfg, set, frames); err != nil {
			return nil, err
		}
		h := byKey[string(key)]
		if h == nil {
			h = &training.Head{Key: string(key), Name: convention.Method.Name, Convention: convention, BatchSize: cfg.BatchSize}
			byKey[string(key)] = h
		}
		// Until the split all frames wait in Train.
		h.Train = append(h.Train, frames...)
	}
	var heads []training.Head
	for _, h := range byKey {
		if err := split(cfg, h); err != nil {
			return nil, err
		}
		heads = append(heads, *h)
	}
	if len(heads) == 0 {
		return nil, ErrNoData
	}
	slices.SortFunc(heads, func(a, b training.Head) int { return cmp.Compare(a.Key, b.Key) })
	return heads, nil
}

// admit audits a set and checks that the model knows its elements.
func admit(cfg Config, set Set, frames []dataset.Frame) error {
	for i := range frames {
		for _, name := range frames[i].Species {
			if name != "" && !slices.Contains(cfg.Recipe.Model.TypeMap, name) {
				return fmt.Errorf("%s: %w", frames[i].Name(), &dpa2.UnknownElementError{Element: name, TypeMap: cfg.Recipe.Model.TypeMap})
			}
		}
	}
	report := dataset.Audit(frames)
	if err := report.Err(); err != nil {
		return fmt.Errorf("audit of %q under convention %q: %w", set.Path, set.Convention, err)
	}
	for _, warning := range report.Warnings() {
		cfg.Log.Warn("audit: "+warning, "data", set.Path)
	}
	cfg.Log.Info("data read", "data", set.Path, "frames", report.Frames, "atoms", report.Atoms)
	return nil
}

// split drops copies, which would make validation look better than it is, and divides the rest.
func split(cfg Config, h *training.Head) error {
	seen := map[dataset.Fingerprint]bool{}
	all := slices.DeleteFunc(h.Train, func(f dataset.Frame) bool {
		p := f.Fingerprint()
		copied := seen[p]
		seen[p] = true
		return copied
	})
	h.Train, h.Validation = dataset.Split(all, cfg.ValidationFraction, cfg.Seed)
	if len(h.Train) == 0 {
		return fmt.Errorf("head %s: %w", h.Key, ErrNoData)
	}
	return nil
}
