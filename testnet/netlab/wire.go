package netlab

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// mostQueued is how long packets wait in front of a slow wire before new ones are dropped: as long as in many home routers.
	mostQueued = 400 * time.Millisecond
	wireSlots  = 4096 // packets under way
)

// A Link is what lies between a site and the rest of the world. The zero value is a perfect one.
type Link struct {
	// Loss is the share of packets that are lost, in each direction, from 0 to 1.
	Loss float64
	// Delay is how long a packet takes, in each direction.
	Delay time.Duration
	// Up is the most that the site can send, in bytes per second; 0 is no limit.
	Up int
	// Cut lets nothing through.
	Cut bool
}

// A wire carries packets in one direction, in order.
type wire struct {
	to    func(packet)
	queue chan flight
	done  chan struct{}

	mu   sync.Mutex
	loss float64
	wait time.Duration
	rate int // bytes per second, 0 without limit
	cut  bool
	free time.Time // when the last packet has left
	dice *rand.Rand
}

type flight struct {
	packet packet
	arrive time.Time
}

func newWire(seed, direction uint64, to func(packet)) *wire {
	return &wire{to: to, queue: make(chan flight, wireSlots), done: make(chan struct{}), dice: rand.New(rand.NewPCG(seed, direction))}
}

func (w *wire) set(loss float64, delay time.Duration, rate int, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss, w.wait, w.rate, w.cut = loss, delay, rate, cut
}

// send takes a packet, or drops it.
func (w *wire) send(p packet, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut || w.dice.Float64() < w.loss {
		return
	}
	if w.free.Before(now) {
		w.free = now
	}
	if w.rate > 0 {
		if w.free.Sub(now) > mostQueued {
			return
		}
		w.free = w.free.Add(time.Duration(len(p)) * time.Second / time.Duration(w.rate))
	}
	select {
	case w.queue <- flight{p, w.free.Add(w.wait)}:
	default:
	}
}

// run delivers packets when their time has come, until done is closed.
func (w *wire) run() {
	for {
		select {
		case f := <-w.queue:
			if left := time.Until(f.arrive); left > 0 {
				timer := time.NewTimer(left)
				select {
				case <-timer.C:
				case <-w.done:
					timer.Stop()
					return
				}
			}
			w.to(f.packet)
		case <-w.done:
			return
		}
	}
}
