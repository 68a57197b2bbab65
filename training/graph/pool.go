package graph

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pool runs the pieces of one job after another on several goroutines. Between start and stop the helpers wait for jobs,
// first spinning, as the next job mostly comes within microseconds, then asleep.
//
// The state of the job under way is one word, so that a helper that comes late cannot take a piece of the wrong job.
type pool struct {
	work    func(job, piece, worker int)
	helpers []*helper
	mains   []func() // bodies of the helpers' goroutines
	group   sync.WaitGroup

	state   atomic.Uint64
	job     int
	pending atomic.Int32 // pieces not finished
	closing atomic.Bool
}

// The state holds a running number of the job, its number of pieces, and the next piece to take.
const (
	pieceBits = 20
	pieceMask = 1<<pieceBits - 1
	maxPieces = pieceMask
)

func jobOf(state uint64) uint64 { return state >> (2 * pieceBits) }

type helper struct {
	asleep atomic.Bool
	wake   chan struct{}
}

const (
	spins  = 2000
	yields = 20
)

func newPool(threads int, work func(job, piece, worker int)) *pool {
	p := &pool{work: work}
	for i := 1; i < threads; i++ {
		h := &helper{wake: make(chan struct{}, 1)}
		p.helpers = append(p.helpers, h)
		p.mains = append(p.mains, func() {
			defer p.group.Done()
			p.help(h, i)
		})
	}
	return p
}

// start brings up the helpers; stop waits for them to end.
func (p *pool) start() {
	p.closing.Store(false)
	p.group.Add(len(p.mains))
	for _, f := range p.mains {
		go f()
	}
}

func (p *pool) stop() {
	p.closing.Store(true)
	p.rouse()
	p.group.Wait()
}

func (p *pool) rouse() {
	for _, h := range p.helpers {
		if h.asleep.Load() && h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
}

// run does all pieces of a job and returns when they are finished.
func (p *pool) run(job, pieces int) {
	if len(p.helpers) == 0 {
		for i := range pieces {
			p.work(job, i, 0)
		}
		return
	}
	p.job = job
	p.pending.Store(int32(pieces))
	number := jobOf(p.state.Load()) + 1
	p.state.Store(number<<(2*pieceBits) | uint64(pieces)<<pieceBits)
	p.rouse()
	p.take(jobOf(p.state.Load()), 0)
	for n := 0; p.pending.Load() > 0; n++ {
		if n > spins {
			runtime.Gosched()
		}
	}
}

// take works on pieces of the numbered job until none is left.
func (p *pool) take(number uint64, worker int) {
	for {
		s := p.state.Load()
		next := s & pieceMask
		if jobOf(s) != number || next >= s>>pieceBits&pieceMask {
			return
		}
		if !p.state.CompareAndSwap(s, s+1) {
			continue
		}
		// The job cannot end before this piece is accounted for, so its fields stand still.
		p.work(p.job, int(next), worker)
		p.pending.Add(-1)
	}
}

func (p *pool) help(h *helper, worker int) {
	seen := jobOf(p.state.Load())
	for {
		p.take(seen, worker)
		for n := 0; jobOf(p.state.Load()) == seen; n++ {
			if p.closing.Load() {
				return
			}
			switch {
			case n < spins:
			case n < spins+yields:
				runtime.Gosched()
			default:
				p.sleep(h, seen)
			}
		}
		seen = jobOf(p.state.Load())
	}
}

// sleep blocks until there is a job newer than seen, or the pool closes.
func (p *pool) sleep(h *helper, seen uint64) {
	h.asleep.Store(true)
	if jobOf(p.state.Load()) != seen || p.closing.Load() {
		if h.asleep.CompareAndSwap(true, false) {
			return
		}
	}
	<-h.wake
}
