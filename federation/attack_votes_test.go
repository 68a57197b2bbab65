package federation

import (
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// TestForgedSenders puts a relay before one member, which says everything in the others' names that they say, with keys of its own. Nothing of it counts, and
// nothing leaves the member but that it is ready. The control is a relay that has the keys of the others, as if signatures were not checked: the member
// masks its update for whoever that is.
func TestForgedSenders(t *testing.T) {
	const victim = 0
	for _, checked := range []bool{true, false} {
		c := afterSetup(t, 4).fork(t, 2, 1)
		c.audit.alarms = []string{}
		c.alter = func(_, to int, raw []byte) [][]byte {
			e, err := ledger.DecodeEnvelope(raw)
			if err != nil || to != victim {
				return [][]byte{raw}
			}
			key, from := testKey(100), e.From
			if !checked {
				key = testKey(c.byID(from).index)
			}
			e.SignEnvelope(key)
			e.From = from
			return [][]byte{e.Encode()}
		}
		said := map[string]bool{}
		c.slow = func(from, _ int, raw []byte) time.Duration {
			if e, err := ledger.DecodeEnvelope(raw); err == nil && from == victim && e.From == c.nodes[victim].id() {
				said[e.Type] = true
			}
			return 0
		}
		for _, n := range c.nodes {
			c.start(n)
		}
		c.settle(10 * time.Second)
		if said[typeMasked] == checked || said[typeKeys] == checked || !said[typeJoin] {
			t.Errorf("checked %v: the member said %v", checked, said)
		}
	}
}

// TestVotesCountOnce repeats the commits of two members of four: under other views, in other envelopes, in the name of a third with the signature of the second,
// and all of it many times over. The control counts what arrives, as others do: that is a quorum. The commit of a third member is one here too.
func TestVotesCountOnce(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	c.audit.alarms = []string{}
	for _, n := range c.nodes {
		c.start(n)
	}
	c.settle(100 * time.Millisecond)
	m := c.nodes[0].machine
	record := m.chain.NextVoid().CID()
	commit := func(signer, index int, view, seq uint64) []byte {
		s := ledger.Sign(testKey(signer), index, view, record)
		e := &ledger.Envelope{Type: typeCommit, Round: 1, Attempt: roundLevel, Session: m.sessionID(roundLevel), Seq: seq, Body: encodeCommit(s, record)}
		e.SignEnvelope(testKey(signer))
		if index != signer {
			e.From = m.epoch.Members[index].ID
		}
		return e.Encode()
	}
	arriving := [][]byte{
		commit(1, 1, 0, 0), commit(2, 2, 0, 0), commit(1, 1, 0, 0), commit(2, 2, 0, 0), // again
		commit(1, 1, 1, 1), commit(2, 2, 2, 2), // in other views
		commit(1, 1, 0, 7), commit(2, 2, 0, 8), // signatures of view 0 as those of other views
		commit(2, 3, 0, 0), commit(1, 3, 0, 0), commit(9, 3, 0, 0), // in the name of another
	}
	forged := &ledger.Envelope{Type: typeCommit, Round: 1, Attempt: roundLevel, Session: m.sessionID(roundLevel), Body: encodeCommit(ledger.Sign(testKey(2), 3, 0, record), record)}
	forged.SignEnvelope(testKey(3)) // its own, around a signature that does not hold
	arriving = append(arriving, forged.Encode())
	naive := 0 // votes for the record in view 0 with a signature that holds
	for _, raw := range slices.Concat(arriving, arriving) {
		if got := m.Step(Received{raw}); slices.ContainsFunc(got, func(a Action) bool { _, ok := a.(Publish); return ok }) || m.chain.Len() != 1 {
			t.Fatal("the commits of two members of four certify a record")
		}
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil {
			continue
		}
		if s, of, err := decodeCommit(e.Body, m.epoch.Index(e.From)); err == nil && of.Equals(record) && s.Verify(m.epoch, 0, of) == nil {
			naive++
		}
	}
	if naive < m.quorum {
		t.Errorf("control: %d votes count as one each, less than a quorum", naive)
	}
	for i := 1; i < 4; i++ {
		m.Step(Received{commit(i, i, 3, 3)})
	}
	if m.chain.Len() != 2 {
		t.Error("control: the commits of three members of four do not certify the record: the others were not commits")
	}
}
