package testnet

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/report"
)

// A member is an institution with what the run knows of its data. Only the run looks at more than one member's.
type member struct {
	manifest.Member
	key        dataset.Key
	title      string // of the method, for people
	train      []dataset.Frame
	validation string        // file of the validation frames
	held       int           // validation frames
	copies     int           // frames that occur twice and that the node leaves out
	reference  float64       // root mean square of the validation frames' force labels, eV/Å
	alone      report.Errors // of local-only training
}

// openMembers reads all data and writes the validation frames.
func openMembers(m *manifest.Manifest, f *Folder) ([]*member, error) {
	dir, err := f.makeDir("validation")
	if err != nil {
		return nil, err
	}
	var out []*member
	for _, p := range m.Members {
		one := &member{Member: p, validation: filepath.Join(dir, p.Name+".xyz")}
		if err := one.open(m.Seed, m.ModelConfig().TypeMap); err != nil {
			return nil, fmt.Errorf("member %s: %w", p.Name, err)
		}
		out = append(out, one)
	}
	return out, nil
}

// open reads and splits the data as the member's node does: without copies, by content.
func (p *member) open(seed uint64, typeMap []string) error {
	convention, err := dataset.ReadConvention(p.Convention)
	if err != nil {
		return err
	}
	if p.key, err = convention.Key(); err != nil {
		return err
	}
	p.title = convention.Method.Name
	frames, err := load.OpenWith(p.Data, convention, load.Options{TypeMap: typeMap})
	if err != nil {
		return err
	}
	seen := map[dataset.Fingerprint]bool{}
	var single []dataset.Frame
	for i := range frames {
		print := frames[i].Fingerprint()
		if !seen[print] {
			single = append(single, frames[i])
		}
		seen[print] = true
	}
	p.copies = len(frames) - len(single)
	train, held := dataset.Split(single, p.ValidationFraction, seed)
	if len(train) == 0 || len(held) == 0 {
		return fmt.Errorf("%d frames leave %d for training and %d for validation; give more frames or another validation_fraction", len(single), len(train), len(held))
	}
	p.train, p.held = train, len(held)
	p.reference = rmsForce(held)
	return extxyz.WriteFile(p.validation, convention, held)
}

// rmsForce returns the root mean square of the force components, eV/Å.
func rmsForce(frames []dataset.Frame) float64 {
	sum, n := 0.0, 0
	for i := range frames {
		for _, v := range frames[i].Forces {
			sum += v * v
		}
		n += len(frames[i].Forces)
	}
	return math.Sqrt(sum / float64(max(1, n)))
}

// scores starts the member's line of the report.
func (p *member) scores() report.Scores {
	return report.Scores{Frames: p.held, Trained: len(p.train), Reference: 1e3 * p.reference, Local: p.alone}
}
