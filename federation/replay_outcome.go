package federation

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// outcome computes the record again.
func (r *replay) outcome() bool {
	if r.record.Kind == ledger.Void {
		r.void()
		return true
	}
	if r.record.Kind == ledger.Change {
		r.change()
		return true
	}
	a := r.roster()
	if a == nil {
		return true // the votes can be checked all the same
	}
	for _, s := range a.sessions {
		r.exchange(s)
	}
	final := r.agreed(a)
	if final == nil {
		return true
	}
	whole := true
	for _, s := range a.sessions {
		group := r.group(s.name)
		if s.index > 0 && group == nil && !slices.Contains(final.heads, s.head) {
			r.closed(a, s)
			continue
		}
		list := final.members
		if s.index > 0 {
			list = s.summed(a.survivors)
			if group != nil {
				list = memberList(group.Survivors)
			}
		}
		r.inputs(a, s, list)
		s.sum = r.sum(s, group)
		whole = whole && s.sum != nil
	}
	if whole {
		r.recompute(a)
	}
	return true
}

// group returns what the record says about a sum, or nil.
func (r *replay) group(name string) *ledger.Group {
	for k := range r.record.Groups {
		if r.record.Groups[k].Name == name {
			return &r.record.Groups[k]
		}
	}
	return nil
}

// agreed returns the final that a quorum agreed to, or nil when the transcript does not show one.
func (r *replay) agreed(a *attempt) *proposal {
	m := r.m
	var f findings
	leader := m.name(m.coordinator(a.number))
	p := m.agreement(a)
	if len(a.sessions) > 1 && a.survivors == nil {
		f.isMissing("the list of %s for the heads (survivors)", leader)
		f.members = append(f.members, leader)
	}
	if a.final == nil {
		f.isMissing("the last list of %s (final)", leader)
		f.members = append(f.members, leader)
	}
	if p == nil {
		f.isMissing("%d members agreed to a final list, and no %d of them to the same", len(a.statements), m.quorum)
		r.report.add(f.check("agreement on who is in the sum"))
		return nil
	}
	f.count = len(a.sessions[0].statements)
	f.isRight("%d members agreed to a sum over %s", f.count, r.nameAll(p.members))
	if a.final != nil && !bytes.Equal(a.final.encode(), p.encode()) {
		f.isWrong("%s named %s, and a quorum agreed to another list", leader, r.nameAll(a.final.members))
	}
	r.namedAlike(a, p, leader, &f)
	for _, h := range p.heads {
		if a.headSession(h) == nil {
			f.isWrong("head %d is said to be open and is not summed in the attempt", h)
			p = nil
			break
		}
	}
	r.report.add(f.check("agreement on who is in the sum"))
	return p
}

// namedAlike compares what members agreed to with what the coordinator named before, and with each other.
func (r *replay) namedAlike(a *attempt, p *proposal, leader string, f *findings) {
	for _, s := range a.sessions[1:] {
		if g := r.group(s.name); g != nil && a.survivors != nil && !slices.Equal(s.summed(a.survivors), memberList(g.Survivors)) {
			f.isWrong("%s named %s for the heads, and %s was summed over %s", leader, r.nameAll(a.survivors), s.name, r.nameAll(memberList(g.Survivors)))
			f.members = append(f.members, leader)
		}
	}
	for _, i := range slices.Sorted(maps.Keys(a.statements)) {
		if a.statements[i].text != string(p.encode()) {
			f.isWrong("%s agreed to another list than the rest", r.m.name(i))
			f.members = append(f.members, r.m.name(i))
		}
	}
}

// closed tells why a head that was to be summed is not in the record.
func (r *replay) closed(a *attempt, s *session) {
	r.report.add(ReplayCheck{What: "sum of " + s.name, Verdict: Holds, Count: len(s.unmasks),
		Found: fmt.Sprintf("not opened in time, so the head keeps its weights: %d of its %d members opened their shares, %d are needed", len(s.unmasks), len(s.members), s.public.Threshold)})
}

// recompute takes the outer step, or applies the statistics, and compares the record byte by byte.
func (r *replay) recompute(a *attempt) {
	m := r.m
	var f findings
	const what = "record and weights"
	m.out = nil
	r.norms(a)
	m.conclude(a)
	if r.record.Kind == ledger.Setup && a.setup != nil {
		if r.cfg.Applier == nil {
			r.compareSums(a, &f)
			r.report.add(f.check(what))
			r.report.add(ReplayCheck{What: "statistics put into the weights", Verdict: NotChecked,
				Found: fmt.Sprintf("sums, totals and roots were verified; that weights %s follow from them was not recomputed, which takes the model's configuration", r.record.WeightsOut)})
			return
		}
		r.applySetup(a, &f)
	}
	x := m.r.results[m.r.own]
	switch {
	case m.r.mustVoid != "":
		f.isWrong("%s; the round should have been void", m.r.mustVoid)
	case x == nil:
		f.isMissing("the record cannot be computed from what is there")
	case bytes.Equal(x.record.Encode(), r.record.Encode()):
		f.count, f.bytes = len(x.files), int64(len(x.files[0].Data))
		f.isRight("the same bytes as certified, %s; weights %s, %d bytes, optimizer state %s", r.cert.Record, x.record.WeightsOut, len(x.files[0].Data), x.record.StateOut)
	default:
		differences(x.record, r.record, &f)
	}
	r.report.add(f.check(what))
}

