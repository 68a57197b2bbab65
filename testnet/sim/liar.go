package sim

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
)

// A liar stands between a Byzantine member's real machine and the network. It alters what the machine says of itself, and
// signs it again; what others signed it can only leave out, delay or repeat.
type liar struct {
	index  int
	key    ed25519.PrivateKey
	id     federation.MemberID
	random *rand.Rand
	lies   []Deviation
	past   [][]byte          // sent before
	memory map[string][]byte // what was made of an envelope, where all are to get the same
	places []ledger.Envelope // where own envelopes stood, without their contents
	spoils func()            // is called when a masked input is altered
}

// A parcel is what a liar sends, and how much later.
type parcel struct {
	raw   []byte
	delay time.Duration
}

// A strategy says what a liar sends to one member instead of an envelope. e is a copy that may be altered; it is of its own.
type strategy func(l *liar, d *Deviation, e *ledger.Envelope, x parcel, to int) []parcel

// say returns what is sent to a member instead of an envelope.
func (l *liar) say(raw []byte, to int) []parcel {
	out := []parcel{{raw: raw}}
	for k := range l.lies {
		d := &l.lies[k]
		lie := strategies[d.Strategy]
		if lie == nil || !d.Towards.Has(to) {
			continue
		}
		var next []parcel
		for _, x := range out {
			e := l.own(x.raw)
			if e == nil || len(d.Steps) > 0 && !slices.Contains(d.Steps, e.Type) {
				next = append(next, x)
				continue
			}
			next = append(next, lie(l, d, e, x, to)...)
		}
		out = next
	}
	return out
}

// own returns a copy of an envelope that the liar has signed, or nil.
func (l *liar) own(raw []byte) *ledger.Envelope {
	if id, err := ledger.PeekSender(raw); err != nil || id != l.id {
		return nil
	}
	e, err := ledger.DecodeEnvelope(bytes.Clone(raw))
	if err != nil {
		return nil
	}
	return e
}

// sign makes an envelope of altered content.
func (l *liar) sign(e *ledger.Envelope) []byte {
	if e.Type == stepMasked || e.Type == stepChunk {
		l.spoils()
	}
	e.SignEnvelope(l.key)
	return e.Encode()
}

// makeLiars gives Byzantine members their strategies and twins.
func (w *World) makeLiars(file string, data []byte) {
	for _, d := range w.s.Byzantine {
		p := w.processes[d.Who]
		if p.liar == nil {
			p.liar = w.newLiar(d.Who)
		}
		p.liar.lies = append(p.liar.lies, d)
		if d.Strategy == twinStrategy {
			twin := w.newProcess(d.Who, file, data)
			twin.side, twin.liar, twin.trainer = d.Towards, p.liar, trainer{d.Who + w.s.Members, w.s.Members}
			w.processes = append(w.processes, twin)
			w.audit.spoilt[d.Who] = true
		}
	}
}

func (w *World) newLiar(i int) *liar {
	return &liar{index: i, key: memberKey(i), id: w.genesis.Members[i].ID, random: rand.New(rand.NewPCG(w.s.Seed, uint64(100+i))),
		memory: map[string][]byte{}, spoils: func() { w.audit.spoilt[i] = true }}
}

// twinStrategy gives a member a second machine with the same keys, which talks to the members that the deviation names while the
// first talks to the rest: whatever the member says it says in two valid ways.
const twinStrategy = "twin"

// Strategies lists the ways to deviate.
func Strategies() []string {
	return append(slices.Sorted(maps.Keys(strategies)), twinStrategy)
}

// boasts is how many rounds a process claims to have when it meets another.
func (p *process) boasts() uint64 {
	if p.liar.has("boast") {
		return p.finished + 1000
	}
	return p.finished
}

// has says whether a strategy is in use.
func (l *liar) has(strategy string) bool {
	return l != nil && slices.ContainsFunc(l.lies, func(d Deviation) bool { return d.Strategy == strategy })
}

// history is what a liar hands out as finished rounds.
func (l *liar) history(of []federation.Finished) []federation.Finished {
	if !l.has("rewrite") {
		return of
	}
	for k := range of {
		f := &of[k]
		f.Record, f.Certificate = bytes.Clone(f.Record), bytes.Clone(f.Certificate)
		document := f.Record
		if l.random.IntN(2) == 0 {
			document = f.Certificate
		}
		document[l.random.IntN(len(document))] ^= byte(1 + l.random.IntN(255))
	}
	return of
}

// memo returns what was made of an envelope before, for this recipient or (-1) for all, or makes it.
func (l *liar) memo(d *Deviation, e *ledger.Envelope, to int, alter func()) []byte {
	key := fmt.Sprintf("%s %x %s %d %d", d.Strategy, e.Session, e.Type, e.Seq, to)
	if l.memory[key] == nil {
		alter()
		l.memory[key] = l.sign(e)
	}
	return l.memory[key]
}
