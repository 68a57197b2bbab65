package graph

import (
	"errors"
	"slices"
	"testing"
)

// TestLimit requires that memory is asked for only where a run needs more, that a run which would not fit fails, and that the
// Exec is as good as before.
func TestLimit(t *testing.T) {
	large, small := newRagged(3, 60, 6), newRagged(4, 10, 6)
	outputs := randomProgram(large, 25)
	e := compileFor[float64](t, large.Builder, outputs, 2)
	asked, available := 0, int64(1e9)
	e.Limit(func() int64 { asked++; return available })
	run := func(b *Batch[float64], want int) {
		t.Helper()
		asked = 0
		if err := e.Run(b); err != nil {
			t.Fatal(err)
		}
		if asked != want {
			t.Errorf("asked %d times, want %d", asked, want)
		}
	}
	run(onlySizes(large, small), 1)
	run(onlySizes(large, small), 0)
	available = 1000
	var short *MemoryError
	if err := e.Run(large.batch); !errors.As(err, &short) || short.Available != 1000 || short.Need <= 1000 {
		t.Fatalf("got %v, want an error about memory", err)
	}
	run(onlySizes(large, small), 0)
	available = short.Need
	run(large.batch, 1)
	want := compileFor[float64](t, large.Builder, outputs, 1)
	if err := want.Run(large.batch); err != nil {
		t.Fatal(err)
	}
	for name := range outputs {
		if !slices.Equal(e.Output(name), want.Output(name)) {
			t.Errorf("output %q differs from that of a fresh Exec", name)
		}
	}
}

// TestWatch requires that progress rises to 1, in more than one step.
func TestWatch(t *testing.T) {
	s := newRagged(3, 60, 6)
	e := compileFor[float64](t, s.Builder, randomProgram(s, 25), 2)
	var seen []float64
	e.Watch(func(done float64) { seen = append(seen, done) })
	for range 2 {
		seen = seen[:0]
		if err := e.Run(s.batch); err != nil {
			t.Fatal(err)
		}
		if n := len(seen); n < 3 || !slices.IsSorted(seen) || seen[0] < 0 || seen[n-1] != 1 {
			t.Errorf("got progress %v", seen)
		}
	}
}
