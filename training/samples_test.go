package training

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/training/dpa2"
)

// TestSamplesOfManyWorkers prepares a batch by several workers, with room to keep some of the frames, and by one.
func TestSamplesOfManyWorkers(t *testing.T) {
	cfg := toyConfig(t, 1)
	cfg.Cache = 1 << 14
	frames := toyFrames(3, 30, 5, 1)
	positions := []int{7, 3, 29, 0, 11, 12, 13, 14, 2, 28}
	var batches []*dpa2.Batch
	for _, workers := range []int{1, 4} {
		c := newSampleCache(&cfg)
		c.workers = workers
		for range 2 { // the second time some are kept
			b, err := c.batch(dpa2.NewCollator(cfg.Model), "a", frames, positions)
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, b)
		}
		if n := len(c.kept); n == 0 || n == len(positions) {
			t.Errorf("%d of %d frames are kept; want some", n, len(positions))
		}
	}
	for k, b := range batches[1:] {
		if !reflect.DeepEqual(b, batches[0]) {
			t.Errorf("batch %d differs from the first", k+1)
		}
	}
	for _, i := range []int{12, 11, 28} {
		frames[i].Species[0] = "Xe"
	}
	c := newSampleCache(&cfg)
	c.workers = 4
	if _, err := c.batch(dpa2.NewCollator(cfg.Model), "a", frames, positions); err == nil || !strings.Contains(err.Error(), "frame 11") {
		t.Errorf("got %v, want the first bad frame of the batch, 11", err)
	}
}
