package sim

import (
	"bytes"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/ipfs/go-cid"
)

// carryOut does what a machine asks for, as the node's loop does, and lets what is to happen at this moment happen.
func (w *World) carryOut(p *process, a federation.Action) {
	said := w.said(p, a)
	w.moment(Before, p, said)
	if p.paused {
		p.todo = append([]federation.Action{a}, p.todo...)
	}
	if !p.alive() || p.paused {
		return
	}
	for _, u := range said {
		w.audit.sent(p, u)
		w.firstSaid(p, u)
	}
	w.do(p, a, said)
	switch a.(type) {
	case federation.Persist, federation.Broadcast, federation.Send, federation.Publish, federation.Store, federation.Train, federation.CollectSetup, federation.ApplySetup:
		p.actions++ // death after any other action makes no difference
		w.counted(p)
	}
	w.moment(After, p, said)
}

func (w *World) do(p *process, a federation.Action, said []utterance) {
	switch a := a.(type) {
	case federation.Persist:
		w.persist(p, a)
	case federation.Publish:
		w.store(p, a.Files)
	case federation.Store:
		w.store(p, a.Files)
	case federation.Broadcast:
		w.broadcast(p, a, said)
	case federation.Send:
		for _, q := range w.processes {
			if w.genesis.Members[q.index].ID == a.To {
				w.send(p, q, a.Envelopes)
			}
		}
	case federation.FetchRounds:
		w.fetchRounds(p, a)
	case federation.Fetch:
		w.fetch(p, p.life, a.CID)
	case federation.CollectSetup:
		w.finish(p, a.Round, federation.SetupSummed{Round: a.Round, Sums: p.trainer.collect()})
	case federation.ApplySetup:
		w.answer(p, applyTime, federation.SetupApplied{Round: a.Round, Attempt: a.Attempt, Weights: p.trainer.apply(a.Weights, a.Totals)})
	case federation.Train:
		w.finish(p, a.Round, federation.Trained{Round: a.Round, Update: p.trainer.train(a.Round, a.Weights)})
	case federation.Install, federation.Members:
	case federation.Progress:
		w.progress(p, a)
	case federation.Halt:
		w.audit.halted(p, a.Reason)
		w.kill(p)
		p.gone = true
	default:
		w.audit.fault("%s asks for %T, which this program does not know", p, a)
	}
}

const applyTime = 20 * time.Millisecond

// finish ends a piece of local work after some time, as it should or with a failure.
func (w *World) finish(p *process, round uint64, e federation.Event) {
	for _, f := range w.s.Failures {
		if f.Round == round && f.Who.Has(p.index) && !p.failed[round] {
			p.failed[round] = true
			e = federation.Failed{Round: round, Reason: "the scenario says so"}
		}
	}
	s := w.s.Train
	w.answer(p, s.Low+time.Duration(w.chance.Int64N(int64(s.High-s.Low)+1)), e)
}

// answer gives an event to a process after a while, if it still lives.
func (w *World) answer(p *process, after time.Duration, e federation.Event) {
	life := p.life
	w.later(after, func() { w.step(p, life, e) })
}

// persist writes all entries or none. A full disk stops the member, as it stops a node.
func (w *World) persist(p *process, a federation.Persist) {
	if w.stoppedByDisk(p) {
		return
	}
	for _, e := range a.Once {
		if was, ok := p.disk[string(e.Key)]; ok && !bytes.Equal(was, e.Value) {
			w.audit.broken(p, e.Key)
		}
		p.disk[string(e.Key)] = bytes.Clone(e.Value)
	}
	for _, e := range a.Set {
		p.disk[string(e.Key)] = bytes.Clone(e.Value)
	}
	for _, key := range a.Delete {
		delete(p.disk, string(key))
	}
	for p.disk[string(federation.RecordKey(p.finished))] != nil {
		w.audit.certified(p, p.finished)
		p.finished++
	}
}

func (w *World) store(p *process, files []federation.File) {
	if w.stoppedByDisk(p) {
		return
	}
	for _, f := range files {
		p.blocks[f.CID.KeyString()] = f.Data
	}
}

func (w *World) stoppedByDisk(p *process) bool {
	if p.full {
		w.note("%s stops: its disk is full", p)
		w.kill(p)
		p.stopped = true
	}
	return p.full
}

// broadcast sends to all others. A process that is struck in the middle of it has served some of them, and each of
// those in part.
func (w *World) broadcast(p *process, a federation.Broadcast, said []utterance) {
	amid := w.wanted(Amid, p, said)
	for _, k := range w.order(len(w.processes), amid != nil) {
		some := a.Envelopes
		if amid != nil {
			some = some[:w.chance.IntN(len(some)+1)]
		}
		w.send(p, w.processes[k], some)
	}
	for _, e := range amid {
		w.fire(e)
	}
}

// order is 0 to n-1, or a random order.
func (w *World) order(n int, shuffled bool) []int {
	if shuffled {
		return w.chance.Perm(n)
	}
	return Members(nil).list(n)
}

// send puts envelopes on the way, a liar's as its strategies have it.
func (w *World) send(from, to *process, envelopes [][]byte) {
	if !w.talk(from, to) {
		return
	}
	for _, raw := range envelopes {
		if from.honest() {
			w.post(from, to, raw, 0)
			continue
		}
		for _, x := range from.liar.say(raw, to.index) {
			w.post(from, to, x.raw, x.delay)
		}
	}
}

// fetchRounds asks another member for finished rounds.
func (w *World) fetchRounds(p *process, a federation.FetchRounds) {
	for _, q := range w.processes {
		if w.genesis.Members[q.index].ID != a.From || !w.talk(p, q) {
			continue
		}
		w.ask(p, q, func() (int, func()) {
			e := federation.Rounds{From: a.From, Rounds: q.rounds(a.First)}
			size := 0
			for _, f := range e.Rounds {
				size += len(f.Record) + len(f.Certificate)
			}
			return size, func() {
				if len(e.Rounds) > 0 {
					w.step(p, p.life, e)
				}
			}
		})
	}
}

// rounds are the finished rounds that a process hands out.
func (p *process) rounds(first uint64) (out []federation.Finished) {
	for k := first; k < p.finished; k++ {
		out = append(out, federation.Finished{Record: p.disk[string(federation.RecordKey(k))], Certificate: p.disk[string(federation.CertificateKey(k))]})
	}
	if p.liar != nil {
		return p.liar.history(out)
	}
	return out
}

// fetch looks for a file at one member after another until somebody has it.
func (w *World) fetch(p *process, life int, want cid.Cid) {
	if p.life != life || !p.alive() {
		return
	}
	if data, ok := p.blocks[want.KeyString()]; ok {
		w.answer(p, time.Millisecond, federation.Fetched{CID: want, Data: data})
		return
	}
	for _, q := range w.processes {
		if w.talk(p, q) && q.alive() && q.blocks[want.KeyString()] != nil && w.links[p.index][q.index].blocked == "" {
			w.ask(p, q, func() (int, func()) {
				data := q.blocks[want.KeyString()]
				return len(data), func() { p.blocks[want.KeyString()] = data }
			})
			break
		}
	}
	w.later(200*time.Millisecond, func() { w.fetch(p, life, want) })
}
