package training

import (
	"context"
	"time"

	"github.com/fedlam/fedlam/training/dpa2"
)

// batchesAhead is how many batches a loader has ready at most: two, so that a large batch after small ones does not make
// the training wait.
const batchesAhead = 2

// A loader prepares the batches of coming steps while the present one runs. It belongs to Trainer.Run, which closes it: no
// goroutine and no draw outlives a Run. Weights play no part in what it does.
type loader struct {
	ready chan loaded         // in the order of the steps
	free  chan *dpa2.Collator // memory for further batches; bounds how far ahead the loader gets
	stop  context.CancelFunc
	done  chan struct{}
}

// loaded is the batch of one step, or why there is none.
type loaded struct {
	head   int
	batch  *dpa2.Batch
	memory *dpa2.Collator // of the batch; goes back with release
	err    error
}

// source gives the batch of the next step, made in memory that belongs to it.
type source func(memory *dpa2.Collator) loaded

// startLoader calls next for the given number of steps, in one goroutine, until an error or until ctx ends.
func startLoader(ctx context.Context, model *dpa2.Config, steps int, next source) *loader {
	const buffers = batchesAhead + 1 // one is in use
	ctx, stop := context.WithCancel(ctx)
	l := &loader{ready: make(chan loaded, buffers), free: make(chan *dpa2.Collator, buffers), stop: stop, done: make(chan struct{})}
	for range buffers {
		l.free <- dpa2.NewCollator(model)
	}
	go l.prepare(ctx, steps, next)
	return l
}

func (l *loader) prepare(ctx context.Context, steps int, next source) {
	defer close(l.done)
	for range steps {
		select {
		case <-ctx.Done():
			return
		case memory := <-l.free:
			b := next(memory)
			b.memory = memory
			l.ready <- b // has room for all the memory there is
			if b.err != nil {
				return
			}
		}
	}
}

// next returns the batch of the next step and how long it was waited for. An error that occurred in preparing it comes
// here, not earlier. After an error, and after the last step, next must not be called again.
func (l *loader) next(ctx context.Context) (b loaded, waited time.Duration, err error) {
	select {
	case b = <-l.ready:
		return b, 0, b.err
	default:
	}
	start := time.Now()
	select {
	case b = <-l.ready:
		return b, time.Since(start), b.err
	case <-ctx.Done():
		return loaded{}, time.Since(start), ctx.Err()
	}
}

// release gives the memory of a batch back; the batch must not be used any more.
func (l *loader) release(b loaded) { l.free <- b.memory }

// Close stops the preparation, waits for its end and drops what is ready.
func (l *loader) Close() {
	l.stop()
	<-l.done
}
