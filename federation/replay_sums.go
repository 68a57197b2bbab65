package federation

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// roster checks who took part in the attempt that the record names. It returns nil when the transcript does not say.
func (r *replay) roster() *attempt {
	m := r.m
	var f findings
	a := m.r.attempts[r.record.Attempt]
	leader := m.name(m.coordinator(r.record.Attempt))
	if a == nil || a.roster == nil {
		f.isMissing("no roster of %s, who coordinates attempt %d, is in the transcript", leader, r.record.Attempt)
		f.members = []string{leader}
		r.report.add(f.check("roster"))
		return nil
	}
	ids := make([]ledger.MemberID, len(a.roster))
	var silent []int
	for k, i := range a.roster {
		ids[k] = m.epoch.Members[i].ID
		if _, joined := a.joins[i]; !joined {
			silent = append(silent, i)
		}
	}
	f.count = len(a.roster)
	f.isRight("%s named %s", leader, r.nameAll(a.roster))
	if ledger.RosterHash(ids) != r.record.Roster {
		f.isWrong("%s named %s, and the record has the hash of another roster", leader, r.nameAll(a.roster))
	}
	if len(silent) > 0 {
		f.isMissing("no word from %s that the local work was done (join)", r.nameAll(silent))
		f.members = r.names(silent)
	}
	r.report.add(f.check("roster"))
	return a
}

// exchange checks keys, shares and confirmations of a session: without them all, nobody masks anything.
func (r *replay) exchange(s *session) {
	var f findings
	lack := func(what string, has func(k int) bool) {
		var without []int
		for k, i := range s.members {
			if !has(k) {
				without = append(without, i)
			}
		}
		if len(without) > 0 {
			f.isMissing("%s of %s", what, r.nameAll(without))
			f.members = append(f.members, r.names(without)...)
		}
	}
	lack("keys", func(k int) bool { _, ok := s.keys[k]; return ok })
	lack("shares", func(k int) bool { _, ok := s.shares[k]; return ok })
	lack("confirmations", func(k int) bool { _, ok := s.confirms[k]; return ok })
	if len(f.missing) == 0 {
		r.views(s, &f)
	}
	f.count = len(s.members)
	f.isRight("%d members exchanged keys and shares, and all confirmed the same", len(s.members))
	r.report.add(f.check("keys and shares of " + s.name))
}

// views checks that all members have seen the same keys and shares, those of the transcript.
func (r *replay) views(s *session, f *findings) {
	found := secagg.Inspect(s.public, secagg.Transcript{Keys: s.keys, Shares: s.shares})
	var others []int
	for k, c := range s.confirms {
		if c.View != found.Shares {
			others = append(others, k)
		}
	}
	slices.Sort(others)
	switch {
	case len(found.OtherKeys) == len(s.members):
		f.isWrong("the keys in the transcript are not those that the members dealt shares for")
	case len(found.OtherKeys) > 0:
		f.isWrong("the shares of %s are for other keys than those of the rest", r.nameAll(s.at(found.OtherKeys)))
		f.members = append(f.members, r.names(s.at(found.OtherKeys))...)
	case len(others) == len(s.members):
		f.isWrong("the shares in the transcript are not those that the members confirmed")
	case len(others) > 0:
		f.isWrong("%s confirmed other shares than the rest", r.nameAll(s.at(others)))
		f.members = append(f.members, r.names(s.at(others))...)
	}
}