// applySetup recomputes what a setup round does with its totals.
func (r *replay) applySetup(a *attempt, f *findings) {
	for _, action := range r.m.out {
		ask, ok := action.(ApplySetup)
		if !ok {
			continue
		}
		w, err := r.cfg.Applier.Apply(r.ctx, ask.Weights, ask.Totals)
		if err != nil {
			f.isWrong("the statistics cannot be applied: %v", err)
			return
		}
		r.m.setupApplied(SetupApplied{Round: r.m.r.number, Attempt: a.number, Weights: w})
	}
}

// compareSums compares all of a setup round's record but what comes of its totals.
func (r *replay) compareSums(a *attempt, f *findings) {
	got := *a.setup
	got.WeightsOut, got.StateOut = r.record.WeightsOut, r.record.StateOut
	if !bytes.Equal(got.Encode(), r.record.Encode()) {
		differences(&got, r.record, f)
		return
	}
	f.isRight("all but the new weights and optimizer state are as certified, and elements occur at %v members", got.Elements)
}

// differences names what two records do not have in common.
func differences(got, want *ledger.Round, f *findings) {
	if !got.WeightsOut.Equals(want.WeightsOut) {
		f.isWrong("the weights come out as %s, the record says %s", got.WeightsOut, want.WeightsOut)
	}
	if !got.StateOut.Equals(want.StateOut) {
		f.isWrong("the optimizer state comes out as %s, the record says %s", got.StateOut, want.StateOut)
	}
	if !slices.Equal(got.Metrics, want.Metrics) {
		f.isWrong("the metrics come out as %v, the record says %v", got.Metrics, want.Metrics)
	}
	if !slices.Equal(got.Elements, want.Elements) {
		f.isWrong("elements come out at %v members, the record says %v", got.Elements, want.Elements)
	}
	if len(got.Groups) != len(want.Groups) {
		f.isWrong("%d sums come out, the record has %d", len(got.Groups), len(want.Groups))
	}
	for k := range min(len(got.Groups), len(want.Groups)) {
		if got.Groups[k].Weight != want.Groups[k].Weight {
			f.isWrong("the weights of the members in %s add up to %g, the record says %g", got.Groups[k].Name, got.Groups[k].Weight, want.Groups[k].Weight)
		}
	}
	if len(f.wrong) == 0 {
		f.isWrong("the record comes out as %s, the certified one is %s", got.CID(), want.CID())
	}
}

// votes checks what the certificate was made from. A second vote is the signature in the certificate, so one that is there alone is
// no gap: who is told of a certificate before all votes came has it so.
func (r *replay) votes() bool {
	m := r.m
	var f findings
	b := &m.r.ballot
	at := place{r.cert.View, r.cert.Record}
	var lost []int
	for _, s := range r.cert.Signatures {
		got, there := b.commits[at][int(s.Member)]
		switch {
		case !there:
			lost = append(lost, int(s.Member))
		case got.Signature != s.Signature:
			f.isWrong("%s committed with another signature than the one in the certificate", m.name(int(s.Member)))
		}
	}
	f.count = len(r.cert.Signatures) - len(lost)
	if n := len(b.prepares[at]); n < m.quorum {
		f.isRight("%d of the %d first votes (prepare) that locked the record in view %d are in the transcript; the second votes outran the others", n, m.quorum, at.view)
	}
	if at.view > 0 {
		r.laterView(at, &f)
	}
	f.isRight("in view %d %s prepared the record and %s committed to it", at.view, r.nameAll(slices.Sorted(maps.Keys(b.prepares[at]))),
		r.nameAll(slices.Sorted(maps.Keys(b.commits[at]))))
	if len(lost) > 0 {
		f.isRight("the second votes (commit) of %s came with the certificate alone", r.nameAll(lost))
	}
	r.report.add(f.check("votes"))
	return true
}

// laterView checks how a view after the first began.
func (r *replay) laterView(at place, f *findings) {
	m := r.m
	if n := m.r.ballot.askers(at.view); n < m.quorum {
		f.isMissing("%d members asked for view %d (next), %d are needed", n, at.view, m.quorum)
	}
	leader := m.name(m.proposer(at.view))
	switch o := m.r.ballot.offers[at.view]; {
	case o == nil:
		f.isMissing("the offer of %s in view %d", leader, at.view)
		f.members = append(f.members, leader)
	case !o.cid.Equals(at.record):
		f.isWrong("%s offered record %s in view %d, and another was certified", leader, o.cid, at.view)
	}
}
