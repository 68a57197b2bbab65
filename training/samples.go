package training

import (
	"fmt"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
)

// sampleCache keeps prepared frames, whose neighbour search costs more than anything else outside of the program. When
// the budget is used up, further frames are prepared anew each time. What is kept has no influence on results.
type sampleCache struct {
	model *dpa2.Config
	left  int64
	kept  map[*dataset.Frame]*dpa2.Sample
}

func newSampleCache(cfg *Config) *sampleCache {
	return &sampleCache{model: cfg.Model, left: cfg.Cache, kept: map[*dataset.Frame]*dpa2.Sample{}}
}

// bytesPerSlot bounds what a sample holds per neighbour slot: vector, indices, inner lists.
const bytesPerSlot = 48

func (c *sampleCache) sample(f *dataset.Frame) (*dpa2.Sample, error) {
	if s, ok := c.kept[f]; ok {
		return s, nil
	}
	s, err := dpa2.NewSample(c.model, f)
	if err != nil {
		return nil, err
	}
	size := int64(f.NumAtoms()) * int64(c.model.Descriptor.Repinit.NSel.Count) * bytesPerSlot
	if size <= c.left {
		c.left -= size
		c.kept[f] = s
	}
	return s, nil
}

// batch lays out the frames at the given positions of a head's data.
func (c *sampleCache) batch(key string, frames []dataset.Frame, positions []int) (*dpa2.Batch, error) {
	samples := make([]*dpa2.Sample, len(positions))
	for k, i := range positions {
		s, err := c.sample(&frames[i])
		if err != nil {
			return nil, fmt.Errorf("head %q: %w", key, err)
		}
		samples[k] = s
	}
	return dpa2.Collate(c.model, samples)
}
