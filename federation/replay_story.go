package federation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
)

// tell writes down what happened, for people: first as a story in the order of the protocol, then member by member.
func (r *replay) tell() {
	if r.m.r == nil {
		return
	}
	r.say("round %d began with %d members, of whom %d decide, from weights %s", r.m.r.number, len(r.m.epoch.Members), r.m.quorum, r.record.WeightsIn)
	for _, k := range r.m.r.tracked() {
		r.tellAttempt(r.m.r.attempts[k])
	}
	r.tellRound()
	for i := range r.m.epoch.Members {
		r.report.Members = append(r.report.Members, r.member(i))
	}
}

func (r *replay) say(format string, args ...any) {
	r.report.Story = append(r.report.Story, fmt.Sprintf(format, args...))
}

// senders lists who sent a type of message, in any session and view.
func (t *transcript) senders(kind string) []int {
	who := map[int]bool{}
	for _, s := range t.order {
		if s.env.Type == kind {
			who[s.from] = true
		}
	}
	return slices.Sorted(maps.Keys(who))
}

func (r *replay) tellAttempt(a *attempt) {
	leader := r.m.name(r.m.coordinator(a.number))
	r.say("attempt %d, led by %s: %s had done their local work and said so", a.number, leader, r.nameAll(slices.Sorted(maps.Keys(a.joins))))
	if a.roster == nil {
		r.say("attempt %d: %s named nobody to take part", a.number, leader)
	} else {
		r.tellSums(a, leader)
	}
	for _, i := range slices.Sorted(maps.Keys(a.quits)) {
		r.say("attempt %d: %s left it: %s", a.number, r.m.name(i), quitText[a.quits[i]])
	}
}

// tellSums tells how far an attempt with a roster came.
func (r *replay) tellSums(a *attempt, leader string) {
	var sums []string
	for _, s := range a.sessions {
		sums = append(sums, s.name)
	}
	r.say("attempt %d: %s named who takes part, %s, and what is summed: %s", a.number, leader, r.nameAll(a.roster), strings.Join(sums, ", "))
	keys, shares, confirms := a.senders(typeKeys), a.senders(typeShares), a.senders(typeConfirm)
	if slices.Equal(keys, a.roster) && slices.Equal(shares, a.roster) && slices.Equal(confirms, a.roster) {
		r.say("attempt %d: all of them exchanged keys and shares and confirmed what they saw", a.number)
	} else {
		r.say("attempt %d: %s sent keys, %s dealt shares, %s confirmed what they saw", a.number, r.nameAll(keys), r.nameAll(shares), r.nameAll(confirms))
		if len(confirms) < len(a.roster) {
			return
		}
	}
	var whole []int
	for _, i := range a.roster {
		if a.delivered(i) {
			whole = append(whole, i)
		}
	}
	r.say("attempt %d: the masked updates of %s arrived in full", a.number, r.nameAll(whole))
	if a.survivors != nil {
		r.say("attempt %d: %s named whose updates are summed in the heads: %s", a.number, leader, r.nameAll(a.survivors))
	}
	for _, s := range a.sessions[1:] {
		r.say("attempt %d: %s opened their shares of %s", a.number, r.nameAll(s.at(slices.Sorted(maps.Keys(s.unmasks)))), s.name)
	}
	if a.final != nil {
		r.say("attempt %d: %s named whose updates are summed in the trunk: %s", a.number, leader, r.nameAll(a.final.members))
	}
	if len(a.statements) > 0 {
		r.say("attempt %d: %s agreed to that", a.number, r.nameAll(slices.Sorted(maps.Keys(a.statements))))
	}
	if trunk := a.sessions[0]; len(trunk.unmasks) > 0 {
		r.say("attempt %d: %s opened their shares of the trunk", a.number, r.nameAll(trunk.at(slices.Sorted(maps.Keys(trunk.unmasks)))))
	}
	for _, s := range a.order {
		if with := s.env.Seq; s.env.Type == typeOpenPair && with < uint64(len(r.m.epoch.Members)) {
			r.say("attempt %d: %s opened the mask that it shares with %s", a.number, r.m.name(s.from), r.m.name(int(with)))
		}
	}
}

// tellRound tells what was said about the round as a whole.
func (r *replay) tellRound() {
	b := &r.m.r.ballot
	for _, x := range r.report.Blame {
		r.say("%s deviated: %s", x.Member, x.Proof)
	}
	if len(r.m.r.forfeits) > 0 {
		r.say("%s gave the round up and promised to open no more shares in it", r.nameAll(slices.Sorted(maps.Keys(r.m.r.forfeits))))
	}
	for view := uint64(0); view <= r.cert.View; view++ {
		if view > 0 && b.askers(view) == 0 && b.offers[view] == nil {
			continue
		}
		r.tellView(view)
	}
	var signed []string
	for _, s := range r.cert.Signatures {
		signed = append(signed, r.m.name(int(s.Member)))
	}
	end := fmt.Sprintf("weights %s", r.record.WeightsOut)
	if r.record.Kind == ledger.Change {
		end = "the epoch ends, and the weights stay as they were"
	}
	if r.record.Kind == ledger.Void {
		end = "the round is void and the weights stay as they were"
	}
	r.say("certified by %s: %s", strings.Join(signed, ", "), end)
}

