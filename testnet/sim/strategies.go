package sim

import (
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// strategies are the ways to deviate besides a twin. Those that the machine's words do not pass through say nothing here and
// act elsewhere.
var strategies = map[string]strategy{
	"boast":      keep,
	"delay":      delay,
	"double":     double,
	"equivocate": equivocate,
	"garbage":    garbage,
	"replay":     replay,
	"rewrite":    keep,
	"spoil":      spoil,
	"stale":      stale,
	"withhold":   withhold,
}

// keep changes nothing about what is said. "boast" claims rounds that do not exist, "rewrite" hands out spoilt records and
// certificates.
func keep(_ *liar, _ *Deviation, _ *ledger.Envelope, x parcel, _ int) []parcel { return []parcel{x} }

// withhold leaves envelopes out.
func withhold(*liar, *Deviation, *ledger.Envelope, parcel, int) []parcel { return nil }

// delay sends them later.
func delay(_ *liar, d *Deviation, _ *ledger.Envelope, x parcel, _ int) []parcel {
	x.delay += d.Delay
	return []parcel{x}
}

// replay sends something old as well.
func replay(l *liar, _ *Deviation, _ *ledger.Envelope, x parcel, _ int) []parcel {
	l.past = append(l.past, x.raw)
	return []parcel{x, {raw: l.past[l.random.IntN(len(l.past))], delay: x.delay}}
}

// equivocate says something else to every member that it is about, and says it again when asked again. A roster or list that it
// tells a member leaves out another one.
func equivocate(l *liar, d *Deviation, e *ledger.Envelope, x parcel, to int) []parcel {
	x.raw = l.memo(d, e, to, func() { l.contradict(e, to+1) })
	return []parcel{x}
}

// double says both: the machine's word, and another one in the same place.
func double(l *liar, d *Deviation, e *ledger.Envelope, x parcel, _ int) []parcel {
	other := l.memo(d, e, -1, func() { l.contradict(e, l.index) })
	if l.random.IntN(2) == 0 {
		return []parcel{{raw: other, delay: x.delay}, x}
	}
	return []parcel{x, {raw: other, delay: x.delay}}
}

// spoil changes a byte of the body, the same for everybody. The first bytes, which say what the body is, stay.
func spoil(l *liar, d *Deviation, e *ledger.Envelope, x parcel, _ int) []parcel {
	const head = 36
	x.raw = l.memo(d, e, -1, func() {
		if n := len(e.Body) - head; n > 0 {
			e.Body[head+l.random.IntN(n)] ^= byte(1 + l.random.IntN(255))
		}
	})
	return []parcel{x}
}

// garbage signs nonsense, differently every time: bodies cut, flipped and grown, other numbers.
func garbage(l *liar, _ *Deviation, e *ledger.Envelope, x parcel, _ int) []parcel {
	e.Body = append(e.Body[:l.random.IntN(len(e.Body)+1)], make([]byte, l.random.IntN(3))...)
	if n := len(e.Body); n > 0 {
		e.Body[l.random.IntN(n)] ^= byte(l.random.IntN(256))
	}
	if l.random.IntN(4) == 0 {
		e.Seq = l.random.Uint64() >> l.random.IntN(64)
	}
	if l.random.IntN(4) == 0 {
		e.Attempt = uint64(l.random.IntN(9))
	}
	return []parcel{{raw: x.raw[:len(x.raw)-1], delay: x.delay}, {raw: l.sign(e), delay: x.delay + time.Millisecond}}
}

// stale says the same in an earlier attempt or round as well.
func stale(l *liar, _ *Deviation, e *ledger.Envelope, x parcel, _ int) []parcel {
	out := []parcel{x}
	if len(l.places) > 0 {
		old := l.places[l.random.IntN(len(l.places))]
		old.Type, old.Seq, old.Body = e.Type, e.Seq, e.Body
		out = append(out, parcel{raw: l.sign(&old), delay: x.delay})
	}
	if n := len(l.places); n == 0 || l.places[n-1].Session != e.Session {
		l.places = append(l.places, ledger.Envelope{Round: e.Round, Attempt: e.Attempt, Session: e.Session})
	}
	return out
}
