package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
)

// audit refuses frames that the model cannot take or whose labels contradict each other, and returns what else is odd,
// in words and counts only. All of it happens before the first step, validation frames included.
func audit(h *training.Head, conventionFile string, cfg *dpa2.Config, loss *dpa2.LossConfig) (notes []string, err error) {
	frames := slices.Concat(h.Train, h.Validation)
	for i := range frames {
		if err := dpa2.CheckFrame(cfg, &frames[i]); err != nil {
			return nil, err
		}
	}
	report, err := agree(frames, conventionFile)
	if err != nil {
		return nil, err
	}
	if err := asked(h, loss); err != nil {
		return nil, err
	}
	if c := report.Consistency; c.Known() {
		notes = append(notes, fmt.Sprintf("audit: energies and forces agree over %d pairs of similar frames (slope %.2f)", c.Pairs, c.Slope))
	} else {
		notes = append(notes, "audit: too few similar frames to hold energies against forces")
	}
	for _, w := range report.Warnings() {
		notes = append(notes, "audit: "+w)
	}
	return notes, nil
}

// agree audits every file by itself, where a mistake cannot hide among sound ones, and then all together.
func agree(frames []dataset.Frame, conventionFile string) (dataset.Report, error) {
	bySource := map[string][]dataset.Frame{}
	var sources, guilty []string
	for _, f := range frames {
		if bySource[f.Source] == nil {
			sources = append(sources, f.Source)
		}
		bySource[f.Source] = append(bySource[f.Source], f)
	}
	report := dataset.Audit(frames)
	failed := report.Err()
	for _, s := range sources {
		r := report
		if len(sources) > 1 {
			r = dataset.Audit(bySource[s])
		}
		if err := r.Err(); err != nil {
			if len(guilty) == 0 {
				failed = err
			}
			guilty = append(guilty, s)
		}
	}
	if len(guilty) == 0 {
		guilty = sources // only together do they show it
	}
	if errors.Is(failed, dataset.ErrInconsistent) {
		return report, explain(failed, guilty, conventionFile)
	}
	return report, failed
}

// explain says which files' labels contradict each other, and where to correct them.
func explain(err error, files []string, conventionFile string) error {
	const most = 3
	more := ""
	if n := len(files) - most; n > 0 {
		files, more = files[:most], fmt.Sprintf(" and %d more", n)
	}
	repair := "without a convention labels are taken in eV and eV/Å; say what they are in a convention file"
	if conventionFile != "" {
		repair = fmt.Sprintf("correct %q or the labels", conventionFile)
	}
	return fmt.Errorf("audit of %q%s: %w; %s, and start again", files, more, err, repair)
}

// asked refuses a loss that asks for labels which no training frame has: most often they are there under another name. A
// convention that says there are none is believed, since heads have one loss in common.
func asked(h *training.Head, loss *dpa2.LossConfig) error {
	c := h.Convention
	for _, l := range []struct {
		name, pref, section string
		weight              float64
		there               func(f dataset.Frame) bool
		none                bool // the convention says so
	}{
		{"energy", "pref_e", "keys.energy", loss.StartPrefE * loss.LimitPrefE, func(f dataset.Frame) bool { return f.Energy != nil }, false},
		{"forces", "pref_f", "keys.forces", loss.StartPrefF * loss.LimitPrefF, func(f dataset.Frame) bool { return f.Forces != nil }, c != nil && c.Forces != nil && c.Forces.Present == dataset.PresentNone},
		{"virial", "pref_v", "stress", loss.StartPrefV * loss.LimitPrefV, func(f dataset.Frame) bool { return f.Virial != nil }, c != nil && (c.Stress == nil || c.Stress.Present == "" || c.Stress.Present == dataset.PresentNone)},
	} {
		if l.weight == 0 || l.none || slices.ContainsFunc(h.Train, l.there) {
			continue
		}
		return fmt.Errorf("none of the %d training frames, of which the first is %s, has the label %q that the loss asks for; describe it in %q of the convention, or say there that it is not present, or set start_%s and limit_%s to 0",
			len(h.Train), h.Train[0].Name(), l.name, l.section, l.pref, l.pref)
	}
	return nil
}

// admit audits every head of the plan.
func (p *trainPlan) admit(conventionFiles []string) error {
	for k := range p.heads {
		h := &p.heads[k]
		notes, err := audit(h, conventionFiles[k], p.config.Model, &p.config.Loss)
		if err != nil {
			return fmt.Errorf("head %s: %w", headTitle(h.Key, h.Name), err)
		}
		for _, n := range notes {
			p.notes = append(p.notes, "head "+headTitle(h.Key, h.Name)+": "+n)
		}
	}
	return nil
}
