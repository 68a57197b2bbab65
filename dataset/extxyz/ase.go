package extxyz

import "github.com/fedlam/fedlam/dataset"

// canonical converts by the convention, or by the habits of ASE where there is none.
func (r *Reader) canonical(raw dataset.Raw, key string) (dataset.Frame, error) {
	if r.conv == nil && raw.Stress != nil {
		raw.Stress = aseVirial(&raw, key == r.keys.Stress)
	}
	return r.conv.Canonical(raw)
}

// aseVirial turns ASE's stress (eV/Å^3, tensile positive) or virial (eV) into nine numbers of a virial. A stress
// without a cell means nothing and is dropped: some programs write zeros for molecules.
func aseVirial(raw *dataset.Raw, isStress bool) []float64 {
	factor := 1.0
	if isStress {
		if raw.Cell == nil || raw.Periodic == dataset.Open {
			return nil
		}
		factor = -dataset.Volume(raw.Cell)
	}
	s := raw.Stress
	if len(s) == 6 {
		s = []float64{s[0], s[5], s[4], s[5], s[1], s[3], s[4], s[3], s[2]}
	}
	out := make([]float64, len(s))
	for k := range s {
		out[k] = factor * s[k]
	}
	return out
}
