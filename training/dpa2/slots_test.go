package dpa2

import (
	"math"
	"strings"
	"testing"
)

// slotMap relates the padded neighbour slots of a reference file to the edges of a batch.
type slotMap struct {
	nsel int
	edge map[int]int // slot number ((f·N + i)·nsel + j) -> edge of the block
}

// matchSlots finds the edge of each occupied slot: same centre, same neighbour, same vector. Slots of excluded pairs
// have none; all edges must be found.
func matchSlots(t *testing.T, cfg *Config, b *Batch, g *golden, block string, list goldenArray) *slotMap {
	t.Helper()
	axis := map[string]string{"repinit": axisEdge, "repinit_three_body": cfg.nearAxis(nearThree), "repformers": cfg.nearAxis(nearRep)}[block]
	ext, mapping := g.Intermediates["extended_coord"], g.Intermediates["mapping"]
	nf, n, nsel := list.Shape[0], list.Shape[1], list.Shape[2]
	m := ext.Shape[1]
	s := &slotMap{nsel: nsel, edge: map[int]int{}}
	for slot, v := range list.Data {
		if v < 0 {
			continue
		}
		f, i := slot/nsel/n, slot/nsel%n
		neighbour := f*n + int(mapping.Data[f*m+int(v)])
		var vector [3]float64
		for k := range 3 {
			vector[k] = ext.Data[3*(f*m+int(v))+k] - ext.Data[3*(f*m+i)+k]
		}
		if e := findEdge(b, axis, int32(f*n+i), int32(neighbour), vector); e >= 0 {
			s.edge[slot] = e
		} else if !cfg.excluded(b.types[f*n+i], b.types[neighbour]) {
			t.Errorf("%s: frame %d atom %d slot %d has no edge", block, f, i, slot%nsel)
		}
	}
	if len(s.edge) != b.sizes[axis] || nf != b.NumFrames() {
		t.Errorf("%s: %d slots are occupied, the batch has %d edges", block, len(s.edge), b.sizes[axis])
	}
	return s
}

// excluded says whether the model or the descriptor excludes the pair.
func (c *Config) excluded(a, b int32) bool {
	k := int(a)*c.NumTypes() + int(b)
	return pairTable(c.PairSkip, c.NumTypes())[k] || pairTable(c.Descriptor.ExcludeTypes, c.NumTypes())[k]
}

func findEdge(b *Batch, axis string, centre, neighbour int32, vector [3]float64) int {
	var delta []float64
	for _, s := range b.samples {
		delta = append(delta, s.delta...)
	}
	for e, c := range b.indices[axis+".centre"] {
		if c != centre || b.indices[axis+".neighbour"][e] != neighbour {
			continue
		}
		model := e
		if axis != axisEdge {
			model = int(b.indices[axis+".edge"][e])
		}
		d := 0.0
		for k := range 3 {
			d = math.Max(d, math.Abs(delta[3*model+k]-vector[k]))
		}
		if d < 1e-5 {
			return e
		}
	}
	return -1
}

// compareTap compares an intermediate with its reference: per slot, per atom or per type.
func compareTap(t *testing.T, name string, b *Batch, slots map[string]*slotMap, got []float64, want goldenArray, tol float64) {
	t.Helper()
	var block *slotMap
	prefix, field, _ := strings.Cut(name, ".")
	switch {
	case field == "sw" || field == "env_mat_normalized" || field == "angular":
		block = slots[prefix]
	case field == "g2" || field == "h2":
		block = slots["repformers"]
	case name == "type_embedding": // the reference has one more row, of zeros
		close(t, name, got, want.Data[:len(got)], tol)
		return
	}
	if block == nil {
		compareAtoms(t, name, b, got, want, tol)
		return
	}
	width := len(want.Data) / len(b.types) / block.nsel
	skip := 0
	if field == "angular" { // the reference has the radial part in front
		skip = 1
	}
	var a, w []float64
	for slot, e := range block.edge {
		a = append(a, got[(width-skip)*e:(width-skip)*(e+1)]...)
		w = append(w, want.Data[width*slot+skip:width*(slot+1)]...)
	}
	close(t, name, a, w, tol)
}

// compareAtoms compares the rows of real atoms.
func compareAtoms(t *testing.T, name string, b *Batch, got []float64, want goldenArray, tol float64) {
	t.Helper()
	width := len(want.Data) / len(b.types)
	if len(got) != len(want.Data) {
		t.Errorf("%s: got %d numbers, want %d", name, len(got), len(want.Data))
		return
	}
	var a, w []float64
	for i, typ := range b.types {
		if typ >= 0 {
			a = append(a, got[width*i:width*(i+1)]...)
			w = append(w, want.Data[width*i:width*(i+1)]...)
		}
	}
	close(t, name, a, w, tol)
}
