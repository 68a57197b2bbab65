package training

import (
	"fmt"
	"sync"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
)

// sampleCache keeps prepared frames, whose neighbour search costs more than anything else outside of the program. When
// the budget is used up, further frames are prepared anew each time. What is kept has no influence on results. It is safe
// for concurrent use: a loader prepares training frames while the trainer validates.
type sampleCache struct {
	model *dpa2.Config

	mu   sync.Mutex
	left int64
	kept map[*dataset.Frame]*dpa2.Sample
}

func newSampleCache(cfg *Config) *sampleCache {
	return &sampleCache{model: cfg.Model, left: cfg.Cache, kept: map[*dataset.Frame]*dpa2.Sample{}}
}

// bytesPerSlot bounds what a sample holds per neighbour slot: vector, indices, inner lists.
const bytesPerSlot = 48

func (c *sampleCache) sample(f *dataset.Frame) (*dpa2.Sample, error) {
	if s := c.find(f); s != nil {
		return s, nil
	}
	s, err := dpa2.NewSample(c.model, f)
	if err != nil {
		return nil, err
	}
	c.keep(f, s)
	return s, nil
}

func (c *sampleCache) find(f *dataset.Frame) *dpa2.Sample {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[f]
}

func (c *sampleCache) keep(f *dataset.Frame, s *dpa2.Sample) {
	size := int64(f.NumAtoms()) * int64(c.model.Descriptor.Repinit.NSel.Count) * bytesPerSlot
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept[f] == nil && size <= c.left {
		c.left -= size
		c.kept[f] = s
	}
}

// batch lays out the frames at the given positions of a head's data, in the given memory.
func (c *sampleCache) batch(memory *dpa2.Collator, key string, frames []dataset.Frame, positions []int) (*dpa2.Batch, error) {
	samples := make([]*dpa2.Sample, len(positions))
	for k, i := range positions {
		s, err := c.sample(&frames[i])
		if err != nil {
			return nil, fmt.Errorf("head %q: %w", key, err)
		}
		samples[k] = s
	}
	return memory.Collate(samples)
}
