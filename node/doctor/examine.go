package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/home"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// DefaultTimeout is how long each answer of a member is waited for.
	DefaultTimeout = 5 * time.Second
	callsAtOnce    = 8
)

// Examine makes all checks on s and tells what it does and finds, from one goroutine at a time. Timeout is for each answer of a member; 0
// means DefaultTimeout. When ctx ends, what could not be found out is reported as such.
func Examine(ctx context.Context, s *Site, timeout time.Duration, tell func(Event)) {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	e := &examiner{Site: s, timeout: timeout, tell: tell, keys: home.InspectKeys(s.Dir)}
	e.member, e.historyErr = s.membership(keyOf(e.keys, home.SigningKey))
	e.check(IdentityCheck, func() []Finding { return Identity(e.identity(ctx)) })
	e.check(DiskCheck, func() []Finding { return Disk(e.disk(ctx)) })
	e.check(PortsCheck, func() []Finding { return e.ports() })
	e.network(ctx)
}

type examiner struct {
	*Site
	timeout time.Duration
	keys    []home.Key
	member  membership // at the start; an epoch may begin meanwhile
	// historyErr is why the history in the log ends before the log does.
	historyErr error

	mu   sync.Mutex
	tell func(Event)
}

func (e *examiner) begins(what string) { e.event(Event{Begins: what}) }

func (e *examiner) event(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tell(event)
}

func (e *examiner) check(name string, judge func() []Finding) {
	e.begins(name)
	for _, f := range judge() {
		e.event(Event{Finding: &f})
	}
}

func (e *examiner) identity(ctx context.Context) IdentityFacts {
	f := IdentityFacts{Dir: e.Dir, Config: e.ConfigErr, Keys: e.keys, Genesis: e.Genesis, GenesisErr: e.GenesisErr, Joining: e.Joining, JoiningErr: e.JoiningErr}
	if e.Genesis != nil {
		f.Documents = e.documents(ctx)
		f.Epochs, _ = e.epochs() // see disk for the error
	}
	return f
}

func (e *examiner) disk(ctx context.Context) DiskFacts {
	f := DiskFacts{Weights: e.weightsSize(ctx)}
	if e.member.epoch != nil {
		f.Members = len(e.member.epoch.Members)
	}
	f.Free, f.FreeErr = disk.Free(e.Dir)
	f.Write, f.WriteErr = e.probe(func(path string, data []byte) error { return disk.WriteFile(path, data, 0o600) })
	if f.Entries, f.LogErr = e.entries(); f.LogErr == nil {
		f.LogErr = e.historyErr
	}
	return f
}

func (e *examiner) ports() []Finding {
	if e.Host == nil {
		return []Finding{e.skipped(PortsCheck)}
	}
	return Ports(PortFacts{Running: e.Running, Listen: e.Listen})
}

// skipped says why the network could not be looked at.
func (e *examiner) skipped(check string) Finding {
	f := Finding{Check: check, State: Skipped, Text: "the node has no members to talk to yet", Next: "see identity"}
	switch {
	case e.HostErr != nil:
		f.Text = e.HostErr.Error()
	case e.member.place == gone || e.member.place == replaced:
		f.Text = "the members do not talk to a node that is none of them any more"
	}
	return f
}

// network makes the checks that need the other members.
func (e *examiner) network(ctx context.Context) {
	if e.Host == nil || !e.member.talks() {
		for _, name := range []string{ClockCheck, TranslationCheck, ReachabilityCheck, AgreementCheck} {
			e.check(name, func() []Finding { return []Finding{e.skipped(name)} })
		}
		return
	}
	start := time.Now()
	all := e.callAll(ctx)
	now := time.Now()
	clock := ClockFacts{Jump: now.Round(0).Sub(start.Round(0)) - now.Sub(start)} // Round takes the monotonic reading away
	nat := TranslationFacts{Own: e.Host.Addrs(), Listed: e.member.entry.Addresses}
	for _, f := range all {
		if f.offset != nil {
			clock.Offsets = append(clock.Offsets, *f.offset)
		}
		nat.Seen = append(nat.Seen, f.seen...)
	}
	e.check(ClockCheck, func() []Finding { return Clock(clock) })
	e.check(TranslationCheck, func() []Finding { return Translation(nat) })
	e.check(ReachabilityCheck, func() []Finding { return reachability(all) })
	e.check(AgreementCheck, func() []Finding { return e.agreement(all) })
}

// callAll asks the others, several at a time, in the order of the list of members.
func (e *examiner) callAll(ctx context.Context) []facts {
	all := make([]facts, len(e.member.others))
	var wait sync.WaitGroup
	slots := make(chan struct{}, callsAtOnce)
	for i, m := range e.member.others {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			m.Name = plain(m.Name)
			e.begins("asking " + m.Name)
			all[i] = e.callOne(ctx, m, plain(e.member.entry.Name))
		})
	}
	wait.Wait()
	return all
}

func (e *examiner) callOne(ctx context.Context, m ledger.Member, self string) facts {
	reach := ReachFacts{Self: self, Member: m.Name}
	if e.member.place == waiting {
		reach.Joins = e.member.since
	}
	id, err := peer.Decode(m.Peer)
	if err != nil {
		reach.InErr = fmt.Sprintf("the list of members has no peer id of %s", m.Name)
		return facts{reach: reach, unasked: reach.InErr}
	}
	c := &caller{host: e.Host, self: self, member: m, id: id, timeout: e.timeout, standing: e.standing, record: e.record}
	return c.call(ctx, reach)
}

// reachability judges all members; whether a third one can pass messages on depends on the others.
func reachability(all []facts) (out []Finding) {
	reached := 0
	for _, f := range all {
		if f.open() {
			reached++
		}
	}
	for _, f := range all {
		f.reach.Others = reached > 1 || reached == 1 && !f.open()
		out = append(out, Reachability(f.reach)...)
	}
	return out
}

func (f *facts) open() bool {
	return opens(f.reach.Out) && f.reach.Hung == "" || opens(f.reach.In) || f.reach.Inbound
}

func (e *examiner) agreement(all []facts) (out []Finding) {
	for _, f := range all {
		if f.agree == nil {
			out = append(out, Finding{Check: AgreementCheck, Member: f.reach.Member, State: Skipped,
				Text: fmt.Sprintf("%s was not asked: %s", f.reach.Member, f.unasked)})
			continue
		}
		f.agree.Running, f.agree.Dir = e.Running, e.Dir
		out = append(out, Agreement(*f.agree)...)
	}
	return out
}
