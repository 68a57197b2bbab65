package training

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
)

// statistics are what Prepare finds out about all training frames. Their size follows from the model and its heads, not
// from the data, and each frame is looked at and let go.
type statistics struct {
	Sums       []float64       `json:"sums"`       // of EnvStats
	References []headReference `json:"references"` // of the heads with energies, in the order of the heads
}

// headReference is the energy reference of one head.
type headReference struct {
	Key     string    `json:"key"`
	PerType []float64 `json:"per_type"` // eV
	Std     float64   `json:"std"`      // eV
	Rank    int       `json:"rank"`
	Present int       `json:"present"`
}

// Prepare computes from the trainer's own data what must be known before the first step: the normalisation of the
// environment matrix over all heads, the energy reference of each head, the scale of frame and atom parameters. A
// federation sets the first two from sums over its members instead: EnvStats, SetEnvStats, NormalEquations, SetReference.
func (t *Trainer) Prepare() error {
	s, err := t.statistics()
	if err != nil {
		return err
	}
	return t.setStatistics(s)
}

// PrepareCached is Prepare with a file that keeps the statistics for the next time: with the same frames and the same
// model they are read there, with the same bits. The file holds sums over all frames and no frame. One that is damaged,
// or was made for something else, is replaced, and say is told so; say is told, too, when it cannot be written.
func (t *Trainer) PrepareCached(path string, say func(line string)) error {
	key, err := t.statisticsKey()
	if err != nil {
		return err
	}
	s, err := t.readStatistics(path, key)
	if err == nil {
		return t.setStatistics(s)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		say(fmt.Sprintf("statistics in %q are computed again: %v", path, err))
	}
	if s, err = t.statistics(); err != nil {
		return err
	}
	if err := writeStatistics(path, key, s); err != nil {
		say(fmt.Sprintf("statistics are not kept for the next start: %v", err))
	}
	return t.setStatistics(s)
}

func (t *Trainer) statistics() (*statistics, error) {
	env, err := t.EnvStats()
	if err != nil {
		return nil, err
	}
	s := &statistics{Sums: env.Sums}
	for _, h := range t.heads {
		ref, err := t.Reference(h.Key)
		if errors.Is(err, errNoEnergies) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.References = append(s.References, headReference{h.Key, ref.PerType, ref.Std, ref.Rank, ref.Present})
	}
	return s, nil
}

// setStatistics writes statistics, and the scales of parameters, into the weights. References are remembered.
func (t *Trainer) setStatistics(s *statistics) error {
	env := ModelStats(t.cfg.Model)
	copy(env.Sums, s.Sums)
	if err := t.SetEnvStats(env); err != nil {
		return err
	}
	for _, h := range t.heads {
		if len(h.Train) > 0 {
			t.setParamScales(h)
		}
	}
	for _, r := range s.References {
		if err := t.SetReference(r.Key, r.PerType); err != nil {
			return err
		}
		h, err := t.head(r.Key)
		if err != nil {
			return err
		}
		h.reference = &Reference{PerType: r.PerType, Std: r.Std, Rank: r.Rank, Present: r.Present}
	}
	return nil
}

// fit says whether statistics have the shapes of this trainer's model and heads, and numbers that make sense.
func (s *statistics) fit(t *Trainer) bool {
	if len(s.Sums) != len(ModelStats(t.cfg.Model).Sums) || !allFinite(s.Sums) {
		return false
	}
	next := 0
	for _, r := range s.References {
		k := slices.IndexFunc(t.heads[next:], func(h *head) bool { return h.Key == r.Key })
		if k < 0 || len(r.PerType) != t.cfg.Model.NumTypes() || !allFinite(r.PerType) || !allFinite([]float64{r.Std}) {
			return false
		}
		next += k + 1
	}
	return true
}

func allFinite(v []float64) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}