// inputs checks that the masked inputs in a sum are there, chunk by chunk, and tells whose came and were not summed.
func (r *replay) inputs(a *attempt, s *session, list []int) {
	var f findings
	for _, i := range list {
		k := slices.Index(s.members, i)
		if k < 0 {
			f.isWrong("%s is in the sum and has no part in it", r.m.name(i))
			continue
		}
		masked := s.masked[k]
		if masked == nil {
			f.isMissing("the masked input of %s has no header", r.m.name(i))
			f.members = append(f.members, r.m.name(i))
			continue
		}
		f.count++
		for c, data := range masked.Chunks {
			f.bytes += int64(len(data))
			if data == nil && s.owned == nil {
				f.isMissing("chunk %d of %d of the masked input of %s", c+1, len(masked.Chunks), r.m.name(i))
				f.members = append(f.members, r.m.name(i))
			}
		}
	}
	f.isRight("those of %s, %d bytes in chunks that match their roots", r.nameAll(list), f.bytes)
	if s.owned != nil {
		f.isRight("chunks have %d owners each; those that this transcript's member did not hold were looked at by others", s.owned.owners)
	}
	for _, i := range s.members {
		if !slices.Contains(list, i) {
			state := "sent none"
			if s.complete(i) {
				state = "sent its masked input too late"
			} else if s.masked[slices.Index(s.members, i)] != nil {
				state = "sent a part"
			}
			f.isRight("%s %s and is not in the sum", r.m.name(i), state)
		}
	}
	r.report.add(f.check("masked inputs of " + s.name))
}

// sum opens a session from its statements and shares, adds it up, and compares it with the record. want is nil for a head that
// the record does not name.
func (r *replay) sum(s *session, want *ledger.Group) *sum {
	var f findings
	out := r.addUp(s, &f)
	if out != nil && want != nil {
		compareGroup(r, &f, &out.group, want)
	}
	r.report.add(f.check("sum of " + s.name))
	if len(f.wrong) > 0 {
		return nil
	}
	return out
}

// addUp is open of Machine, for who wants to know what is wrong, and how far it is.
func (r *replay) addUp(s *session, f *findings) *sum {
	statements := s.agreed()
	list := s.survivors(statements)
	in := r.messages(s, list, f)
	if in == nil {
		return nil
	}
	opening, err := secagg.Open(s.public, *in)
	var lanes []uint32
	if err == nil {
		lanes, err = r.addChunks(s, opening, in.Masked, f)
	}
	if err != nil {
		r.refused(s, err, f)
		return nil
	}
	if lanes == nil {
		return nil
	}
	f.count, f.bytes = len(list), int64(4*len(lanes))
	f.isRight("%d numbers over %s", s.public.Lanes, r.nameAll(list))
	for g, part := range opening.Parts() {
		if s.public.Cohorts != nil {
			f.isRight("cohort %d is summed apart: %s", g, r.nameAll(s.at(part)))
		}
	}
	s.keepOpened(opening, *in)
	return s.sumOf(lanes)
}

// messages collects what opens a session over the members in list, or returns nil when something is missing.
func (r *replay) messages(s *session, list []int, f *findings) *secagg.Transcript {
	switch {
	case list == nil:
		f.isMissing("%d members stated who is in it, and no %d of them the same", len(s.statements), s.public.Threshold)
		return nil
	case len(s.keys) < len(s.members) || len(s.shares) < len(s.members):
		f.isMissing("keys or shares of some members")
		return nil
	}
	in := secagg.Transcript{Keys: s.keys, Shares: s.shares, Statements: s.statements, Unmasks: s.unmasks, Masked: map[int]secagg.Masked{}}
	r.openings(s, in, f)
	in.Statements = s.agreed()
	for _, i := range list {
		k := slices.Index(s.members, i)
		if s.masked[k] == nil || s.owned == nil && !s.complete(i) {
			f.isMissing("the masked input of %s", r.m.name(i))
			return nil
		}
		in.Masked[k] = *s.masked[k]
	}
	return &in
}

// refused says why a session does not open, and who is to blame if that is proven.
func (r *replay) refused(s *session, err error, f *findings) {
	fault := (*secagg.Fault)(nil)
	switch {
	case errors.As(err, &fault):
		cheat := r.m.name(s.members[fault.Member])
		f.isWrong("the messages of %s prove that it cheated: %s", cheat, fault.What)
		f.members = append(f.members, cheat)
		r.report.blame(cheat, fmt.Sprintf("in %s: %s", s.name, fault.What))
	case errors.Is(err, secagg.ErrThreshold):
		f.isMissing("%v", err)
	default:
		f.isWrong("%v", err)
	}
}

