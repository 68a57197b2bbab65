package training

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

func TestLoaderIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		l := startLoader(t.Context(), tinyModel(t), 100, func(*dpa2.Collator) loaded { made++; return loaded{head: made} })
		defer l.Close()
		b, _, err := l.next(t.Context())
		if err != nil || b.head != 1 {
			t.Fatalf("got batch %d, %v, want the first", b.head, err)
		}
		synctest.Wait()
		if made != 1+batchesAhead {
			t.Errorf("%d batches made while the first is in use, want %d", made, 1+batchesAhead)
		}
		l.release(b)
		synctest.Wait()
		if made != 2+batchesAhead {
			t.Errorf("%d batches made after the first was given back, want %d", made, 2+batchesAhead)
		}
	})
}

func TestLoaderTellsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLoader(t.Context(), tinyModel(t), 3, func(*dpa2.Collator) loaded { time.Sleep(3 * time.Second); return loaded{} })
		defer l.Close()
		for k, c := range []struct{ busy, want time.Duration }{{0, 3 * time.Second}, {time.Second, 2 * time.Second}, {5 * time.Second, 0}} {
			time.Sleep(c.busy) // a step
			b, waited, err := l.next(t.Context())
			if err != nil || waited != c.want {
				t.Errorf("batch %d after a step of %v: waited %v, %v, want %v", k, c.busy, waited, err, c.want)
			}
			l.release(b)
		}
	})
}

func TestLoaderErrorComesInTurn(t *testing.T) {
	broken, made := errors.New("broken"), 0
	l := startLoader(t.Context(), tinyModel(t), 5, func(*dpa2.Collator) loaded {
		if made++; made == 2 {
			return loaded{err: broken}
		}
		return loaded{head: made}
	})
	defer l.Close()
	<-l.done // the error has occurred
	if b, _, err := l.next(t.Context()); err != nil || b.head != 1 {
		t.Errorf("got batch %d, %v, want the first", b.head, err)
	}
	if _, _, err := l.next(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the second batch", err)
	}
	if made != 2 {
		t.Errorf("%d batches were made, want none after the error", made)
	}
}

// TestBadFrameStopsItsOwnStep prepares a bad frame ahead: the steps before it are done all the same.
func TestBadFrameStopsItsOwnStep(t *testing.T) {
	before := goleak.IgnoreCurrent()
	heads := toyHeads()
	heads[0].Train[3].Species[1] = "Xe"
	tr, err := New(toyConfig(t, 10), heads)
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	tr.draw = func() (int, []int) { drawn++; return 0, []int{drawn - 1} }
	err = tr.Run(t.Context(), 10, nil)
	var unknown *dpa2.UnknownElementError
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "training step 3") || tr.Step() != 3 {
		t.Errorf("got %v after %d steps, want the element Xe in step 3 after 3 steps", err, tr.Step())
	}
	goleak.VerifyNone(t, before)
}

// aheadOf makes a trainer tell each draw of its loader, and returns a function that waits until n batches were drawn.
func aheadOf(tr *Trainer) (wait func(n int)) {
	drawn, draw := make(chan struct{}, 100), tr.sampler.clone().draw
	tr.draw = func() (int, []int) { drawn <- struct{}{}; return draw() }
	return func(n int) {
		for range n {
			<-drawn
		}
	}
}

