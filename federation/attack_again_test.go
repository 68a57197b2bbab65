package federation

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// Attacks that have a member mask or open twice: once more in a second attempt at the round, after a restart, or as a copy of itself.

// lanesAt reads the lanes of a chunk of 32 bits.
func lanesAt(data []byte) []uint32 {
	out := make([]uint32, len(data)/4)
	for k := range out {
		out[k] = binary.LittleEndian.Uint32(data[4*k:])
	}
	return out
}

// minus is the difference of two sums or masked inputs.
func minus(a, b []uint32) []uint32 {
	out := slices.Clone(a)
	for k := range out {
		out[k] -= b[k]
	}
	return out
}

// near says whether lanes differ by no more than rounding.
func near(a, b []uint32, steps int32) bool {
	return !slices.ContainsFunc(minus(a, b), func(d uint32) bool { return int32(d) > steps || int32(d) < -steps })
}

// TestRoundIsConsumed has a relay that keeps all opened shares of the trunk to itself, so that nobody gets the sum, and then cuts one member off. One
// member is restarted before it opens anything, and a liar, who coordinates the second attempt, does as if it had not: two that are ready for another attempt are
// more than can be dishonest, so that others would follow. Whoever has opened shares in the round does not. The control are members that do not remember that they
// have: the relay opens two sums, and their difference is the update of the member that is cut off, but for the rounding of the others.
func TestRoundIsConsumed(t *testing.T) {
	for _, checked := range []bool{true, false} {
		c := afterSetup(t, 5).fork(t, 2, 1)
		c.audit.alarms = []string{}
		for _, n := range c.nodes {
			c.start(n)
		}
		c.settle(100 * time.Millisecond)
		liar := c.leads(1)
		c.cheat = liar + 1
		restarted, victim := (liar+1)%5, (liar+2)%5
		kept := map[uint64]map[MemberID]*ledger.Envelope{} // by attempt
		c.slow = func(from, _ int, raw []byte) time.Duration {
			e, err := ledger.DecodeEnvelope(raw)
			if err != nil || e.Round != 1 || e.Type != typeUnmask {
				if from == victim && len(kept) > 0 {
					return -1
				}
				return 0
			}
			if kept[e.Attempt] == nil {
				kept[e.Attempt] = map[MemberID]*ledger.Envelope{}
			}
			kept[e.Attempt][e.From] = e
			return -1
		}
		c.doom = func(n *node, a Action) bool {
			if m := n.machine; m.r != nil && m.r.number == 1 && n.index != victim && (n.index == liar || !checked) {
				m.r.consumed, m.r.vain = false, time.Time{}
			}
			p, writes := a.(Persist)
			if n.index == restarted && n.life == 1 && writes && len(p.Once) > 0 && string(p.Once[0].Key) == releaseKey {
				n.revive = 50 * time.Millisecond
				return true
			}
			return false
		}
		var sums [][]uint32
		var sessions [][32]byte
		for range 80 {
			if c.settle(250 * time.Millisecond); len(sums) == 2 || c.nodes[liar].machine == nil || c.nodes[liar].machine.chain.Len() > 1 {
				break
			}
			if m := c.nodes[liar].machine; len(kept[0]) == 4 && m.r.attempt == 0 {
				m.moveTo(1)
			}
			for attempt := range uint64(6) {
				if lanes, session := c.relayOpens(kept[attempt], attempt); lanes != nil && !slices.Contains(sessions, session) {
					sums, sessions = append(sums, lanes), append(sessions, session)
				}
			}
		}
		if checked {
			if len(sums) != 1 {
				t.Errorf("the relay has %d sums of one round, want 1", len(sums))
			}
			continue
		}
		if len(sums) < 2 {
			t.Fatalf("control: the relay has %d sums\n%s", len(sums), strings.Join(c.audit.story, "\n"))
		}
		own := c.audit.lanes[sessions[0]][victim][0].Lanes
		if got := minus(sums[0], sums[1]); !near(got, own, 8) || near(own, make([]uint32, len(own)), 1000) {
			t.Errorf("control: two sums differ by %d, and the victim's update is %d", got[:4], own[:4])
		}
	}
}

// relayOpens opens the trunk of an attempt with the shares that a relay has kept, if they suffice.
func (c *cluster) relayOpens(unmasks map[MemberID]*ledger.Envelope, attempt uint64) (lanes []uint32, session [32]byte) {
	for _, n := range c.nodes {
		m := n.machine
		if m == nil || m.r == nil || m.r.number != 1 || m.r.attempts[attempt] == nil || len(m.r.attempts[attempt].sessions) == 0 {
			continue
		}
		a := m.r.attempts[attempt]
		s := *a.sessions[0]
		if m.agreement(a) == nil {
			continue
		}
		s.statements, s.unmasks, s.opened, s.sum, s.tried = a.sessions[0].statements, map[int]secagg.Unmask{}, nil, nil, 0
		for id, e := range unmasks {
			v, err := secagg.DecodeUnmask(e.Body)
			if err != nil {
				c.t.Fatal(err)
			}
			s.unmasks[slices.Index(s.members, m.epoch.Index(id))] = v
		}
		if x, err := m.open(&s); x != nil && err == nil {
			return x.lanes, s.public.ID
		}
	}
	return nil, session
}

