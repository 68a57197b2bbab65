package sim

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation"
)

// A process runs a member's machine. A member has one, or two if it is Byzantine and has a twin. What was persisted or
// published survives its death; nothing else does.
type process struct {
	index   int
	side    Members             // of a twin: whom it talks to; nil for everybody
	machine *federation.Machine // nil while dead
	life    int                 // counts starts: what was under way in an earlier life comes to nothing
	died    []time.Duration     // end of each earlier life
	gone    bool                // never to come back
	paused  bool
	wakes   time.Duration
	full    bool // the disk
	stopped bool // because of that
	inbox   []federation.Event
	todo    []federation.Action // of the Step under way

	disk     map[string][]byte
	blocks   map[string][]byte // by binary CID
	finished uint64            // certified rounds on the disk
	skew     time.Duration
	ppm      int
	trainer  trainer
	actions  int // carried out so far that others or a later life can see
	liar     *liar
	failed   map[uint64]bool // rounds in which its local work has failed
}

func (p *process) alive() bool { return p.machine != nil }

// honest says whether the process does what its machine says.
func (p *process) honest() bool { return p.liar == nil }

func (p *process) String() string {
	if p.side != nil {
		return fmt.Sprintf("M%d's twin", p.index)
	}
	return fmt.Sprintf("M%d", p.index)
}

// lived says whether a life had not ended at a time.
func (p *process) lived(life int, at time.Duration) bool {
	return life > len(p.died) || p.died[life-1] >= at
}

// start brings a process to life, with what is on its disk.
func (w *World) start(p *process) {
	if p.alive() || p.gone {
		return
	}
	p.life++
	seed := sha256.Sum256(fmt.Appendf(nil, "secrets of %s in life %d, seed %d", p, p.life, w.s.Seed))
	cfg := federation.Config{Genesis: w.genesis, Key: memberKey(p.index), Random: rand.NewChaCha8(seed), SetupTrunk: setupTrunk, SetupHead: setupHead,
		Policy:  federation.Policy{MinCohort: w.s.Cohort, Rounds: w.s.Rounds},
		Witness: func(c federation.Contribution) { w.audit.contributed(p, c) }}
	for _, key := range slices.Sorted(maps.Keys(p.disk)) {
		cfg.Log = append(cfg.Log, federation.Entry{Key: []byte(key), Value: p.disk[key]})
	}
	m, err := federation.New(cfg)
	if err != nil {
		w.audit.fault("%s cannot start again from its disk: %v", p, err)
		p.died, p.gone = append(p.died, w.now), true
		return
	}
	p.machine = m
	if p.life > 1 {
		w.note("%s starts again", p)
	}
	for _, l := range w.links[p.index] {
		l.busy = w.now
	}
	life := p.life
	w.later(time.Duration(w.chance.IntN(int(tickEvery))), func() { w.tick(p, life) })
	w.step(p, life, federation.Tick{Now: w.clock(p)})
	for _, q := range w.processes {
		if q.index != p.index && q.alive() {
			w.later(10*time.Millisecond, func() { w.meet(p, q) })
		}
	}
}

// kill ends a process like SIGKILL.
func (w *World) kill(p *process) {
	if !p.alive() {
		return
	}
	p.machine, p.inbox, p.todo, p.paused, p.wakes = nil, nil, nil, false, 0
	p.died = append(p.died, w.now)
}

// tickEvery is the time between two ticks of a machine.
const tickEvery = 100 * time.Millisecond

func (w *World) tick(p *process, life int) {
	if !p.alive() || p.life != life {
		return
	}
	if !p.paused {
		w.step(p, life, federation.Tick{Now: w.clock(p)})
	}
	w.later(tickEvery, func() { w.tick(p, life) })
}

// clock is what a process believes to be the time.
func (w *World) clock(p *process) time.Time {
	drift := time.Duration(int64(w.now) / 1e6 * int64(p.ppm))
	return time.Unix(1_700_000_000, 0).Add(w.now + drift + p.skew)
}

// step gives an event to a process and carries out what its machine wants. Events wait while it is paused.
func (w *World) step(p *process, life int, e federation.Event) {
	if !p.alive() || p.life != life {
		return
	}
	if _, tick := e.(federation.Tick); !tick && w.percent(w.s.Echo) {
		w.later(time.Duration(w.network.Int64N(int64(echoDelay))), func() { w.hand(p, life, e) })
	}
	w.hand(p, life, e)
}

func (w *World) hand(p *process, life int, e federation.Event) {
	if p.alive() && p.life == life {
		p.inbox = append(p.inbox, e)
		w.work(p)
	}
}

const echoDelay = 3 * time.Second

// work goes on until nothing waits, or the process is paused or killed.
func (w *World) work(p *process) {
	for p.alive() && !p.paused {
		switch {
		case len(p.todo) > 0:
			a := p.todo[0]
			p.todo = p.todo[1:]
			w.carryOut(p, a)
		case len(p.inbox) > 0:
			e := p.inbox[0]
			p.inbox = p.inbox[1:]
			p.todo = p.machine.Step(e)
		default:
			p.inbox, p.todo = nil, nil
			return
		}
	}
}

// pause stops a process like SIGSTOP.
func (w *World) pause(p *process, d time.Duration) {
	if !p.alive() {
		return
	}
	p.paused, p.wakes = true, max(p.wakes, w.now+d)
	life := p.life
	w.later(d, func() {
		if p.alive() && p.life == life && p.paused && w.now >= p.wakes {
			p.paused = false
			w.note("%s goes on", p)
			w.work(p)
		}
	})
}

// meet tells two processes that they can talk now.
func (w *World) meet(p, q *process) {
	if !p.alive() || !q.alive() || !w.talk(p, q) || w.links[p.index][q.index].blocked != "" || w.links[q.index][p.index].blocked != "" {
		return
	}
	for _, x := range [][2]*process{{p, q}, {q, p}} {
		w.step(x[0], x[0].life, federation.Reached{Member: w.genesis.Members[x[1].index].ID, Finished: x[1].boasts()})
	}
}

// meetAll has all processes of two members meet.
func (w *World) meetAll(i, j int) {
	for _, p := range w.processes {
		for _, q := range w.processes {
			if p.index == i && q.index == j {
				w.meet(p, q)
			}
		}
	}
}

// talk says whether two processes have anything to do with each other: twins share out the others.
func (w *World) talk(p, q *process) bool {
	return p.index != q.index && w.serves(p, q.index) && w.serves(q, p.index)
}

// serves says whether a process is the one of its member that another member talks to.
func (w *World) serves(p *process, other int) bool {
	if p.side != nil {
		return slices.Contains(p.side, other)
	}
	for _, twin := range w.processes {
		if twin.index == p.index && twin.side != nil && slices.Contains(twin.side, other) {
			return false
		}
	}
	return true
}
