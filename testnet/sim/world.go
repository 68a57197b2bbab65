package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// A World runs all members of a scenario in one thread and virtual time. The same scenario makes the same world, event
// by event.
type World struct {
	s         *Scenario
	genesis   *ledger.Genesis
	processes []*process // one per member, then twins
	links     [][]*link  // from, to
	audit     *audit

	now     time.Duration
	queue   queue
	serial  int
	network *rand.Rand // of delays and losses
	chance  *rand.Rand // of everything else

	waiting    []*waiting
	timed      int             // events at points in time that are still to happen
	trouble    time.Duration   // when the last of it ends
	disturbed  map[uint64]bool // rounds under way when something was done
	taken      map[stepKey]bool
	replays    bool     // some link brings old envelopes along
	past       [][]byte // then: all that were sent
	stalled    []string // who has not got to the end in time
	main, full []string // the story: main steps, and everything
}

// Run plays a scenario until all members that are honest and alive have all rounds, or their time is up.
func Run(s *Scenario) (*Outcome, error) {
	w, err := newWorld(s)
	if err != nil {
		return nil, err
	}
	if s.Founded {
		if err := w.found(); err != nil {
			return nil, err
		}
	}
	w.play()
	return w.outcome(), nil
}

func newWorld(s *Scenario) (*World, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	g, first, err := s.genesis()
	if err != nil {
		return nil, fmt.Errorf("found the federation of a scenario: %w", err)
	}
	w := &World{s: s, genesis: g, taken: map[stepKey]bool{}, disturbed: map[uint64]bool{},
		network: rand.New(rand.NewPCG(s.Seed, 1)), chance: rand.New(rand.NewPCG(s.Seed, 2))}
	w.audit = newAudit(w)
	for range s.Members {
		row := make([]*link, s.Members)
		for j := range row {
			row[j] = newLink()
		}
		w.links = append(w.links, row)
	}
	for i := range s.Members {
		w.processes = append(w.processes, w.newProcess(i, first.CID.KeyString(), first.Data))
	}
	w.makeLiars(first.CID.KeyString(), first.Data)
	for k := range s.Links {
		w.setLinks(&s.Links[k])
	}
	for _, c := range s.Clocks {
		for _, p := range w.processes {
			if c.Who.Has(p.index) {
				p.skew, p.ppm = p.skew+c.Skew, p.ppm+c.PPM
			}
		}
	}
	return w, nil
}

func (w *World) newProcess(i int, file string, data []byte) *process {
	return &process{index: i, disk: map[string][]byte{}, blocks: map[string][]byte{file: data}, trainer: trainer{i, w.s.Members}, failed: map[uint64]bool{}}
}

// greetEvery is how often members that can talk tell each other how far they are, as nodes do.
const greetEvery = 15 * time.Second

func (w *World) greet() {
	for i := range w.s.Members {
		for j := range i {
			w.meetAll(j, i)
		}
	}
	w.later(greetEvery, w.greet)
}

// play runs to the end.
func (w *World) play() {
	for _, e := range w.s.Events {
		w.await(e)
	}
	for _, p := range w.processes {
		w.start(p)
	}
	w.later(greetEvery, w.greet)
	for !w.done() && w.now <= w.trouble+w.s.Within && len(w.audit.faults) == 0 {
		w.next()
	}
	for _, p := range w.processes {
		if p.honest() && !p.gone && p.finished < w.s.Rounds && len(w.audit.faults) == 0 {
			w.stalled = append(w.stalled, fmt.Sprintf("%s stands still, %v after the last trouble: %s", p, w.s.Within, p.standing()))
		}
	}
	w.audit.final()
}

func (p *process) standing() string {
	if !p.alive() {
		return "dead"
	}
	s := p.machine.Status()
	return fmt.Sprintf("%d rounds certified, attempt %d, %s", s.Finished, s.Attempt, s.Activity)
}

func (w *World) done() bool {
	for _, p := range w.processes {
		if p.honest() && !p.gone && (!p.alive() || p.finished < w.s.Rounds) {
			return false
		}
	}
	return true
}

// disturb notes that something is done to the federation, in which round and until when.
func (w *World) disturb(d Do) {
	w.trouble = max(w.trouble, w.now+d.For)
	if d.Verb != Heal {
		w.disturbed[uint64(len(w.audit.kinds))] = true
	}
}