// TestMaskingAgain kills a member when its masked input is out, and starts it again with another update, from its log or as a copy of what it was
// before the round. Everything that it sends of the trunk is compared: where two masked inputs differ by what the updates differ, masks were used twice. A
// copy is kept from hearing what was said in its name, which would have it halt.
func TestMaskingAgain(t *testing.T) {
	for _, tt := range []struct {
		name     string
		copied   bool // nothing is left of what it wrote down in the round
		repeated bool // its generator begins as before
		reveals  bool
	}{
		{"restarted", false, false, false},
		{"restarted, a generator that repeats itself", false, true, false},
		{"a copy", true, false, false},
		{"control: a copy, with a copy of the generator", true, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) { maskAgain(t, tt.copied, tt.repeated, tt.reveals) })
	}
}

// wiretap keeps what a member has sent of the trunk, by session.
type wiretap map[[32]byte][][]uint32

func (w wiretap) hears(t *testing.T, body []byte) {
	chunk, err := secagg.DecodeChunk(body)
	if err != nil {
		t.Fatal(err)
	}
	lanes := lanesAt(chunk.Data)
	if !slices.ContainsFunc(w[chunk.Session], func(was []uint32) bool { return slices.Equal(was, lanes) }) {
		w[chunk.Session] = append(w[chunk.Session], lanes)
	}
}

// masksTwice looks for two masked inputs of a member that differ as its updates do.
func (w wiretap) masksTwice(c *cluster, member int) bool {
	var inputs, updates [][]uint32
	for session, list := range w {
		inputs = append(inputs, list...)
		for _, x := range c.audit.lanes[session][member] {
			updates = append(updates, x.Lanes)
		}
	}
	for i, a := range inputs {
		for _, b := range inputs[:i] {
			for _, x := range updates {
				for _, y := range updates {
					if !near(x, y, 1000) && slices.Equal(minus(a, b), minus(x, y)) {
						return true
					}
				}
			}
		}
	}
	return false
}

func maskAgain(t *testing.T, copied, repeated, reveals bool) {
	const victim = 2
	c := afterSetup(t, 4).fork(t, 2, 1)
	if c.audit.alarms = []string{}; copied {
		c.cheat = victim + 1
	}
	if repeated {
		c.draws = func(n *node) io.Reader {
			return &stream{seed: sha256.Sum256(fmt.Appendf(nil, "generator of %d", n.index))}
		}
	}
	v := c.nodes[victim]
	was := maps.Clone(v.disk)
	c.spoil = func(_ uint64, u *Update) {
		for _, numbers := range u.Tensors {
			for k := range numbers {
				numbers[k] *= float32(1 + v.life)
			}
		}
	}
	sent := wiretap{}
	c.slow = func(from, _ int, raw []byte) time.Duration {
		if e, err := ledger.DecodeEnvelope(raw); err == nil && from == victim && e.From == v.id() && e.Type == typeChunk && e.Seq>>32 == 0 {
			sent.hears(t, e.Body)
		}
		return 0
	}
	c.doom = func(n *node, _ Action) bool {
		if n != v || n.life > 1 || len(sent) == 0 {
			return false
		}
		if n.revive = 50 * time.Millisecond; copied {
			n.disk = was
		}
		return true
	}
	ahead := []string{typeSurvivors, typeFinal, typeStateHead, typeStatement} // the others wait
	c.alter = func(_, to int, raw []byte) [][]byte {
		if e, err := ledger.DecodeEnvelope(raw); err == nil && (copied && to == victim && e.From == v.id() || slices.Contains(ahead, e.Type)) {
			return nil
		}
		return [][]byte{raw}
	}
	for _, n := range c.nodes {
		c.start(n)
	}
	c.settle(12 * time.Second)
	inputs := 0
	for _, list := range sent {
		inputs += len(list)
	}
	if v.life != 2 || inputs < 2 && !(copied && !repeated) {
		t.Fatalf("life %d, %d masked inputs: the attack was not carried out", v.life, inputs)
	}
	if got := sent.masksTwice(c, victim); got != reveals {
		t.Errorf("%d masked inputs, two of which differ as the updates do: %v, want %v", inputs, got, reveals)
	}
	if !copied && (len(c.audit.faults) > 0 || v.machine == nil) {
		t.Errorf("the restarted member does not keep its promises: %q", c.audit.faults)
	}
	proven := strings.Contains(strings.Join(c.audit.story, "\n"), "M2 said two different things in one place")
	if proven != copied {
		t.Errorf("the others have proof that the member is there twice: %v, want %v", proven, copied)
	}
}
