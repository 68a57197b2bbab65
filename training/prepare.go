package training

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/neighbor"
)

// Prepare computes from the trainer's own data what must be known before the first step: the normalisation of the
// environment matrix over all heads, the energy reference of each head, the scale of frame and atom parameters. A
// federation sets the first two from sums over its members instead: EnvStats, SetEnvStats, NormalEquations, SetReference.
func (t *Trainer) Prepare() error {
	stats, err := t.EnvStats()
	if err != nil {
		return err
	}
	if err := t.SetEnvStats(stats); err != nil {
		return err
	}
	for _, h := range t.heads {
		if len(h.Train) == 0 {
			continue
		}
		t.setParamScales(h)
		ref, err := t.Reference(h.Key)
		if errors.Is(err, errNoEnergies) {
			continue
		}
		if err != nil {
			return err
		}
		if err := t.SetReference(h.Key, ref.PerType); err != nil {
			return err
		}
	}
	return nil
}

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

// EnvStats sums over the first batches of every system (data_stat_nbatch of them), as DeePMD-kit does, of all heads.
func (t *Trainer) EnvStats() (*EnvStats, error) {
	cfg := t.cfg.Model
	stats := NewEnvStats(envBlocks(cfg), cfg.NumTypes())
	for k, h := range t.heads {
		for _, sys := range t.sampler.heads[k].systems {
			n := min(len(sys.frames), max(1, cfg.StatBatches)*sys.perBatch)
			for _, i := range sys.frames[:n] {
				if err := addFrame(stats, cfg, &h.Train[i]); err != nil {
					return nil, err
				}
			}
		}
	}
	return stats, nil
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
	cfg := t.cfg.Model
	keepMean := map[string]bool{
		"descriptor/repinit_variable":            !cfg.Descriptor.Repinit.SetDavgZero,
		"descriptor/repinit_three_body_variable": !cfg.Descriptor.Repinit.SetDavgZero,
		"descriptor/repformers_variable":         !cfg.Descriptor.Repformer.SetDavgZero,
	}
	if want := envBlocks(cfg); !slices.Equal(want, stats.Blocks) || stats.Types != cfg.NumTypes() {
		return errors.New("statistics: they were made for another architecture")
	}
	for b, block := range stats.Blocks {
		davg, _ := t.params.Get(block.Path + "/@variables/davg")
		dstd, _ := t.params.Get(block.Path + "/@variables/dstd")
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

// errNoEnergies says that a head has no energy labels to make a reference from.
var errNoEnergies = errors.New("no training frame has an energy")

// NormalEquations sums the training frames of a head, for a reference that is found together with other members.
func (t *Trainer) NormalEquations(key string) (*NormalEquations, error) {
	q := NewNormalEquations(t.cfg.Model.NumTypes())
	err := t.eachEnergy(key, func(counts []float64, energy float64) { q.Add(counts, energy) })
	return q, err
}

// Reference fits the energy reference of a head to its own training frames.
func (t *Trainer) Reference(key string) (Reference, error) {
	var counts [][]float64
	var energies []float64
	if err := t.eachEnergy(key, func(c []float64, e float64) { counts, energies = append(counts, c), append(energies, e) }); err != nil {
		return Reference{}, err
	}
	if len(counts) == 0 {
		return Reference{}, fmt.Errorf("energy reference of head %q: %w", key, errNoEnergies)
	}
	preset, err := presets(t.cfg.Model)
	if err != nil {
		return Reference{}, err
	}
	return FitReference(counts, energies, preset)
}

// eachEnergy calls visit with the atoms per type and the energy of every training frame that has one. Types whose
// energies the model leaves out do not count.
func (t *Trainer) eachEnergy(key string, visit func(counts []float64, energy float64)) error {
	h, err := t.head(key)
	if err != nil {
		return err
	}
	for i := range h.Train {
		f := &h.Train[i]
		if f.Energy == nil {
			continue
		}
		types, err := typesOf(t.cfg.Model, f)
		if err != nil {
			return err
		}
		counts := make([]float64, t.cfg.Model.NumTypes())
		for _, typ := range types {
			if typ >= 0 && !slices.Contains(t.cfg.Model.AtomSkip, int(typ)) {
				counts[typ]++
			}
		}
		visit(counts, *f.Energy)
	}
	return nil
}

// presets collects the reference energies that the configuration fixes: preset_out_bias, or else atom_ener.
func presets(c *dpa2.Config) ([]*float64, error) {
	given, ok := c.Preset["energy"]
	if !ok || given == nil {
		return c.Fitting.AtomEner, nil
	}
	list, ok := given.([]any)
	if !ok || len(list) != c.NumTypes() {
		return nil, fmt.Errorf("preset_out_bias: want \"energy\" to be a list of %d numbers or nulls, one for each type", c.NumTypes())
	}
	out := make([]*float64, len(list))
	for k, v := range list {
		switch x := v.(type) {
		case nil:
		case float64:
			out[k] = &x
		default:
			return nil, fmt.Errorf("preset_out_bias: entry %d is not a number", k)
		}
	}
	return out, nil
}

// SetReference writes the energy reference of a head, eV per atom of each type.
func (t *Trainer) SetReference(key string, perType []float64) error {
	if _, err := t.head(key); err != nil {
		return err
	}
	return assign(t.params, dpa2.HeadPath(key, "@variables/out_bias"), []int{1, t.cfg.Model.NumTypes(), 1}, perType)
}

// setParamScales writes mean and inverse spread of frame and atom parameters over a head's training frames.
func (t *Trainer) setParamScales(h *head) {
	for _, s := range []struct {
		name  string
		width int
		of    func(f *dataset.Frame) []float64
	}{
		{"fparam", t.cfg.Model.Fitting.NumbFParam, func(f *dataset.Frame) []float64 { return f.FParam }},
		{"aparam", t.cfg.Model.Fitting.NumbAParam, func(f *dataset.Frame) []float64 { return f.AParam }},
	} {
		if s.width == 0 {
			continue
		}
		mean, _ := t.params.Get(dpa2.HeadPath(h.Key, "fitting/@variables/"+s.name+"_avg"))
		inverse, _ := t.params.Get(dpa2.HeadPath(h.Key, "fitting/@variables/"+s.name+"_inv_std"))
		for k := range s.width {
			var sums [3]float64
			for i := range h.Train {
				values := s.of(&h.Train[i])
				for at := k; at < len(values); at += s.width {
					sums[0]++
					sums[1] += values[at]
					sums[2] += values[at] * values[at]
				}
			}
			if sums[0] > 0 {
				m := sums[1] / sums[0]
				mean.Data[k], inverse.Data[k] = m, 1/max(minSpread, math.Sqrt(max(0, sums[2]/sums[0]-m*m)))
			}
		}
	}
}

// head returns the head of that key, or an error that lists those there are.
func (t *Trainer) head(key string) (*head, error) {
	var keys []string
	for _, h := range t.heads {
		if h.Key == key {
			return h, nil
		}
		keys = append(keys, h.Key)
	}
	return nil, fmt.Errorf("no head has the key %q; there are %q", key, keys)
}

// ResolveNeighbors replaces every "auto" nsel of a configuration by a number made from the largest neighbour count that
// occurs in the frames. It does nothing when all are numbers. Where that would leave the repinit block with fewer slots
// than the blocks inside of it, as in small molecules, it gets more.
func ResolveNeighbors(cfg *dpa2.Config, frames []dataset.Frame) error {
	in, rep := &cfg.Descriptor.Repinit, &cfg.Descriptor.Repformer
	automatic := in.NSel.Auto != 0
	for _, b := range []struct {
		sel  *dpa2.Sel
		rcut float64
		used bool
	}{{&in.NSel, in.RCut, true}, {&in.ThreeSel, in.ThreeRCut, in.UseThreeBody}, {&rep.NSel, rep.RCut, true}} {
		if b.sel.Auto == 0 || !b.used {
			continue
		}
		largest := 0
		for i := range frames {
			f := &frames[i]
			virtual := func(i int) bool { return f.Species[i] == "" }
			list, err := neighbor.Build(f.Positions, f.Cell, virtual, b.rcut, 0)
			if err != nil {
				return fmt.Errorf("%s: %w", f.Name(), err)
			}
			largest = max(largest, list.MaxFound)
		}
		b.sel.Resolve(largest)
	}
	if automatic {
		in.NSel.Count = max(in.NSel.Count, rep.NSel.Count+4)
		if in.UseThreeBody {
			in.NSel.Count = max(in.NSel.Count, in.ThreeSel.Count)
		}
	}
	return cfg.Validate()
}
