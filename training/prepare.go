package training

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/neighbor"
	"github.com/fedlam/fedlam/training/weights"
)

// envBlocks lists the blocks of the descriptor that have statistics.
func envBlocks(c *dpa2.Config) []EnvBlock {
	d := &c.Descriptor
	in, rep := &d.Repinit, &d.Repformer
	blocks := []EnvBlock{{"descriptor/repinit_variable", in.RCut, in.RCutSmooth, in.NSel.Count, d.EnvProtection}}
	if in.UseThreeBody {
		blocks = append(blocks, EnvBlock{"descriptor/repinit_three_body_variable", in.ThreeRCut, in.ThreeRCutSmoth, in.ThreeSel.Count, d.EnvProtection})
	}
	return append(blocks, EnvBlock{"descriptor/repformers_variable", rep.RCut, rep.RCutSmooth, rep.NSel.Count, d.EnvProtection})
}

// ModelStats returns empty statistics with the blocks of a model, to add up what its members' trainers summed.
func ModelStats(c *dpa2.Config) *EnvStats { return NewEnvStats(envBlocks(c), c.NumTypes()) }

// EnvStats sums over the first batches of every system (data_stat_nbatch of them), as DeePMD-kit does, of all heads.
func (t *Trainer) EnvStats() (*EnvStats, error) {
	stats := ModelStats(t.cfg.Model)
	for k := range t.heads {
		if err := t.eachStatFrame(k, func(f *dataset.Frame) error { return addFrame(stats, t.cfg.Model, f) }); err != nil {
			return nil, err
		}
	}
	return stats, nil
}

// eachStatFrame visits the frames of a head that EnvStats are made from.
func (t *Trainer) eachStatFrame(k int, visit func(f *dataset.Frame) error) error {
	h := t.heads[k]
	for _, sys := range t.sampler.heads[k].systems {
		n := min(len(sys.frames), max(1, t.cfg.Model.StatBatches)*sys.perBatch)
		for _, i := range sys.frames[:n] {
			if err := visit(&h.Train[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func addFrame(stats *EnvStats, cfg *dpa2.Config, f *dataset.Frame) error {
	types, err := typesOf(cfg, f)
	if err != nil {
		return err
	}
	virtual := func(i int) bool { return types[i] < 0 }
	in := &cfg.Descriptor.Repinit
	list, err := neighbor.Build(f.Positions, f.Cell, virtual, in.RCut, in.NSel.Count)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return stats.Add(list, types, func(centre, other int32) bool {
		for _, p := range cfg.PairSkip {
			if [2]int{int(centre), int(other)} == p || [2]int{int(other), int(centre)} == p {
				return true
			}
		}
		return false
	})
}

// typesOf maps elements to types, -1 for virtual atoms.
func typesOf(cfg *dpa2.Config, f *dataset.Frame) ([]int32, error) {
	types := make([]int32, f.NumAtoms())
	for i, name := range f.Species {
		types[i] = int32(slices.Index(cfg.TypeMap, name))
		if types[i] < 0 && name != "" {
			return nil, fmt.Errorf("%s: %w", f.Name(), &dpa2.UnknownElementError{Element: name, TypeMap: cfg.TypeMap})
		}
	}
	return types, nil
}

// SetEnvStats writes the normalisation into the trunk. With set_davg_zero, the default, only the spreads are used.
func (t *Trainer) SetEnvStats(stats *EnvStats) error {
	if err := t.settle(); err != nil {
		return err
	}
	t.changed()
	return ApplyEnvStats(t.cfg.Model, t.params, stats)
}

// ApplyEnvStats is Trainer.SetEnvStats for weights without a trainer. Equal sums give equal bits on every machine.
func ApplyEnvStats(cfg *dpa2.Config, w *weights.Set, stats *EnvStats) error {
	keepMean := map[string]bool{
		"descriptor/repinit_variable":            !cfg.Descriptor.Repinit.SetDavgZero,
		"descriptor/repinit_three_body_variable": !cfg.Descriptor.Repinit.SetDavgZero,
		"descriptor/repformers_variable":         !cfg.Descriptor.Repformer.SetDavgZero,
	}
	if want := envBlocks(cfg); !slices.Equal(want, stats.Blocks) || stats.Types != cfg.NumTypes() {
		return errors.New("statistics: they were made for another architecture")
	}
	for b, block := range stats.Blocks {
		davg, okMean := w.Get(block.Path + "/@variables/davg")
		dstd, okStd := w.Get(block.Path + "/@variables/dstd")
		if n := stats.Types * block.NSel * 4; !okMean || !okStd || len(davg.Data) != n || len(dstd.Data) != n {
			return fmt.Errorf("statistics: the weights lack davg or dstd of %s, or they have another shape", block.Path)
		}
		for typ := range stats.Types {
			s := stats.Spread(b, typ)
			for slot := range block.NSel {
				at := (typ*block.NSel + slot) * 4
				copy(dstd.Data[at:at+4], []float64{s.Radial, s.Angular, s.Angular, s.Angular})
				if keepMean[block.Path] {
					davg.Data[at] = s.Mean
				}
			}
		}
	}
	return nil
}