// openings tells who stated and opened, and names those that opened what they were not dealt, or without having stated.
func (r *replay) openings(s *session, in secagg.Transcript, f *findings) {
	found := secagg.Inspect(s.public, in)
	f.isRight("%d members stated the same list, and %d opened their shares as they were dealt", len(s.agreed()), len(found.Opened))
	for _, k := range found.Wrong {
		name := r.m.name(s.members[k])
		f.isWrong("%s opened other shares than were dealt to it", name)
		f.members = append(f.members, name)
		r.report.blame(name, fmt.Sprintf("the shares that it opened in %s do not match the leaves that their dealers published", s.name))
	}
	agreed := s.agreed()
	for _, k := range slices.Sorted(maps.Keys(s.statements)) {
		if _, same := agreed[k]; !same {
			name := r.m.name(s.members[k])
			f.isWrong("%s stated other inputs than the rest", name)
			f.members = append(f.members, name)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.unmasks)) {
		if _, stated := s.statements[k]; !stated {
			name := r.m.name(s.members[k])
			f.isMissing("%s opened its shares, and its statement is not there", name)
			f.members = append(f.members, name)
		}
	}
	if n := len(found.OtherShares); n > 0 && n < len(in.Statements) {
		f.isWrong("%s stated other shares than those that were dealt", r.nameAll(s.at(found.OtherShares)))
		f.members = append(f.members, r.names(s.at(found.OtherShares))...)
	}
}

// addChunks adds a session up, chunk by chunk. A chunk with owners, whose inputs are not all here, is what its owners said. It
// returns nil after telling what is missing.
func (r *replay) addChunks(s *session, o *secagg.Opening, masked map[int]secagg.Masked, f *findings) ([]uint32, error) {
	parts, chunks, believed := o.Parts(), s.public.Chunks(), 0
	total := len(parts) * chunks
	lanes := make([]uint32, 0, len(parts)*s.public.Lanes)
	for k := range total {
		g, c := k/chunks, k%chunks
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		chunk := map[int][]byte{}
		for _, i := range parts[g] {
			chunk[i] = masked[i].Chunks[c]
		}
		var part []uint32
		var err error
		if len(s.missing(c, parts[g])) == 0 {
			part, err = o.SumPart(g, c, chunk)
		} else {
			part = r.told(s, c, f)
			believed++
		}
		if err != nil {
			return nil, err
		}
		if part == nil {
			return nil, nil
		}
		lanes = append(lanes, part...)
		if r.cfg.Progress != nil {
			r.cfg.Progress("sum of "+s.name, k+1, total)
		}
	}
	if believed > 0 {
		f.isRight("%d of %d chunks were added up here, the others are what their owners agree on", total-believed, total)
	}
	return lanes, nil
}

// told returns what the owners of a chunk say that its sum is, or nil when nobody does or they contradict each other.
func (r *replay) told(s *session, c int, f *findings) []uint32 {
	x := &s.owned.sums[c]
	if !x.agree() {
		f.isWrong("the owners of chunk %d tell different sums", c)
		return nil
	}
	for k := range x.said {
		if data := x.words(k); data != nil {
			return (&secagg.ChunkSum{Data: data}).Words(s.public)
		}
	}
	f.isMissing("the sum of chunk %d, or its inputs", c)
	return nil
}

// compareGroup holds a sum against what the record says about it.
func compareGroup(r *replay, f *findings, got, want *ledger.Group) {
	if got.Session != want.Session {
		f.isWrong("its session is %x, the record says %x", got.Session[:8], want.Session[:8])
	}
	if !slices.Equal(got.Survivors, want.Survivors) {
		f.isWrong("it is over %s, the record says %s", r.nameAll(memberList(got.Survivors)), r.nameAll(memberList(want.Survivors)))
	}
	for _, root := range []struct {
		name      string
		got, want [32]byte
	}{{"root of the masked inputs", got.Masked, want.Masked}, {"hash of the opened seeds", got.Seeds, want.Seeds}, {"root of the sum", got.Aggregate, want.Aggregate}} {
		if root.got != root.want {
			f.isWrong("the %s is %x, the record says %x", root.name, root.got[:8], root.want[:8])
		} else {
			f.isRight("%s %x", root.name, root.got[:8])
		}
	}
}

func memberList(in []uint64) []int {
	out := make([]int, len(in))
	for k, i := range in {
		out[k] = int(i)
	}
	return out
}
