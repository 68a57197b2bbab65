package federation

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// TestReplayTrouble replays what every member kept of rounds in which others died and messages got lost, the setup round included. Messages
// may be missing; what is there is never wrong, and nobody is blamed.
func TestReplayTrouble(t *testing.T) {
	base := afterSetup(t, 4)
	whole, parts := 0, 0
	for seed := range uint64(4) {
		c := base.fork(t, 3, seed)
		if seed%2 == 1 {
			c = newCluster(t, 3+int(seed)%3, 3, seed)
		}
		c.keep = true
		troubled(c)
		c.run(3 * time.Minute)
		for round := range c.rounds {
			for i, n := range c.nodes {
				if n.archives[round] == nil {
					continue
				}
				report := replayed(t, c.replayConfig(round, i))
				switch report.Worst() {
				case Holds:
					whole++
				case Incomplete:
					parts++
				default:
					t.Errorf("seed %d, round %d as member %d has it: %s\n%s", seed, round, i, report.First, report.text())
				}
				if len(report.Blame) > 0 {
					t.Errorf("seed %d, round %d: blame %v", seed, round, report.Blame)
				}
			}
		}
	}
	if whole < 3*parts {
		t.Errorf("%d transcripts show everything and %d do not", whole, parts)
	}
}

// troubled loses a fifth of the messages at first, and lets members die and come back.
func troubled(c *cluster) {
	c.slow = func(int, int, []byte) time.Duration {
		if c.now < 15*time.Second && c.random.IntN(100) < 20 {
			return -1
		}
		return time.Duration(c.random.IntN(100)) * time.Millisecond
	}
	for k := range 4 {
		v := c.nodes[c.random.IntN(len(c.nodes))]
		c.later(time.Duration(k)*1700*time.Millisecond+400*time.Millisecond, func() {
			if v.machine != nil {
				v.revive = 300 * time.Millisecond
				c.kill(v)
			}
		})
	}
}

// TestReplayEquivocation has a coordinator show one member another roster: whoever noticed has the proof in its transcript, and nobody
// else is blamed.
func TestReplayEquivocation(t *testing.T) {
	c := afterSetup(t, 4).fork(t, 2, 1)
	c.keep, c.audit.alarms = true, []string{}
	liar := -1
	c.alter = func(from, to int, raw []byte) [][]byte {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil || e.Type != typeRoster || e.Attempt != 0 || e.From != c.genesis.Members[from].ID || to != (from+2)%4 {
			return [][]byte{raw}
		}
		liar, c.cheat = from, from+1
		e.Body = (&proposal{slices.DeleteFunc([]int{0, 1, 2, 3}, func(i int) bool { return i == (from+1)%4 }), []int{0}}).encode()
		e.SignEnvelope(testKey(from))
		return [][]byte{e.Encode()}
	}
	c.run(2 * time.Minute)
	proven := 0
	for i, n := range c.nodes {
		if n.archives[1] == nil {
			continue
		}
		report := replayed(t, c.replayConfig(1, i))
		for _, b := range report.Blame {
			if proven++; b.Member != member(liar) {
				t.Errorf("member %d: blame %v, the liar is member %d", i, b, liar)
			}
		}
	}
	if liar < 0 || proven == 0 {
		t.Errorf("liar %d, proven in %d transcripts", liar, proven)
	}
}

// TestReplayFault makes a transcript in which everybody agrees, and the keys of one member do not belong to the secret that its shares
// open: it alone is to blame.
func TestReplayFault(t *testing.T) {
	x := tamperedRounds(t)[0]
	s := newSpoiler(t, x.c, x.envelopes)
	cheat := -1
	in := secagg.Transcript{Keys: map[int]secagg.Keys{}, Shares: map[int]secagg.Shares{}}
	ofTrunk := func(kind string, do func(at, from int)) {
		for _, at := range s.find(kind) {
			if s.list[at].Seq == 0 {
				do(at, s.sender(at))
			}
		}
	}
	ofTrunk(typeKeys, func(at, from int) {
		keys, err := secagg.DecodeKeys(s.list[at].Body)
		if err != nil {
			t.Fatal(err)
		}
		if cheat < 0 {
			cheat = from
			keys.Commitment[0] ^= 1
			s.sign(at, keys.Encode(), from)
		}
		in.Keys[from] = keys
	})
	session := secagg.Session{ID: in.Keys[0].Session, Threshold: 3}
	for _, m := range x.c.genesis.Members {
		session.Roster = append(session.Roster, m.ID)
	}
	view := secagg.Inspect(session, in).Keys
	ofTrunk(typeShares, func(at, from int) {
		shares, err := secagg.DecodeShares(s.list[at].Body)
		if err != nil {
			t.Fatal(err)
		}
		shares.View = view
		in.Shares[from] = shares
		s.sign(at, shares.Encode(), from)
	})
	view = secagg.Inspect(session, in).Shares
	ofTrunk(typeConfirm, func(at, from int) {
		confirm, err := secagg.DecodeConfirm(s.list[at].Body)
		if err != nil {
			t.Fatal(err)
		}
		confirm.View = view
		s.sign(at, confirm.Encode(), from)
	})
	ofTrunk(typeStatement, func(at, from int) {
		proposal, body, err := decodeStatement(s.list[at].Body)
		if err != nil {
			t.Fatal(err)
		}
		said, err := secagg.DecodeSurvivors(body)
		if err != nil {
			t.Fatal(err)
		}
		said.View = view
		s.sign(at, encodeStatement(bytes.Clone(proposal), said.Encode()), from)
	})
	cfg := x.c.replayConfig(x.round, x.member)
	cfg.Envelopes = s.raws
	report := replayed(t, cfg)
	if report.OK || len(report.Blame) != 1 || report.Blame[0].Member != member(cheat) || !strings.Contains(report.First, "prove that it cheated") {
		t.Errorf("%s; blame %v, want member %d\n%s", report.First, report.Blame, cheat, report.text())
	}
}
