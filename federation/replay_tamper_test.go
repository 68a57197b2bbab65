package federation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

// A spoiler changes a transcript in which signed messages are all decodable.
type spoiler struct {
	t    *testing.T
	c    *cluster
	list []*ledger.Envelope
	raws [][]byte
}

func newSpoiler(t *testing.T, c *cluster, envelopes [][]byte) *spoiler {
	t.Helper()
	s := &spoiler{t: t, c: c, raws: slices.Clone(envelopes)}
	for _, raw := range envelopes {
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil {
			t.Fatal(err)
		}
		s.list = append(s.list, e)
	}
	return s
}

// find returns the positions of messages of a type.
func (s *spoiler) find(kind string) (at []int) {
	for k, e := range s.list {
		if e.Type == kind {
			at = append(at, k)
		}
	}
	if len(at) == 0 {
		s.t.Fatalf("the transcript has no %s", kind)
	}
	return at
}

func (s *spoiler) sender(at int) int { return s.c.genesis.Epoch().Index(s.list[at].From) }

// sign replaces a message by one with that body, signed by a member, or by a stranger.
func (s *spoiler) sign(at int, body []byte, by int) {
	e := *s.list[at]
	e.Body = body
	e.SignEnvelope(testKey(by))
	s.raws[at] = e.Encode()
}

// drop takes messages out.
func (s *spoiler) drop(at ...int) {
	var rest [][]byte
	for k, raw := range s.raws {
		if !slices.Contains(at, k) {
			rest = append(rest, raw)
		}
	}
	s.raws = rest
}

// tampered are the transcripts that together have all types of messages: a training round as it should be, and two
// that all members were switched off in.
type tampered struct {
	c         *cluster
	envelopes [][]byte
	round     uint64
	member    int
	types     []string
}

func tamperedRounds(t *testing.T) []tampered {
	happy := newCluster(t, 4, 2, 1)
	happy.keep = true
	happy.run(time.Minute)
	off, later := switchedOffRound(t, 1), switchedOffRound(t, 2)
	return []tampered{
		{happy, happy.nodes[0].archives[1], 1, 0, []string{typeJoin, typeRoster, typeKeys, typeShares, typeConfirm, typeMasked, typeChunk, typeSurvivors,
			typeStateHead, typeOpenHead, typeFinal, typeStatement, typeUnmask, typePrepare, typeCommit}},
		{off, off.nodes[0].archives[1], 1, 0, []string{typeQuit, typeForfeit}},
		{later, later.nodes[0].archives[1], 1, 0, []string{typeOffer, typeNext}},
	}
}

// eachType runs a spoiler over every type of message and expects the replay to say no, with words.
func eachType(t *testing.T, do func(s *spoiler, kind string, at []int) (words []string)) {
	for _, x := range tamperedRounds(t) {
		cfg := x.c.replayConfig(x.round, x.member)
		if report := replayed(t, cfg); !report.OK {
			t.Fatalf("the good one: %s\n%s", report.First, report.text())
		}
		for _, kind := range x.types {
			t.Run(kind, func(t *testing.T) {
				s := newSpoiler(t, x.c, x.envelopes)
				words := do(s, kind, s.find(kind))
				cfg.Envelopes = s.raws
				report := replayed(t, cfg)
				if words == nil {
					if !report.OK {
						t.Errorf("a change that changes nothing: %s", report.First)
					}
					return
				}
				if report.OK || report.First == "" {
					t.Fatalf("the replay holds\n%s", report.text())
				}
				for _, w := range words {
					if !strings.Contains(report.First, w) {
						t.Errorf("first: %q, want %q in it\n%s", report.First, w, report.text())
					}
				}
			})
		}
	}
}

func member(i int) string { return fmt.Sprintf("M%d", i) }

func TestReplayFlippedByte(t *testing.T) {
	eachType(t, func(s *spoiler, kind string, at []int) []string {
		k := at[len(at)/2]
		s.raws[k] = bytes.Clone(s.raws[k])
		s.raws[k][len(s.raws[k])-1] ^= 1
		return []string{"signatures", fmt.Sprintf("message %d", k+1), kind, member(s.sender(k))}
	})
}

