package sim

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// An audit sees everything that happens in a world and knows what must never happen. It holds honest members to it; what
// Byzantine ones do shows in what it does to the others.
type audit struct {
	w      *World
	faults []string

	seen   map[[32]byte]bool       // envelopes on the wire
	places map[ledger.Key][32]byte // what an honest member said in a place
	rounds map[roundPlace][32]byte // what an honest member said once in a round
	spoilt map[int]bool            // members whose masked inputs are not what their machine contributed

	lanes   map[[32]byte]map[int][]federation.Contribution // by session and member: one per attempt at masking
	records map[uint64]cid.Cid
	kinds   map[uint64]string
	groups  map[uint64]int // sums that a round opened
	sums    int
	divided int
	opened  int
}

// A roundPlace is where a member says one thing in a round.
type roundPlace struct {
	member int
	step   string
	round  uint64
}

func newAudit(w *World) *audit {
	return &audit{w: w, seen: map[[32]byte]bool{}, places: map[ledger.Key][32]byte{}, rounds: map[roundPlace][32]byte{}, spoilt: map[int]bool{},
		lanes: map[[32]byte]map[int][]federation.Contribution{}, records: map[uint64]cid.Cid{}, kinds: map[uint64]string{}, groups: map[uint64]int{}}
}

func (a *audit) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	a.faults = append(a.faults, text)
	a.w.note("FAULT: %s", text)
}

func (a *audit) isNew(raw []byte) bool { return !a.seen[sha256.Sum256(raw)] }

// sent looks at every envelope that its signer puts on the wire for the first time.
func (a *audit) sent(p *process, u utterance) {
	hash := sha256.Sum256(u.raw)
	a.seen[hash] = true
	if !p.honest() {
		return
	}
	if !slices.Contains(repeated, u.Type) {
		if was, ok := a.places[u.Key()]; ok && was != hash {
			a.fault("%s says two things in one place: %s, number %d of round %d%s", p, u.Type, u.Seq, u.Round, attemptText(u.Attempt))
		}
		a.places[u.Key()] = hash
	}
	if slices.Contains(oncePerRound, u.Type) {
		place := roundPlace{p.index, u.Type, u.Round}
		if was, ok := a.rounds[place]; ok && was != hash {
			a.fault("%s says %s twice in round %d", p, u.Type, u.Round)
		}
		a.rounds[place] = hash
	}
	a.opening(p, u)
}

// broken is told of a promise in the log that is overwritten with another one.
func (a *audit) broken(p *process, key []byte) {
	if p.honest() {
		a.fault("%s breaks the promise under %q", p, key)
	}
}

func (a *audit) halted(p *process, reason string) {
	if p.honest() {
		a.fault("%s halts: %s", p, reason)
	}
}

// alarmed is told of what a member alarms its owner about: nothing, unless there is a reason.
func (a *audit) alarmed(p *process, text string) {
	if len(a.w.s.Byzantine) == 0 {
		a.fault("%s alarms its owner: %s", p, text)
	}
}

// certified looks at a round that a member has made its newest.
func (a *audit) certified(p *process, round uint64) {
	if !p.honest() {
		return
	}
	record, err := ledger.DecodeRound(p.disk[string(federation.RecordKey(round))])
	if err != nil {
		a.fault("%s has a record of round %d that nobody can read: %v", p, round, err)
		return
	}
	cert, err := ledger.DecodeCertificate(p.disk[string(federation.CertificateKey(round))])
	if err == nil {
		err = cert.Verify(a.w.genesis.Epoch())
	}
	if err != nil || !cert.Record.Equals(record.CID()) {
		a.fault("%s closes round %d with a certificate that does not hold for its record: %v", p, round, err)
		return
	}
	if was, ok := a.records[round]; ok {
		if !was.Equals(cert.Record) {
			a.fault("round %d has two certified records: %s, and %s at %s", round, was, cert.Record, p)
		}
		return
	}
	a.records[round], a.kinds[round], a.groups[round] = cert.Record, record.Kind, len(record.Groups)
	a.w.note("round %d is certified: %s%s; %s has %d signatures", round, record.Kind, sumsText(record), p, len(cert.Signatures))
	a.checkSums(record)
}

// final looks at what is left on the disks.
func (a *audit) final() {
	for _, p := range a.w.processes {
		if p.honest() {
			a.checkChain(p)
			a.checkAccused(p)
		}
	}
	a.checkVoids()
	a.checkExpected()
}

func (a *audit) checkChain(p *process) {
	chain := ledger.NewChain(a.w.genesis)
	for k := range p.finished {
		f := federation.Finished{Record: p.disk[string(federation.RecordKey(k))], Certificate: p.disk[string(federation.CertificateKey(k))]}
		if _, _, err := chain.Append(f); err != nil {
			a.fault("%s has a chain that does not hold at round %d: %v", p, k, err)
			return
		}
	}
}

// checkAccused sees to it that nobody keeps a proof against a member that did nothing.
func (a *audit) checkAccused(p *process) {
	for key := range p.disk {
		if !strings.HasPrefix(key, federation.LogPrefix+"evidence/") && !strings.HasPrefix(key, federation.LogPrefix+"cheat/") {
			continue
		}
		for _, q := range a.w.processes {
			if q.honest() && strings.Contains(key, a.w.genesis.Members[q.index].ID.String()) {
				a.fault("%s keeps a proof against %s, who is honest: %q", p, q, key)
			}
		}
	}
}

// checkVoids allows one lost round for each in which something was done. Byzantine members are a disturbance that does not end.
func (a *audit) checkVoids() {
	voids := 0
	for _, kind := range a.kinds {
		if kind == ledger.Void {
			voids++
		}
	}
	if voids > len(a.w.disturbed) && len(a.w.s.Byzantine) == 0 {
		a.fault("%d rounds are void, and something was done in %d", voids, len(a.w.disturbed))
	}
}

// checkExpected holds the rounds to what the scenario expects.
func (a *audit) checkExpected() {
	want := a.w.s.Expect
	if len(want) == 0 {
		return
	}
	var got []Expected
	for k := range uint64(len(a.kinds)) {
		e := Expected{a.kinds[k], a.groups[k]}
		if k < uint64(len(want)) && want[k].Sums == 0 {
			e.Sums = 0
		}
		got = append(got, e)
	}
	if !slices.Equal(got, want) {
		a.fault("rounds: %s; expected: %s", joined(got), joined(want))
	}
}
