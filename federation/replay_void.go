package federation

import (
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// void finds out why a round came to nothing. There are four ways, see the package comment: so many members promised to open no
// shares that no sum can exist, or an opened sum is of no use, or the canary sets of too many spoke against it, or nobody had a sum when
// a view of the voting ended. Errors on canary sets are in no message, but votes are: in view 0 nobody who has no sum votes, and who has one
// and votes for the void record finds the weights bad.
func (r *replay) void() {
	m := r.m
	var f findings
	for _, k := range m.r.tracked() {
		r.tryAttempt(m.r.attempts[k])
	}
	r.whyVoid(&f)
	if len(f.right) > 0 {
		r.report.Why = f.right[0]
	}
	if m.r.own.Defined() && !r.watched() {
		f.isRight("with what is in the transcript a sum can be opened; not all of it had arrived when members voted")
	}
	r.bound(&f)
	r.report.add(f.check("why the round is void"))
	r.report.add(r.unchanged())
}

// whyVoid finds the reason. Canary sets come before a lack of time, since that has the same effect in later views.
func (r *replay) whyVoid(f *findings) {
	m := r.m
	gave := slices.Sorted(maps.Keys(m.r.forfeits))
	against := slices.Sorted(maps.Keys(m.r.ballot.prepares[place{0, m.r.void.cid}]))
	f.count = len(gave)
	switch {
	case m.r.mustVoid != "":
		f.isRight("%s", m.r.mustVoid)
	case m.voidable():
		f.isRight("%s gave the round up, having opened no shares of the trunk and promising never to: with them missing no sum can be opened", r.nameAll(gave))
	case r.watched() && len(against) > m.spare():
		f.count = len(against)
		f.isRight("a sum was opened, and %s voted against its weights in view 0, as members do when the canary sets speak against them; so many decide for all", r.nameAll(against))
	case r.watched() && r.cert.View > 0:
		f.isRight("no sum was certified, though one can be opened with what is in the transcript: in view %d members voted for the void record. Whether the canary sets spoke against "+
			"the weights or messages came late is not in their votes: in view 0 %s voted against the weights, and more than %d have to", r.cert.View, r.nameAll(against), m.spare())
	case r.cert.View > 0:
		f.isRight("nobody had a sum when the time for voting was up, so that in view %d members gave the round up (%s) and voted for the void record", r.cert.View, r.nameAll(gave))
	default:
		f.isMissing("nothing in the transcript says why: no sum of no use, and %d members that gave up (forfeit) where more than %d have to", len(gave), m.spare())
	}
}

// watched says whether the sum of this round can be opened and was tried on canary sets.
func (r *replay) watched() bool {
	return len(r.m.canaries.heads) > 0 && r.m.r.base.Kind == ledger.Train && r.m.r.own.Defined()
}

// tryAttempt opens what can be opened of an attempt that was given up, without holding anything against it.
func (r *replay) tryAttempt(a *attempt) {
	if len(a.sessions) == 0 {
		return
	}
	p := r.m.agreement(a)
	if p == nil {
		return
	}
	for _, s := range a.sessions {
		if s.index > 0 && !slices.Contains(p.heads, s.head) {
			continue
		}
		s.sum = r.addUp(s, new(findings))
	}
	if len(a.sessions[0].unmasks) < r.m.quorum {
		return
	}
	r.m.out = nil
	r.norms(a)
	r.m.conclude(a)
	if a.setup != nil && r.cfg.Applier != nil {
		r.applySetup(a, new(findings))
	}
}

// bound checks that who voted for the void record had promised to open nothing, or opened what it had.
func (r *replay) bound(f *findings) {
	m := r.m
	var free []int
	for _, s := range r.cert.Signatures {
		i := int(s.Member)
		opened := false
		for _, a := range m.r.attempts {
			if len(a.sessions) > 0 {
				_, has := a.sessions[0].unmasks[slices.Index(a.sessions[0].members, i)]
				opened = opened || has
			}
		}
		if !opened && !m.r.forfeits[i] {
			free = append(free, i)
		}
	}
	if len(free) > 0 {
		f.isMissing("%s voted for the void record, and neither opened shares nor promised to open none (forfeit), as far as the transcript goes", r.nameAll(free))
		f.members = append(f.members, r.names(free)...)
	}
}

// unchanged says that a void record is the only one that there can be.
func (r *replay) unchanged() ReplayCheck {
	var f findings
	if void := r.m.r.void.cid; void.Equals(r.cert.Record) {
		f.isRight("weights %s and optimizer state %s stay as they are", ledger.FileCID(r.cfg.Weights), r.m.chain.State())
	} else {
		f.isWrong("the void record of this round is %s, the certified one %s", void, r.cert.Record)
	}
	return f.check("record and weights")
}