func TestReplayStrangersKey(t *testing.T) {
	eachType(t, func(s *spoiler, kind string, at []int) []string {
		s.sign(at[0], s.list[at[0]].Body, 99)
		return []string{"signatures", fmt.Sprintf("message %d, %s", at[0]+1, kind), "no member"}
	})
}

// TestReplayAnotherMembersKey has a message of one member signed by another one, who then has said two things in one place, or says what
// is not its turn to say.
func TestReplayAnotherMembersKey(t *testing.T) {
	eachType(t, func(s *spoiler, kind string, at []int) []string {
		k := at[0]
		if kind == typeQuit { // nobody else left for this reason: anybody may leave
			return nil
		}
		other := (s.sender(k) + 1) % 4
		for _, n := range at { // one that is there for the same place, if any
			if a, b := s.list[n], s.list[k]; n != k && a.Seq == b.Seq && a.From != b.From {
				other = s.sender(n)
			}
		}
		s.sign(k, s.list[k].Body, other)
		return []string{kind + " of " + member(other)}
	})
}

// TestReplaySwappedBodies has two members sign what the other one said.
func TestReplaySwappedBodies(t *testing.T) {
	eachType(t, func(s *spoiler, kind string, at []int) []string {
		k := at[0]
		for _, n := range at {
			a, b := s.list[k], s.list[n]
			if a.From == b.From || a.Seq != b.Seq || a.Attempt != b.Attempt {
				continue
			}
			s.sign(k, b.Body, s.sender(k))
			s.sign(n, a.Body, s.sender(n))
			if bytes.Equal(a.Body, b.Body) {
				return nil // all say the same
			}
			return []string{"meaning of the messages", kind + " of " + member(s.sender(k)), kind + " of " + member(s.sender(n))}
		}
		return nil // one member alone says it
	})
}

// TestReplayDropped takes messages out: one, where every single one is needed, and else as many as make too few.
func TestReplayDropped(t *testing.T) {
	quorum := map[string]int{typeOpenHead: 2, typeUnmask: 2, typeForfeit: 1, typeNext: 4}
	names := map[string]string{typeJoin: "join", typeRoster: "roster", typeKeys: "keys of", typeShares: "shares of", typeConfirm: "confirmations of",
		typeMasked: "no header", typeChunk: "chunk 1 of 1", typeSurvivors: "survivors", typeStateHead: "statement", typeOpenHead: "sum of head/",
		typeFinal: "final", typeStatement: "statement", typeUnmask: "sum of trunk", typeForfeit: "forfeit",
		typeOffer: "offer", typeNext: "next"}
	eachType(t, func(s *spoiler, kind string, at []int) []string {
		if kind == typeQuit || kind == typeCommit || kind == typePrepare { // nothing follows from that somebody left; the certificate stands for votes
			s.drop(at[0])
			return nil
		}
		words := []string{names[kind]}
		var out []int
		for _, k := range at { // of one session, where there are several
			if s.list[k].Seq == s.list[at[0]].Seq && len(out) < max(quorum[kind], 1) {
				out = append(out, k)
			}
		}
		if len(out) == 1 && kind != typeForfeit {
			words = append(words, member(s.sender(out[0])))
		}
		s.drop(out...)
		return words
	})
}

// TestReplayVoteInCertificate leaves out second votes: the certificate has the same signatures, and the report says whose.
func TestReplayVoteInCertificate(t *testing.T) {
	x := tamperedRounds(t)[0]
	s := newSpoiler(t, x.c, x.envelopes)
	at := s.find(typeCommit)
	s.drop(at...)
	cfg := x.c.replayConfig(x.round, x.member)
	cfg.Envelopes = s.raws
	report := replayed(t, cfg)
	votes := report.Checks[len(report.Checks)-1]
	cert, err := ledger.DecodeCertificate(cfg.Rounds[x.round].Certificate)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK || votes.What != "votes" || votes.Count != 0 || !strings.Contains(votes.Found, "came with the certificate alone") {
		t.Errorf("%s; %+v", report.First, votes)
	}
	for _, v := range cert.Signatures {
		if !strings.Contains(votes.Found, member(int(v.Member))) || !report.Members[v.Member].Signed {
			t.Errorf("%q does not name member %d", votes.Found, v.Member)
		}
	}
}