// TestResumeWithBatchesAhead saves after step 10 of 20 when the batches of steps 11 and 12 are drawn.
func TestResumeWithBatchesAhead(t *testing.T) {
	cfg, path := toyConfig(t, 20), filepath.Join(t.TempDir(), "ckpt")
	whole := toyTrainer(t, cfg, toyHeads())
	wait := aheadOf(whole)
	var wantSteps []Progress
	if err := whole.Run(t.Context(), 20, func(p Progress) {
		wantSteps = append(wantSteps, p)
		if p.Step == 10 {
			wait(12)
			if err := whole.Save(path); err != nil {
				t.Error(err)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	second, err := New(cfg, toyHeads())
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Resume(path); err != nil {
		t.Fatal(err)
	}
	for k, p := range run(t, second, 10) {
		if want := wantSteps[10+k]; p.Head != want.Head || p.Errors.Total != want.Errors.Total || p.LR != want.LR {
			t.Fatalf("step after resuming %+v, want %+v", p, want)
		}
	}
	if name := differ(whole.Weights(), second.Weights()); name != "" {
		t.Errorf("weights differ after resuming: %s", name)
	}
}

// fails is a Reducer that breaks down once.
type fails struct{ at, calls int }

var errReduce = errors.New("the cluster is gone")

func (f *fails) Reduce(context.Context, []optim.Param) error {
	if f.calls++; f.calls == f.at {
		return errReduce
	}
	return nil
}

// TestDroppedBatchesAreDrawnAgain stops a Run in every way while batches are ready, and goes on.
func TestDroppedBatchesAreDrawnAgain(t *testing.T) {
	whole := toyTrainer(t, toyConfig(t, 20), toyHeads())
	run(t, whole, 20)
	for _, c := range []struct {
		name string
		cut  func(t *testing.T, tr *Trainer) // stops tr after 7 steps
	}{
		{"end of Run", func(t *testing.T, tr *Trainer) { run(t, tr, 7) }},
		{"context", func(t *testing.T, tr *Trainer) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			wait := aheadOf(tr)
			err := tr.Run(ctx, 20, func(p Progress) {
				if p.Step == 7 {
					wait(9)
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			tr.draw = nil
		}},
		{"failed step", func(t *testing.T, tr *Trainer) {
			tr.cfg.Reducer = &fails{at: 8}
			if err := tr.Run(t.Context(), 20, nil); !errors.Is(err, errReduce) {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			tr := toyTrainer(t, toyConfig(t, 20), toyHeads())
			c.cut(t, tr)
			goleak.VerifyNone(t, before)
			if tr.Step() != 7 {
				t.Fatalf("stopped after %d steps, want 7", tr.Step())
			}
			run(t, tr, 13)
			if name := differ(whole.Weights(), tr.Weights()); name != "" {
				t.Errorf("weights differ from those of one Run: %s", name)
			}
		})
	}
}

// TestValidateWhileBatchesArePrepared uses everything that progress may use, for the race detector, with a cache that is
// full at once; neither it nor validation changes the bits.
func TestValidateWhileBatchesArePrepared(t *testing.T) {
	cfg := toyConfig(t, 6)
	plain := toyTrainer(t, cfg, toyHeads())
	run(t, plain, 6)
	cfg.Cache = 20_000
	tr := toyTrainer(t, cfg, toyHeads())
	if err := tr.Run(t.Context(), 6, func(Progress) {
		_, err1 := tr.Validate(t.Context(), "aaaa")
		_, err2 := tr.CurveRow()
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if name := differ(plain.Weights(), tr.Weights()); name != "" {
		t.Errorf("weights differ: %s", name)
	}
}

// BenchmarkLoader measures which share of a training's time is spent waiting for batches: with prepared frames kept, and
// with every frame's neighbours searched anew; in steps of under a millisecond, and in longer ones.
func BenchmarkLoader(b *testing.B) {
	for _, c := range []struct {
		name  string
		cache int64
		heads []Head
	}{
		{"kept", 0, toyHeads()},
		{"anew", 1, toyHeads()},
		{"anew-large", 1, []Head{{Key: "aaaa", Train: toyFrames(6, 64, 27, -3), BatchSize: "8"}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg := toyConfig(b, 1<<30)
			cfg.Cache = c.cache
			tr := toyTrainer(b, cfg, c.heads)
			var waited time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			if err := tr.Run(b.Context(), b.N, func(p Progress) { waited += p.Waited }); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(100*waited.Seconds()/b.Elapsed().Seconds(), "wait-%")
		})
	}
}
