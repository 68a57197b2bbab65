package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/doctor"
)

// closed is an address to which nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	h := newHost(t, seeded("closed"))
	addresses := texts(h.Addrs())
	h.Close()
	return addresses[slices.IndexFunc(addresses, func(a string) bool { return strings.Contains(a, "/tcp/") })]
}

// has gives the site and the bank so many rounds of the past.
func (p *pair) has(site, bank int) {
	p.site.Log = p.past.log(site)
	p.bankHas(bank)
}

// What an epoch changed is what counts, in the list of members that is asked and in the addresses that are dialled.
func TestExamineReachabilityAfterAnEpoch(t *testing.T) {
	ok := []want{{doctor.OK, "you -> bank: ok ", ""}, {doctor.OK, "bank -> you: ok ", ""}}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, p *pair)
		want   []want
	}{
		{"another address of the bank", func(t *testing.T, p *pair) {
			p.site.Genesis.Members[1].Addresses = []string{closed(t)}
			p.begin(t, func(next *ledger.Epoch) { next.Members[1].Addresses = texts(p.cfg.Host.Addrs()) })
		}, ok},
		{"other keys of the bank", func(t *testing.T, p *pair) {
			was := member(t, "bank")
			p.site.Genesis.Members[1].Peer = was.Peer
			p.begin(t, func(next *ledger.Epoch) {
				next.Rotated = []ledger.Rotation{{Old: next.Members[1].ID, New: id(seeded("new bank"))}}
				next.Members[1].ID, next.Members[1].Peer = id(seeded("new bank")), p.cfg.Host.ID().String()
			})
		}, ok},
		{"this node gave its place to another key", func(t *testing.T, p *pair) {
			p.begin(t, func(next *ledger.Epoch) {
				next.Rotated = []ledger.Rotation{{Old: next.Members[0].ID, New: id(seeded("new bank"))}}
				next.Members[0].ID, next.Members[0].Peer = id(seeded("new bank")), member(t, "lab").Peer
			})
		}, []want{{doctor.Skipped, "do not talk to a node that is none of them any more", "see identity"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, 0)
			c.change(t, p)
			check(t, p.examine(t, doctor.ReachabilityCheck), c.want...)
		})
	}
}

// begin makes the past anew, for the genesis may have changed, and begins an epoch that both know.
func (p *pair) begin(t *testing.T, change func(next *ledger.Epoch)) {
	t.Helper()
	keys := p.past.keys
	p.past = newPast(t, p.site.Genesis, seeded("new bank"))
	for _, key := range keys {
		p.past.know(key)
	}
	p.cfg.Genesis = p.site.Genesis.CID().Bytes()
	p.past.enter(change)
	p.has(len(p.past.done), len(p.past.done))
}

// Epochs that differ are told from those of which one side has not heard yet.
func TestExamineAgreementOverEpochs(t *testing.T) {
	nothing := func(*ledger.Epoch) {}
	for _, c := range []struct {
		name       string
		site, bank int // rounds, of which the first eleven end epoch 0
		want       want
	}{
		{"both before it", 10, 10, want{doctor.OK, "the same 10 certified rounds", ""}},
		{"both after it", 12, 12, want{doctor.OK, "the same 12 certified rounds", ""}},
		{"behind within the epoch", 12, 11, want{doctor.OK, "bank is 1 round behind you (11 of 12)", ""}},
		{"the bank has not heard of it", 13, 7, want{doctor.Warning, "bank is in epoch 0 still, you are in epoch 1; bank is 6 rounds behind you (7 of 13)", "ask bank"}},
		{"this node has not heard of it", 10, 13, want{doctor.Warning, "that your node does not know: you are in epoch 0, and you are 3 rounds behind bank (10 of 13)", "start it again if `fedlam epoch show"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, 0)
			p.past.enter(nothing)
			p.past.rounds(3)
			p.has(c.site, c.bank)
			check(t, p.examine(t, doctor.AgreementCheck), c.want)
		})
	}
}

// A node that joins asks the members of the epoch it has and of the one with which it joins.
func TestExamineOfANodeThatJoins(t *testing.T) {
	for _, c := range []struct {
		name     string
		approved bool
		want     []want
	}{
		{"approved of", true, []want{{doctor.OK, "you -> bank: ok ", ""}, {doctor.OK, "bank -> you: ok ", ""}}},
		{"not yet", false, []want{{doctor.Warning, "connected, but not served: members only", "approved of epoch 1"}, {doctor.Skipped, "cannot be asked", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, 0)
			g := p.site.Genesis
			lab, bank := g.Members[0], g.Members[1]
			g.Members = []ledger.Member{member(t, "third"), bank}
			g.Members[1].Addresses = nil // only the epoch to come has them
			p.past = newPast(t, g)
			p.site.Joining = p.past.follow(func(next *ledger.Epoch) { next.Members = []ledger.Member{next.Members[0], bank, lab} })
			p.cfg.Genesis = g.CID().Bytes()
			p.has(0, 0)
			if !c.approved {
				p.cfg.Members = nil
			}
			check(t, p.examine(t, doctor.ReachabilityCheck)[2:], c.want...)
		})
	}
}

// A log in which a certificate or the document of an epoch is not what it should be proves what comes before.
func TestExamineALogThatDoesNotFollow(t *testing.T) {
	for _, c := range []struct{ name, key string }{
		{"certificate", string(federation.CertificateKey(10))},
		{"document of the epoch", string(federation.EpochKey(10))},
		{"record", string(federation.RecordKey(10))},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, 0)
			p.past.enter(func(*ledger.Epoch) {})
			log := p.past.log(11)
			log[c.key] = []byte("rubbish")
			p.site.Log = log
			p.bankHas(11)
			check(t, p.examine(t, doctor.AgreementCheck), want{doctor.Skipped, "could not be found out: round 10 of your log does not follow", ""})
			got := p.examine(t, doctor.DiskCheck)
			check(t, got[len(got)-1:], want{doctor.Failed, "round 10 of your log does not follow", "restore the newest backup"})
		})
	}
}