// TestReplaySignedLie has members sign other contents than they had said: what they bound themselves to no longer fits.
func TestReplaySignedLie(t *testing.T) {
	x := tamperedRounds(t)[0]
	for kind, words := range map[string]string{
		typeKeys:      "keys in the transcript are not those that the members dealt shares for",
		typeShares:    "shares in the transcript are not those that the members confirmed",
		typeConfirm:   "confirmed other shares than the rest",
		typeMasked:    "does not match",
		typeChunk:     "does not match",
		typeStateHead: "stated other inputs than the rest",
		typeOpenHead:  "opened other shares than were dealt to it",
		typeStatement: "stated other inputs than the rest",
		typeUnmask:    "opened other shares than were dealt to it",
		typeRoster:    "hash of another roster",
		typeSurvivors: "for the heads, and",
	} {
		t.Run(kind, func(t *testing.T) {
			s := newSpoiler(t, x.c, x.envelopes)
			k := s.find(kind)[0]
			body := bytes.Clone(s.list[k].Body)
			at := len(body) - 1
			switch kind {
			case typeShares: // well-formed: a leaf
				at = 36 + 32 + 2 + 2
			case typeConfirm: // the view
				at = 36
			case typeRoster, typeSurvivors: // leave the last member out
				p := &proposal{[]int{0, 1, 2}, []int{0, 1}}
				if body = p.encode(); kind == typeSurvivors {
					body = encodeIndices([]int{0, 1, 2})
				}
				at = 0
				body[0] ^= 1
			}
			body[at] ^= 1
			s.sign(k, body, s.sender(k))
			cfg := x.c.replayConfig(x.round, x.member)
			cfg.Envelopes = s.raws
			report := replayed(t, cfg)
			if report.OK || !strings.Contains(report.text(), words) {
				t.Errorf("%s\n%s, want %q", report.First, report.text(), words)
			}
			proven := kind == typeOpenHead || kind == typeUnmask
			if proven != (len(report.Blame) > 0) || proven && report.Blame[0].Member != member(s.sender(k)) {
				t.Errorf("blame %v; proven: %v", report.Blame, proven)
			}
		})
	}
}

// TestReplayBothVersions has a transcript with two versions of a message, as a member that saw both would show it: proof.
func TestReplayBothVersions(t *testing.T) {
	eachType(t, func(s *spoiler, kind string, at []int) []string {
		e := *s.list[at[0]]
		e.Body = append(bytes.Clone(e.Body), 7)
		e.SignEnvelope(testKey(s.sender(at[0])))
		s.raws = append(s.raws, e.Encode())
		return []string{"one message for each place", kind + " of " + member(s.sender(at[0])), "two contents"}
	})
}

func TestReplayEvidence(t *testing.T) {
	x := tamperedRounds(t)[0]
	s := newSpoiler(t, x.c, x.envelopes)
	k := s.find(typeKeys)[0]
	lie := *s.list[k]
	lie.Body = append(bytes.Clone(lie.Body), 1)
	lie.SignEnvelope(testKey(s.sender(k)))
	e := *s.list[s.find(typeCommit)[0]]
	e.Type, e.Seq, e.Body = typeEvidence, 5, encodeEnvelopes([]byte{bodyVersion}, s.list[k].Encode(), lie.Encode())
	e.SignEnvelope(testKey(3))
	cfg := x.c.replayConfig(x.round, x.member)
	cfg.Envelopes = append(s.raws, e.Encode())
	report := replayed(t, cfg)
	if !report.OK || len(report.Blame) != 1 || report.Blame[0].Member != member(s.sender(k)) {
		t.Errorf("%s; blame %v, want member %d\n%s", report.First, report.Blame, s.sender(k), report.text())
	}
	e.Body = e.Body[:len(e.Body)-1]
	e.SignEnvelope(testKey(3))
	cfg.Envelopes = append(s.raws, e.Encode())
	if report := replayed(t, cfg); report.OK || len(report.Blame) > 0 {
		t.Errorf("half a proof: %s; blame %v", report.First, report.Blame)
	}
}

