package training

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/neighbor"
)

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
