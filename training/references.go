package training

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/training/dpa2"
)

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
	h, err := t.head(key)
	if err != nil {
		return Reference{}, err
	}
	if found := h.reference; found != nil {
		ref := *found
		ref.PerType = slices.Clone(ref.PerType)
		return ref, nil
	}
	preset, err := presets(t.cfg.Model)
	if err != nil {
		return Reference{}, err
	}
	ref, err := fitEnergies(t.cfg.Model.NumTypes(), preset, func(visit func([]float64, float64)) error { return t.eachEnergy(key, visit) })
	if err != nil {
		return Reference{}, fmt.Errorf("head %q: %w", key, err)
	}
	return ref, nil
}

// eachEnergy calls visit with the atoms per type and the energy of every training frame that has one. Types whose
// energies the model leaves out do not count. counts is the same memory each time.
func (t *Trainer) eachEnergy(key string, visit func(counts []float64, energy float64)) error {
	h, err := t.head(key)
	if err != nil {
		return err
	}
	counts := make([]float64, t.cfg.Model.NumTypes())
	for i := range h.Train {
		f := &h.Train[i]
		if f.Energy == nil {
			continue
		}
		types, err := typesOf(t.cfg.Model, f)
		if err != nil {
			return err
		}
		clear(counts)
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
	if err := t.settle(); err != nil {
		return err
	}
	t.changed()
	return assign(t.params, dpa2.HeadPath(key, "@variables/out_bias"), []int{1, t.cfg.Model.NumTypes(), 1}, perType)
}
