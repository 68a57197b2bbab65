package sim

import (
	"time"

	"github.com/fedlam/fedlam/federation"
)

// A link carries envelopes from one member to another.
type link struct {
	latency   Span
	bandwidth int // bytes per second, 0 for no limit
	loss      int // per cent
	duplicate int
	reorder   int
	replay    int

	busy    time.Duration // until then the sender's end is taken by earlier envelopes
	last    time.Duration // arrival of the newest envelope; those that do not overtake come later
	blocked Verb          // Cut, Hold or none
	held    []func()      // deliveries that wait for the heal
}

// newLink is a good link.
func newLink() *link { return &link{latency: Span{time.Millisecond, 30 * time.Millisecond}} }

func (l *link) apply(r *LinkRule) {
	if r.Latency != nil {
		l.latency = *r.Latency
	}
	for _, x := range []struct {
		to   *int
		from *int
	}{{&l.bandwidth, r.Bandwidth}, {&l.loss, r.Loss}, {&l.duplicate, r.Duplicate}, {&l.reorder, r.Reorder}, {&l.replay, r.Replay}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
}

// setLinks applies a rule.
func (w *World) setLinks(r *LinkRule) {
	w.replays = w.replays || r.Replay != nil && *r.Replay > 0
	for _, i := range r.From.list(w.s.Members) {
		for _, j := range r.To.list(w.s.Members) {
			w.links[i][j].apply(r)
		}
	}
}

func (w *World) percent(p int) bool { return p > 0 && w.network.IntN(100) < p }

func (w *World) draw(s Span) time.Duration {
	return s.Low + time.Duration(w.network.Int64N(int64(max(s.High-s.Low, 0))+1))
}

// post sends one envelope from a process to another, as the link has it, and maybe an old one behind it.
func (w *World) post(from, to *process, raw []byte, delay time.Duration) {
	l := w.links[from.index][to.index]
	w.transmit(l, from, to, raw, delay)
	if !w.replays {
		return
	}
	w.past = append(w.past, raw)
	if w.percent(l.replay) {
		w.transmit(l, from, to, w.past[w.network.IntN(len(w.past))], delay)
	}
}

func (w *World) transmit(l *link, from, to *process, raw []byte, delay time.Duration) {
	if w.percent(l.loss) {
		return
	}
	l.busy = max(l.busy, w.now)
	if l.bandwidth > 0 {
		l.busy += time.Duration(int64(len(raw)) * int64(time.Second) / int64(l.bandwidth))
	}
	copies := 1
	if w.percent(l.duplicate) {
		copies = 2
	}
	departs, life := l.busy, from.life
	for range copies {
		arrives := departs + w.draw(l.latency)
		if !w.percent(l.reorder) {
			arrives = max(arrives, l.last)
			l.last = arrives
		}
		w.later(arrives+delay-w.now, func() {
			if from.lived(life, departs) { // what a killed process had not sent died with it
				w.arrive(l, to, raw)
			}
		})
	}
}

// arrive is the end of the way. Whoever is alive then gets it.
func (w *World) arrive(l *link, to *process, raw []byte) {
	switch l.blocked {
	case Cut:
	case Hold:
		l.held = append(l.held, func() { w.step(to, to.life, federation.Received{Envelope: raw}) })
	default:
		w.step(to, to.life, federation.Received{Envelope: raw})
	}
}

// ask carries a request and its answer, both of which a blocked link or a dead member loses. size is that of the answer in bytes.
func (w *World) ask(from, to *process, serve func() (size int, deliver func())) {
	there, back, life := w.links[from.index][to.index], w.links[to.index][from.index], from.life
	w.later(w.draw(there.latency), func() {
		if there.blocked != "" || !to.alive() || to.paused {
			return
		}
		size, deliver := serve()
		delay := w.draw(back.latency)
		if back.bandwidth > 0 {
			delay += time.Duration(int64(size) * int64(time.Second) / int64(back.bandwidth))
		}
		w.later(delay, func() {
			if back.blocked == "" && from.life == life {
				deliver()
			}
		})
	})
}

// block cuts or holds all links between members of different sides.
func (w *World) block(how Verb, sides []Members) {
	for a, left := range sides {
		for b, right := range sides {
			if a == b {
				continue
			}
			for _, i := range left.list(w.s.Members) {
				for _, j := range right.list(w.s.Members) {
					w.links[i][j].blocked = how
				}
			}
		}
	}
}

// heal ends all cuts, delivers what was held, and has those meet who could not.
func (w *World) heal() {
	for i, row := range w.links {
		for j, l := range row {
			if l.blocked == "" {
				continue
			}
			l.blocked = ""
			for _, deliver := range l.held {
				w.later(w.draw(l.latency), deliver)
			}
			l.held = nil
			if i < j {
				w.meetAll(i, j)
			}
		}
	}
}
