package training

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/parallel"
)

// sampleCache keeps prepared frames, whose neighbour search costs more than anything else outside of the program. When
// the budget is used up, further frames are prepared anew each time. What is kept has no influence on results. It is safe
// for concurrent use: a loader prepares training frames while the trainer validates.
type sampleCache struct {
	model   *dpa2.Config
	workers int // that prepare the frames of a batch

	mu   sync.Mutex
	left int64
	kept map[*dataset.Frame]*dpa2.Sample
}

// newSampleCache has frames prepared by one worker where the processor computes as well, and by all where a GPU does.
func newSampleCache(cfg *Config) *sampleCache {
	workers := 1
	if cfg.Place.Device != nil {
		if workers = cfg.Place.Threads; workers == 0 {
			workers = runtime.GOMAXPROCS(0)
		}
	}
	return &sampleCache{model: cfg.Model, workers: workers, left: cfg.Cache, kept: map[*dataset.Frame]*dpa2.Sample{}}
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
	samples, failed := make([]*dpa2.Sample, len(positions)), make([]error, len(positions))
	parallel.For(len(positions), 1, c.workers, func(_, from, to int) {
		for k := from; k < to; k++ {
			samples[k], failed[k] = c.sample(&frames[positions[k]])
		}
	})
	for _, err := range failed {
		if err != nil {
			return nil, fmt.Errorf("head %q: %w", key, err)
		}
	}
	return memory.Collate(samples)
}
