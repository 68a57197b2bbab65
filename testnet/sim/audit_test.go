package sim

import (
	"strings"
	"testing"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// finished returns a world of four members whose setup round and a training round are certified.
func finished(t *testing.T) *World {
	t.Helper()
	w, err := newWorld(&Scenario{Members: 4, Rounds: 2})
	if err != nil {
		t.Fatal(err)
	}
	w.play()
	if err := w.outcome().Err(); err != nil {
		t.Fatal(err)
	}
	return w
}

// utter makes an envelope of member 1.
func utter(step string, attempt, seq uint64, body []byte) utterance {
	e := &ledger.Envelope{Type: step, Round: 7, Attempt: attempt, Session: [32]byte{byte(attempt)}, Seq: seq, Body: body}
	e.SignEnvelope(memberKey(1))
	return utterance{e, e.Encode()}
}

// opened is a body with shares of the self-masks of n members.
func opened(n int) []byte {
	u := secagg.Unmask{From: 1}
	for i := range n {
		u.Opened = append(u.Opened, secagg.Opened{Of: i, Secret: secagg.SecretB})
	}
	return u.Encode()
}

// TestAuditSees breaks every invariant in turn: the audit that finds nothing elsewhere finds it here.
func TestAuditSees(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(w *World, p *process)
		want  string
	}{
		{"a sum that is not that of the contributions", func(w *World, p *process) {
			for _, of := range w.audit.lanes {
				of[2][0].Lanes[0]++
			}
			again(w, p)
		}, "is not that of what members"},
		{"a member that masked twice in one session", func(w *World, p *process) {
			for _, of := range w.audit.lanes {
				of[2] = append(of[2], of[2][0])
			}
			again(w, p)
		}, "masked 2 vectors"},
		{"two records of one round", func(w *World, p *process) {
			w.audit.records[1] = w.audit.records[0]
			w.audit.certified(p, 1)
		}, "two certified records"},
		{"a certificate of too few", func(w *World, p *process) {
			key := string(federation.CertificateKey(1))
			cert, err := ledger.DecodeCertificate(p.disk[key])
			if err != nil {
				panic(err)
			}
			cert.Signatures = cert.Signatures[:2]
			p.disk[key] = cert.Encode()
			w.audit.certified(p, 1)
		}, "does not hold"},
		{"a certificate of another record", func(w *World, p *process) {
			p.disk[string(federation.CertificateKey(1))] = p.disk[string(federation.CertificateKey(0))]
			w.audit.certified(p, 1)
		}, "does not hold"},
		{"a chain with a gap", func(w *World, p *process) {
			p.disk[string(federation.RecordKey(0))] = p.disk[string(federation.RecordKey(1))]
			w.audit.final()
		}, "chain that does not hold"},
		{"a sum over too few members", func(w *World, p *process) {
			w.genesis.Rules.MinCohort = 5
			again(w, p)
		}, "over 4 members, want at least 5"},
		{"a broken promise", func(w *World, p *process) {
			key := []byte("fed/round/release")
			w.persist(p, federation.Persist{Once: []federation.Entry{{Key: key, Value: []byte("a")}}})
			w.persist(p, federation.Persist{Once: []federation.Entry{{Key: key, Value: []byte("b")}}})
		}, "breaks the promise"},
		{"two messages in one place", func(w *World, p *process) {
			w.audit.sent(p, utter("keys", 0, 1, []byte("a")))
			w.audit.sent(p, utter("keys", 0, 1, []byte("b")))
		}, "two things in one place"},
		{"shares opened in two attempts", func(w *World, p *process) {
			w.audit.sent(p, utter(stepUnmask, 0, 0, opened(4)))
			w.audit.sent(p, utter(stepUnmask, 1, 0, opened(4)))
		}, "says unmask twice"},
		{"two votes in one view", func(w *World, p *process) {
			w.audit.sent(p, utter(stepCommit, 0, 3, []byte("a")))
			w.audit.sent(p, utter(stepCommit, 0, 3, []byte("b")))
		}, "two things in one place"},
		{"shares of too small a sum", func(w *World, p *process) {
			w.audit.sent(p, utter(stepUnmask, 0, 0, opened(2)))
		}, "over 2 members"},
		{"shares of too small a sum of a head", func(w *World, p *process) {
			w.audit.sent(p, utter(stepOpenHead, 0, 0, opened(2)))
		}, "over 2 members"},
		{"an accusation of an honest member", func(w *World, p *process) {
			p.disk["fed/cheat/"+w.genesis.Members[3].ID.String()] = []byte("because")
			w.audit.final()
		}, "proof against M3"},
		{"a halt", func(w *World, p *process) { w.do(p, federation.Halt{Reason: "why not"}, nil) }, "halts: why not"},
		{"an alarm without a reason", func(w *World, p *process) {
			w.do(p, federation.Progress{Level: federation.Alarm, Text: "help"}, nil)
		}, "alarms its owner"},
		{"a round that is lost for nothing", func(w *World, _ *process) {
			w.audit.kinds[1] = ledger.Void
			w.audit.final()
		}, "1 rounds are void"},
		{"other rounds than expected", func(w *World, _ *process) {
			w.s.Expect = []Expected{{Kind: "setup"}, {Kind: "void"}}
			w.audit.final()
		}, "expected: setup void"},
		{"fewer sums than expected", func(w *World, _ *process) {
			w.s.Expect = []Expected{{Kind: "setup"}, {Kind: "train", Sums: 3}}
			w.audit.final()
		}, "train/2; expected: setup train/3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := finished(t)
			tt.spoil(w, w.processes[1])
			if err := w.outcome().Unsafe(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a fault with %q", err, tt.want)
			}
		})
	}
}

// again has the newest round of a member looked at as if it were new.
func again(w *World, p *process) {
	clear(w.audit.records)
	w.audit.certified(p, 1)
}

// TestReport holds a failure report to what is needed to see it again.
func TestReport(t *testing.T) {
	w := finished(t)
	w.audit.fault("something")
	text := w.outcome().Err().Error()
	for _, want := range []string{"something", "seed 0", w.s.String(), "round 1 is certified"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}
