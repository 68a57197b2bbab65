package node

import (
	"context"
	"sync"
)

// work runs the trainer's jobs one after the other in one goroutine.
type work struct {
	mu      sync.Mutex
	queue   []job
	cancel  context.CancelFunc // of the running job; nil while there is none
	running job
	ready   chan struct{}
}

// A job is something for the trainer to do. A job that can be replaced is dropped, or cut off, when a later one is added.
type job struct {
	replaceable replaceable
	run         func(ctx context.Context)
}

type replaceable bool

const (
	mustRun   replaceable = false
	canBeLeft replaceable = true
)

func newWork() *work { return &work{ready: make(chan struct{}, 1)} }

// add queues a job and gives up those that it makes useless.
func (w *work) add(j job) {
	w.mu.Lock()
	kept := w.queue[:0]
	for _, waiting := range w.queue {
		if waiting.replaceable == mustRun {
			kept = append(kept, waiting)
		}
	}
	w.queue = append(kept, j)
	if w.cancel != nil && w.running.replaceable == canBeLeft {
		w.cancel()
	}
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// loop runs jobs until ctx ends.
func (w *work) loop(ctx context.Context) {
	for {
		select {
		case <-w.ready:
		case <-ctx.Done():
			return
		}
		for w.next(ctx) {
		}
	}
}

// next runs the first job of the queue, if there is one.
func (w *work) next(ctx context.Context) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.mu.Lock()
	if len(w.queue) == 0 || ctx.Err() != nil {
		w.mu.Unlock()
		return false
	}
	j := w.queue[0]
	w.queue = append([]job(nil), w.queue[1:]...)
	w.running, w.cancel = j, cancel
	w.mu.Unlock()
	j.run(ctx)
	w.mu.Lock()
	w.cancel = nil
	w.mu.Unlock()
	return true
}
