package sim

import (
	"crypto/ed25519"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
)

// An utterance is an envelope of its own that a process is about to say for the first time.
type utterance struct {
	*ledger.Envelope
	raw []byte
}

// said returns the envelopes of an action that the process itself has signed and not sent before.
func (w *World) said(p *process, a federation.Action) (out []utterance) {
	var envelopes [][]byte
	switch a := a.(type) {
	case federation.Broadcast:
		envelopes = a.Envelopes
	case federation.Send:
		envelopes = a.Envelopes
	}
	own := memberKey(p.index).Public().(ed25519.PublicKey)
	for _, raw := range envelopes {
		if id, err := ledger.PeekSender(raw); err != nil || !slices.Equal(id[:], own) || !w.audit.isNew(raw) {
			continue
		}
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil {
			w.audit.fault("%s says what nobody can read: %v", p, err)
			continue
		}
		out = append(out, utterance{e, raw})
	}
	return out
}

// firstSaid notes when a step is taken by the first member.
func (w *World) firstSaid(p *process, e utterance) {
	key := stepKey{e.Type, e.Round, e.Attempt}
	if w.taken[key] || e.Type == stepSync || e.Type == stepChunk {
		return
	}
	w.taken[key] = true
	w.note("round %d%s: %s by %s", e.Round, attemptText(e.Attempt), e.Type, p)
}

type stepKey struct {
	step           string
	round, attempt uint64
}

// moment fires what is to happen on this side of what a process says.
func (w *World) moment(edge Edge, p *process, said []utterance) {
	for _, e := range w.wanted(edge, p, said) {
		w.fire(e)
	}
}

// wanted returns the events that are due on a side of what a process says.
func (w *World) wanted(edge Edge, p *process, said []utterance) (out []*waiting) {
	for _, u := range said {
		for _, e := range w.waiting {
			if e.when.Step == u.Type && e.when.Round == u.Round && e.when.Edge == edge && e.concerns(p) && !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	return out
}

// waiting is an event that waits for a step or a number of actions.
type waiting struct {
	when When
	do   Do // about one member when it waits for each by itself
}

func (e *waiting) concerns(p *process) bool {
	switch e.when.Of {
	case Anybody:
		return true
	case Own:
		return e.do.Who.Has(p.index)
	}
	return e.when.Of == p.index
}

// fire lets an event happen, once.
func (w *World) fire(e *waiting) {
	k := slices.Index(w.waiting, e)
	if k < 0 {
		return
	}
	w.waiting = slices.Delete(w.waiting, k, k+1)
	w.happen(e.do)
}

// counted fires what waits for a number of actions.
func (w *World) counted(p *process) {
	for _, e := range slices.Clone(w.waiting) {
		if e.when.Action > 0 && p.actions >= e.when.Action && e.do.Who.Has(p.index) {
			w.fire(e)
		}
	}
}

// await sets an event up.
func (w *World) await(e Event) {
	switch {
	case e.When.Step == "" && e.When.Action == 0:
		w.timed++
		w.later(e.When.At-w.now, func() { w.timed--; w.happen(e.Do) })
	case e.Do.Verb.personal() && (e.When.Of == Own || e.When.Action > 0): // each by itself
		for _, i := range e.Do.Who.list(w.s.Members) {
			do := e.Do
			do.Who = Members{i}
			w.waiting = append(w.waiting, &waiting{e.When, do})
		}
	default:
		w.waiting = append(w.waiting, &waiting{e.When, e.Do})
	}
}

// happen does what an event says.
func (w *World) happen(d Do) {
	w.note("%s", strings.TrimSpace(d.String()))
	w.disturb(d)
	switch d.Verb {
	case Cut, Hold:
		w.block(d.Verb, d.Sides)
		if d.For > 0 {
			w.later(d.For, w.heal)
		}
	case Heal:
		w.heal()
	case Link:
		w.setLinks(d.Link)
	}
	for _, p := range w.processes {
		if !d.Who.Has(p.index) {
			continue
		}
		switch d.Verb {
		case Kill:
			w.strike(p, d)
		case Pause:
			w.pause(p, d.For)
		case Full:
			w.fill(p, d)
		case Skew:
			p.skew += d.Skew
		}
	}
}

// strike kills a process, for a while or for good.
func (w *World) strike(p *process, d Do) {
	w.kill(p)
	if d.For == 0 {
		p.gone = true
		return
	}
	w.later(d.For, func() { w.start(p) })
}

// fill leaves no space on a disk for a while.
func (w *World) fill(p *process, d Do) {
	p.full = true
	w.later(d.For, func() {
		p.full = false
		if p.stopped {
			p.stopped = false
			w.start(p)
		}
	})
}