func (r *replay) tellView(view uint64) {
	b := &r.m.r.ballot
	if view > 0 {
		var asked []int
		for i, v := range b.asks {
			if v >= view {
				asked = append(asked, i)
			}
		}
		slices.Sort(asked)
		r.say("view %d: %s asked to vote again; %s proposed", view, r.nameAll(asked), r.m.name(r.m.proposer(view)))
	}
	var found, signed []string
	for p, by := range b.prepares {
		if p.view == view {
			found = append(found, fmt.Sprintf("view %d: %s found record %s", view, r.nameAll(slices.Sorted(maps.Keys(by))), p.record))
		}
	}
	for p, by := range b.commits {
		if p.view == view {
			signed = append(signed, fmt.Sprintf("view %d: %s signed record %s", view, r.nameAll(slices.Sorted(maps.Keys(by))), p.record))
		}
	}
	slices.Sort(found)
	slices.Sort(signed)
	r.report.Story = append(append(r.report.Story, found...), signed...)
}

// member tells what the transcript says about one member.
func (r *replay) member(i int) ReplayMember {
	m := r.m
	x := ReplayMember{Name: m.name(i), Member: m.epoch.Members[i].ID.String(), Sums: []string{}, GaveUp: m.r.forfeits[i]}
	for _, s := range r.list {
		if s.from == i {
			x.Messages++
			x.Bytes += int64(len(s.raw))
		}
	}
	for k := range r.record.Groups {
		if slices.Contains(r.record.Groups[k].Survivors, uint64(i)) {
			x.Sums = append(x.Sums, r.record.Groups[k].Name)
		}
	}
	for _, s := range r.cert.Signatures {
		x.Signed = x.Signed || int(s.Member) == i
	}
	var left []string
	part := ""
	for _, k := range m.r.tracked() {
		a := m.r.attempts[k]
		_, joined := a.joins[i]
		x.Ready = x.Ready || joined
		x.Roster = x.Roster || slices.Contains(a.roster, i)
		if why := a.quits[i]; why != 0 {
			left = append(left, fmt.Sprintf("attempt %d: %s", k, quitText[why]))
		}
		if len(a.sessions) == 0 || !slices.Contains(a.roster, i) {
			continue
		}
		_, opened := a.sessions[0].unmasks[slices.Index(a.roster, i)]
		x.Opened = x.Opened || opened
		part = r.cameTo(a, i)
		x.Late = x.Late || part == cameLate
	}
	x.Left = strings.Join(left, "; ")
	x.Account = x.account(part)
	return x
}

const cameLate = "its masked update came too late for the sum"

// cameTo says where a member of the roster stopped, if it is not in the sum.
func (r *replay) cameTo(a *attempt, i int) string {
	p := a.final
	if q := r.m.agreement(a); q != nil {
		p = q
	}
	switch {
	case p != nil && slices.Contains(p.members, i):
		return ""
	case a.delivered(i) && p != nil:
		return cameLate
	case a.delivered(i):
		return "its masked update arrived"
	case slices.Contains(a.senders(typeMasked), i):
		return "only a part of its masked update arrived"
	case slices.Contains(a.senders(typeConfirm), i):
		return "it sent no masked update"
	case slices.Contains(a.senders(typeKeys), i):
		return "it got as far as the exchange of keys"
	}
	return "it sent no keys"
}

// account puts what is known of a member into a sentence.
func (x *ReplayMember) account(part string) string {
	var said []string
	switch {
	case !x.Ready && x.Messages == 0:
		said = append(said, "was not heard of")
	case !x.Ready:
		said = append(said, "looked on, with no update of its own")
	case !x.Roster:
		said = append(said, "was ready, but not named among those who take part")
	case len(x.Sums) > 0:
		said = append(said, "took part; its update is in "+strings.Join(x.Sums, ", "))
	default:
		said = append(said, "took part; its update is in no sum")
	}
	if part != "" {
		said = append(said, part)
	}
	if x.Left != "" {
		said = append(said, "left "+x.Left)
	}
	if x.Opened {
		said = append(said, "opened its shares of the trunk")
	}
	if x.GaveUp {
		said = append(said, "gave the round up")
	}
	if x.Signed {
		said = append(said, "signed the record")
	}
	return strings.Join(said, "; ")
}
