package dpa2

import (
	"fmt"

	"github.com/fedlam/fedlam/dataset"
)

// A Batch is a number of frames, of any sizes, laid end to end for one run of a program. It holds no weights: the
// same batch serves any model of the configuration, any head and both precisions. It is read-only after Collate.
type Batch struct {
	samples []*Sample
	first   []int // [F+1] number of the first atom of each frame

	sizes   map[string]int
	indices map[string][]int32
	inputs  map[string][]float64
	counts  map[string][]uint8 // inputs that are small whole numbers
	types   []int32            // [N], -1 = virtual

	part *[3]float64 // of a part of a batch: what labelled returns of the whole
}

// NewBatch prepares and lays out frames. A frame that cannot be evaluated gives a *FrameError that names it.
func NewBatch(cfg *Config, frames []dataset.Frame) (*Batch, error) {
	samples := make([]*Sample, len(frames))
	for i := range frames {
		s, err := newSample(cfg, &frames[i])
		if err != nil {
			return nil, &FrameError{Position: i, Frame: frames[i].Name(), Err: err}
		}
		samples[i] = s
	}
	return Collate(cfg, samples)
}

// Collate lays prepared samples end to end. All must come from NewSample with this configuration.
func Collate(cfg *Config, samples []*Sample) (*Batch, error) {
	return NewCollator(cfg).Collate(samples)
}

// A Collator lays out one batch after the other in the same memory. It is for one goroutine.
type Collator struct {
	cfg *Config
	l   *layout
}

// NewCollator returns a collator without memory, for samples of one configuration.
func NewCollator(cfg *Config) *Collator { return &Collator{cfg: cfg, l: newLayout(cfg)} }

// Collate is the function Collate in the collator's memory: the batch before is not valid any more.
func (c *Collator) Collate(samples []*Sample) (*Batch, error) {
	if len(samples) == 0 {
		return nil, fmt.Errorf("a batch needs at least one frame")
	}
	cfg, l := c.cfg, c.l
	l.clear(samples)
	for f, s := range samples {
		l.addAtoms(f, s)
		l.addEdges(f, s)
		l.addNear(&l.rep, &s.near[nearRep], s)
		if cfg.Descriptor.Repinit.UseThreeBody {
			l.addNear(&l.three, &s.near[nearThree], s)
			l.addTriples(s)
		}
		l.first = append(l.first, len(l.types))
	}
	return l.batch(), nil
}

// labelled returns how many frames have an energy, forces and a virial: a loss is a mean over them.
func (b *Batch) labelled() (n [3]float64) {
	if b.part != nil {
		return *b.part
	}
	for _, s := range b.samples {
		n[0] += one(s.energy != nil)
		n[1] += one(s.forces != nil)
		n[2] += one(s.virial != nil)
	}
	return n
}

// NumFrames returns F.
func (b *Batch) NumFrames() int { return len(b.samples) }

// NumAtoms returns N of all frames together, virtual atoms included.
func (b *Batch) NumAtoms() int { return len(b.types) }

// NumEdges returns the number of neighbours of all atoms together.
func (b *Batch) NumEdges() int { return b.sizes[axisEdge] }

// Dropped returns how many neighbours within the cut-off nsel cut off, in all frames together.
func (b *Batch) Dropped() int {
	total := 0
	for _, s := range b.samples {
		total += s.dropped
	}
	return total
}
