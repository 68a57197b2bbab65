package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds []float64
		want    Times
	}{
		{"one", []float64{3}, Times{1, 3, 3, 3}},
		{"two", []float64{4, 2}, Times{2, 3, 2, 4}},
		{"odd", []float64{5, 1, 2}, Times{3, 2, 1, 5}},
		{"even", []float64{8, 1, 4, 2}, Times{4, 3, 1, 8}},
		{"equal", []float64{2, 2, 2}, Times{3, 2, 2, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := statistics(c.seconds); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestMeasureCounts(t *testing.T) {
	calls := 0
	var kept []*[100]byte
	times, allocations, err := measure(context.Background(), 5, func() error {
		calls++
		kept = append(kept[:0], new([100]byte), new([100]byte))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls != 5+warmUp || times.Runs != 5 {
		t.Errorf("got %d calls and %d timed, want %d and 5", calls, times.Runs, 5+warmUp)
	}
	if times.Min <= 0 || times.Median < times.Min || times.Max < times.Median {
		t.Errorf("got %+v, want times in order", times)
	}
	if len(kept) != 2 || allocations.Count < 2 || allocations.Bytes < 200 {
		t.Errorf("got %+v per run, want at least 2 allocations of 100 bytes", allocations)
	}
}

func TestMeasureStops(t *testing.T) {
	failure := errors.New("broken")
	if _, _, err := measure(context.Background(), 1, func() error { return failure }); !errors.Is(err, failure) {
		t.Errorf("got error %v, want that of the run", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	_, _, err := measure(ctx, 100, func() error {
		if calls++; calls == 4 {
			cancel()
		}
		return nil
	})
	if err == nil || calls != 4 {
		t.Errorf("got error %v after %d calls, want one after 4", err, calls)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"threads", Options{Threads: -1}, "threads is -1; give a number of at least 1, or 0 for all cores"},
		{"runs", Options{Runs: -3}, "runs is -3; give a number of at least 1"},
		{"precision", Options{Precision: "float16"}, `precision is "float16"; want "float32" or "float64"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.o.validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %s", err, c.want)
			}
		})
	}
	o := Options{}
	if err := o.validate(); err != nil || o.Runs != 10 || o.Threads < 1 || o.Precision != "float32" {
		t.Errorf("got defaults %+v, error %v", o, err)
	}
}
