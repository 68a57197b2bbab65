package federation

import (
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// A candidate is a record that others computed and this member did not, or not in this life. It may be voted for once a quorum has prepared it
// and the files that it names are here.
type candidate struct {
	record *ledger.Round
	files  []File // weights, state
}

// want fetches what a record names, once.
func (m *Machine) want(record *ledger.Round) {
	c := record.CID()
	if m.r.candidates[c] != nil || m.r.results[c] != nil {
		return
	}
	m.r.candidates[c] = &candidate{record, []File{{CID: record.WeightsOut}, {CID: record.StateOut}}}
	m.tell(Info, "others computed record %s; fetching what it names", c)
	for _, f := range m.r.candidates[c].files {
		m.do(Fetch{f.CID, maxFile})
	}
}

// fetchedCandidate takes a file that candidates may name.
func (m *Machine) fetchedCandidate(e Fetched) {
	for c, x := range m.r.candidates {
		done := true
		for k := range x.files {
			if x.files[k].CID.Equals(e.CID) && ledger.FileCID(e.Data).Equals(e.CID) {
				x.files[k].Data = e.Data
			}
			done = done && x.files[k].Data != nil
		}
		if !done {
			continue
		}
		delete(m.r.candidates, c)
		if err := m.takeCandidate(c, x); err != nil {
			m.tell(Warning, "record %s names files that cannot be used: %v", c, err)
		}
	}
}

func (m *Machine) takeCandidate(c cid.Cid, x *candidate) error {
	var sets [2]*weights.Set
	for k, f := range x.files {
		var err error
		if sets[k], err = decodeFile(f.CID, f.Data, maxFile); err != nil {
			return err
		}
	}
	if err := m.r.weights.SameShapes(sets[0]); err != nil {
		return err
	}
	m.r.results[c] = &result{record: x.record, cid: c, weights: sets[0], state: sets[1], files: x.files}
	return nil
}

// resumeVoting puts votes and lock of an earlier run of the process back in force.
func (m *Machine) resumeVoting(was restored) {
	b := &m.r.ballot
	for _, raw := range was.votes {
		env, err := m.take(raw, m.self)
		if err != nil {
			m.halt("%v", err)
			return
		}
		b.view, b.open = max(b.view, env.Seq), true
		m.do(Broadcast{m.r.number, [][]byte{raw}})
	}
	if was.lock != nil {
		lock, proof, err := decodeLock(was.lock)
		for k := 0; err == nil && k < len(proof); k++ {
			_, err = m.take(proof[k], -1)
		}
		if err != nil {
			m.halt("the log holds a lock that cannot be read (%v): restore it from a backup", err)
			return
		}
		b.lock = lock
	}
	for _, document := range was.records {
		record, err := ledger.DecodeRound(document)
		if err == nil {
			err = m.chain.Check(record)
		}
		if err != nil {
			m.halt("the log holds a candidate record that cannot be used (%v): restore it from a backup", err)
			return
		}
		m.want(record)
		for _, voted := range b.prepared { // it was this member's own, or had a quorum: as good as computed
			if voted.Equals(record.CID()) {
				m.r.own = voted
			}
		}
	}
	if b.open {
		m.enterView(b.view)
	}
}

// takeAll accepts envelopes of this round from the log, and tells the others.
func (m *Machine) takeAll(list []byte) bool {
	envelopes, err := decodeEnvelopes(list, 2*ledger.MaxMembers)
	for k := 0; err == nil && k < len(envelopes); k++ {
		_, err = m.take(envelopes[k], -1)
	}
	if err != nil {
		m.halt("the log holds messages that cannot be used (%v): restore it from a backup", err)
		return false
	}
	if len(envelopes) > 0 {
		m.do(Broadcast{m.r.number, envelopes})
	}
	return true
}

// take accepts an envelope of this round from the log. by is who must have signed it, -1 for anybody.
func (m *Machine) take(raw []byte, by int) (*ledger.Envelope, error) {
	env, err := ledger.DecodeEnvelope(raw)
	if err != nil {
		return nil, err
	}
	from := m.epoch.Index(env.From)
	if from < 0 || by >= 0 && from != by || env.Session != m.sessionID(env.Attempt) {
		return nil, fmt.Errorf("the log holds votes of another history than its certified rounds: restore both from one backup")
	}
	m.accept(&stored{env: env, raw: raw, from: from, hash: hashOf(raw)})
	return env, nil
}