// TestReplayWrongFiles gives Replay something else than the round started from, or another chain.
func TestReplayWrongFiles(t *testing.T) {
	x := tamperedRounds(t)[0]
	for _, tt := range []struct {
		name  string
		spoil func(c *ReplayConfig)
		say   string
	}{
		{"other weights", func(c *ReplayConfig) { c.Weights = bytes.Clone(c.Weights); c.Weights[9] ^= 1 }, "the weights at hand"},
		{"no state", func(c *ReplayConfig) { c.State = nil }, "the optimizer state at hand"},
		{"a record of another round", func(c *ReplayConfig) { c.Rounds = []Finished{c.Rounds[0], c.Rounds[0]} }, "certified rounds"},
		{"a certificate of another round", func(c *ReplayConfig) {
			c.Rounds = slices.Clone(c.Rounds)
			c.Rounds[1].Certificate = c.Rounds[0].Certificate
		}, "vouches for"},
		{"a spoiled round before", func(c *ReplayConfig) {
			c.Rounds = slices.Clone(c.Rounds)
			c.Rounds[0].Record = append(bytes.Clone(c.Rounds[0].Record), 0)
		}, "certified rounds"},
		{"a transcript of another round", func(c *ReplayConfig) { c.Envelopes = x.c.nodes[0].archives[0] }, "it is of round 0"},
		{"no transcript", func(c *ReplayConfig) { c.Envelopes = nil }, "no roster"},
		{"garbage", func(c *ReplayConfig) { c.Envelopes = [][]byte{nil, {1}, bytes.Repeat([]byte{1, 4}, 300)} }, "signatures"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := x.c.replayConfig(x.round, x.member)
			tt.spoil(&cfg)
			if report := replayed(t, cfg); report.OK || !strings.Contains(report.First, tt.say) {
				t.Errorf("%s, want %q", report.First, tt.say)
			}
		})
	}
	if _, err := Replay(t.Context(), ReplayConfig{}); err == nil {
		t.Error("nothing at all is accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Replay(ctx, x.c.replayConfig(1, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestReplayGarbage has members sign nonsense: bodies cut, flipped and grown, in the place of other messages. Nothing panics, and what is
// not noticed changes nothing.
func TestReplayGarbage(t *testing.T) {
	for _, x := range tamperedRounds(t) {
		random := rand.New(rand.NewPCG(1, 2))
		cfg := x.c.replayConfig(x.round, x.member)
		noticed := 0
		for range 60 {
			s := newSpoiler(t, x.c, x.envelopes)
			for range 3 {
				k := random.IntN(len(s.list))
				e := *s.list[k]
				e.Body = append(bytes.Clone(e.Body[:random.IntN(len(e.Body)+1)]), make([]byte, random.IntN(3))...)
				if n := len(e.Body); n > 0 && random.IntN(2) == 0 {
					e.Body[random.IntN(n)] ^= byte(random.IntN(256))
				}
				if random.IntN(4) == 0 {
					e.Seq = random.Uint64() >> random.IntN(64)
				}
				if random.IntN(4) == 0 {
					e.Type = protocolOrder[random.IntN(len(protocolOrder))]
				}
				e.SignEnvelope(testKey(s.sender(k)))
				s.raws[k] = e.Encode()
			}
			cfg.Envelopes = s.raws
			if report := replayed(t, cfg); !report.OK {
				noticed++
			}
		}
		if noticed < 55 {
			t.Errorf("%v: only %d of 60 were noticed", x.types, noticed)
		}
	}
}
