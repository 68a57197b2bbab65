package graph

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pool runs the pieces of one job after another on several goroutines. Between start and stop the helpers wait for jobs,
// first spinning, as the next job mostly comes within microseconds, then asleep.
//
// Every worker has a share of the pieces, the same part of every job, and takes from others only when that is done: what it
// finds in its caches it has mostly written itself. A share is one word that holds the number of the job, so that a helper
// that comes late cannot take a piece of the wrong one.
type pool struct {
	work    func(j job, piece, worker int)
	helpers []*sleeper
	mains   []func() // bodies of the helpers' goroutines
	group   sync.WaitGroup

	shares  []share       // by worker
	current atomic.Uint64 // number of the job, after its shares
	job     job
	pending atomic.Int32 // pieces not finished
	owner   *sleeper     // waits for pending to become 0
	closing atomic.Bool
}

// share is the number of a job, the end of a range of its pieces, and the next piece to take.
type share struct {
	state atomic.Uint64
	_     [56]byte // a cache line of its own
}

const (
	pieceBits = 20
	pieceMask = 1<<pieceBits - 1
	maxPieces = pieceMask
)

func jobOf(state uint64) uint64 { return state >> (2 * pieceBits) }

// job is what is done in pieces: an item of a kind that the owner of the pool knows.
type job struct {
	kind jobKind
	item int
}

type jobKind uint8

func newPool(threads int, work func(j job, piece, worker int)) *pool {
	p := &pool{work: work, owner: newSleeper(), shares: make([]share, threads)}
	for i := 1; i < threads; i++ {
		h := newSleeper()
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
		h.rouse()
	}
}

// run does all pieces of a job and returns when they are finished.
func (p *pool) run(j job, pieces int) {
	if len(p.helpers) == 0 {
		for i := range pieces {
			p.work(j, i, 0)
		}
		return
	}
	p.job = j
	p.pending.Store(int32(pieces))
	number := p.current.Load() + 1
	for w, n := 0, len(p.shares); w < n; w++ {
		from, to := uint64(w*pieces/n), uint64((w+1)*pieces/n)
		p.shares[w].state.Store(number<<(2*pieceBits) | to<<pieceBits | from)
	}
	p.current.Store(number)
	p.rouse()
	p.take(number, 0)
	p.owner.until(func() bool { return p.pending.Load() == 0 })
}

// take works on pieces of the numbered job until none is left, those of its own share first.
func (p *pool) take(number uint64, worker int) {
	for k := range p.shares {
		p.takeFrom(&p.shares[(worker+k)%len(p.shares)].state, number, worker)
	}
}

func (p *pool) takeFrom(state *atomic.Uint64, number uint64, worker int) {
	for {
		s := state.Load()
		next := s & pieceMask
		if jobOf(s) != number || next >= s>>pieceBits&pieceMask {
			return
		}
		if !state.CompareAndSwap(s, s+1) {
			continue
		}
		// The job cannot end before this piece is accounted for, so its fields stand still.
		p.work(p.job, int(next), worker)
		if p.pending.Add(-1) == 0 && worker != 0 {
			p.owner.rouse()
		}
	}
}

func (p *pool) help(h *sleeper, worker int) {
	seen := p.current.Load()
	for !p.closing.Load() {
		p.take(seen, worker)
		h.until(func() bool { return p.current.Load() != seen || p.closing.Load() })
		seen = p.current.Load()
	}
}

// sleeper lets one goroutine wait for what others do: for a short time spinning, then asleep.
type sleeper struct {
	asleep atomic.Bool
	wake   chan struct{}
}

const (
	spins  = 20000 // about 20 microseconds
	yields = 20
)

func newSleeper() *sleeper { return &sleeper{wake: make(chan struct{}, 1)} }

// until returns once done does. Whoever makes it true must call rouse afterwards.
func (s *sleeper) until(done func() bool) {
	for n := 0; !done(); n++ {
		switch {
		case n < spins:
		case n < spins+yields:
			runtime.Gosched()
		default:
			s.asleep.Store(true)
			if done() && s.asleep.CompareAndSwap(true, false) {
				return
			}
			<-s.wake
			n = 0
		}
	}
}

// rouse wakes the goroutine if it is asleep.
func (s *sleeper) rouse() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		s.wake <- struct{}{}
	}
}
