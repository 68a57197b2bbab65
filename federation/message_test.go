package federation

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

func TestBodiesRoundTrip(t *testing.T) {
	p := &proposal{[]int{0, 2, 4}, []int{1}}
	got, err := decodeProposal(p.encode(), 5, 2)
	if err != nil || !slices.Equal(got.members, p.members) || !slices.Equal(got.heads, p.heads) {
		t.Errorf("proposal %+v, %v; want %+v", got, err, p)
	}
	text, body, err := decodeStatement(encodeStatement(p.encode(), []byte("said")))
	if err != nil || !bytes.Equal(text, p.encode()) || string(body) != "said" {
		t.Errorf("statement %q %q %v", text, body, err)
	}
	if accused, err := decodeQuit(encodeQuit(3), 5); accused != 3 || err != nil {
		t.Errorf("quit accuses %d, %v; want 3", accused, err)
	}
	if accused, err := decodeQuit(encodeQuit(-1), 5); accused != -1 || err != nil {
		t.Errorf("quit accuses %d, %v; want nobody", accused, err)
	}
	s := ledger.Sign(testKey(1), 1, 2, ledger.NoState())
	if back, c, err := decodeCommit(encodeCommit(s, ledger.NoState()), 1); back != s || !c.Equals(ledger.NoState()) || err != nil {
		t.Errorf("commit %v %v %v", back, c, err)
	}
	if c, err := decodePrepare(encodePrepare(ledger.NoState())); !c.Equals(ledger.NoState()) || err != nil {
		t.Errorf("prepare %v %v", c, err)
	}
	if shown, record, err := decodeOffer(encodeOffer(-1, []byte("record"))); shown != -1 || string(record) != "record" || err != nil {
		t.Errorf("offer %d %q %v", shown, record, err)
	}
	l := place{7, ledger.NoState()}
	if back, proof, err := decodeLock(encodeLock(l, map[int]*stored{2: {raw: []byte("b")}, 1: {raw: []byte("a")}})); back != l || len(proof) != 2 || string(proof[0]) != "a" || err != nil {
		t.Errorf("lock %v %q %v", back, proof, err)
	}
	session, chunk, of, err := decodeAudit(encodeAudit(2, 1<<20, []int{0, 4}), 5)
	if session != 2 || chunk != 1<<20 || !slices.Equal(of, []int{0, 4}) || err != nil {
		t.Errorf("audit request %d %d %v %v", session, chunk, of, err)
	}
	has, err := decodeSync(encodeSync([]have{{1}, {2}}))
	if err != nil || len(has) != 2 || !has[have{2}] {
		t.Errorf("sync %v, %v", has, err)
	}
}

// TestSessionIDGolden pins what binds every message of an attempt: members of different versions would not understand
// each other.
func TestSessionIDGolden(t *testing.T) {
	c := afterSetup(t, 3)
	m := c.nodes[0].machine
	m.r.base.WeightsIn, m.r.base.Prev = c.first.CID, ledger.NoState()
	const want = "9fb5c9a520e3afa323b4b0008fbbd544805e963497d9e53e4d3984c27fb3cbff"
	if id := m.sessionID(7); fmt.Sprintf("%x", id) != want {
		t.Errorf("session id %x, want %s", id, want)
	}
}

func TestBodiesRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  func() error
	}{
		{"a member twice", func() error { _, err := decodeIndices([]byte{1, 0, 1, 0, 1}, 5); return err }},
		{"members not ascending", func() error { _, err := decodeIndices([]byte{1, 0, 2, 0, 1}, 5); return err }},
		{"a member who does not exist", func() error { _, err := decodeIndices([]byte{1, 0, 5}, 5); return err }},
		{"half an index", func() error { _, err := decodeIndices([]byte{1, 0}, 5); return err }},
		{"more members than bytes", func() error { _, err := decodeProposal([]byte{1, 0, 3, 0, 1}, 5, 1); return err }},
		{"a proposal longer than its statement", func() error { _, _, err := decodeStatement([]byte{1, 0, 0, 0, 9, 1}); return err }},
		{"another version", func() error { return emptyBody([]byte{2}) }},
		{"a sync of odd length", func() error { _, err := decodeSync([]byte{1, 2, 3}); return err }},
		{"a signature under no CID", func() error { _, _, err := decodeCommit(append([]byte{1}, make([]byte, 80)...), 0); return err }},
		{"a prepare of nothing", func() error { _, err := decodePrepare([]byte{1}); return err }},
		{"an offer that points beyond all views", func() error {
			_, _, err := decodeOffer(append([]byte{1}, bytes.Repeat([]byte{255}, 20)...))
			return err
		}},
		{"envelopes longer than their body", func() error { _, err := decodeEnvelopes([]byte{0, 0, 0, 9, 1}, 2); return err }},
		{"more envelopes than asked for", func() error { _, err := decodeEnvelopes(make([]byte, 12), 2); return err }},
		{"an audit of a stranger", func() error { _, _, _, err := decodeAudit(encodeAudit(0, 0, []int{5}), 5); return err }},
		{"an audit of no chunk", func() error { _, _, _, err := decodeAudit([]byte{1, 0, 0, 0, 0, 0}, 5); return err }},
		{"a lock without a CID", func() error { _, _, err := decodeLock(append(make([]byte, 8), 200)); return err }},
	} {
		if tt.err() == nil {
			t.Errorf("%s: accepted", tt.name)
		}
	}
}

func FuzzBodies(f *testing.F) {
	f.Add((&proposal{[]int{0, 2}, []int{1}}).encode())
	f.Add(encodeStatement((&proposal{[]int{0}, nil}).encode(), []byte{1}))
	f.Add(encodeSync([]have{{1}}))
	f.Add(encodeCommit(ledger.Signature{}, ledger.NoState()))
	f.Add(encodePrepare(ledger.NoState()))
	f.Add(encodePairSeed(secagg.PairSeed{1, 2}))
	f.Add(encodeAudit(1, 2, []int{0, 4}))
	f.Add(encodeOffer(3, []byte("record")))
	f.Add(encodeLock(place{1, ledger.NoState()}, map[int]*stored{0: {raw: []byte("a")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := decodeProposal(b, 9, 3); err == nil && !bytes.Equal(p.encode(), b) {
			t.Error("a proposal has two encodings")
		}
		if text, body, err := decodeStatement(b); err == nil && !bytes.Equal(encodeStatement(text, body), b) {
			t.Error("a statement has two encodings")
		}
		if s, c, err := decodeCommit(b, 1); err == nil && !bytes.Equal(encodeCommit(s, c), b) {
			t.Error("a commit has two encodings")
		}
		if s, c, of, err := decodeAudit(b, 9); err == nil && !bytes.Equal(encodeAudit(s, c, of), b) {
			t.Error("an audit request has two encodings")
		}
		if seed, err := decodePairSeed(b); err == nil && !bytes.Equal(encodePairSeed(seed), b) {
			t.Error("an opened pair has two encodings")
		}
		if c, err := decodePrepare(b); err == nil && !bytes.Equal(encodePrepare(c), b) {
			t.Error("a prepare has two encodings")
		}
		if shown, record, err := decodeOffer(b); err == nil && !bytes.Equal(encodeOffer(shown, record), b) {
			t.Error("an offer has two encodings")
		}
		decodeLock(b)
		if list, err := decodeEnvelopes(b, 4); err == nil && !bytes.Equal(encodeEnvelopes(nil, list...), b) {
			t.Error("a list of envelopes has two encodings")
		}
		decodeSync(b)
		decodeQuit(b, 9)
	})
}
