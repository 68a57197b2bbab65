package federation

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

func (c *cluster) delay() time.Duration {
	return time.Duration(1+c.random.IntN(30)) * time.Millisecond
}

// answer gives an event to a member after a while, if it is still the same life.
func (c *cluster) answer(n *node, after time.Duration, e Event) {
	life := n.life
	c.later(after, func() { c.step(n, life, e) })
}

func (c *cluster) carryOut(n *node, a Action) {
	switch a := a.(type) {
	case Persist:
		c.persist(n, a)
	case Broadcast:
		for _, to := range c.nodes {
			if to != n && n.members[to.id()] {
				c.send(n, to, a.Envelopes)
			}
		}
	case Send:
		c.send(n, c.byID(a.To), a.Envelopes)
	case FetchRounds:
		c.serveRounds(n, c.byID(a.From), a.First)
	case Fetch:
		c.fetch(n, n.life, a.CID)
	case Publish:
		for _, f := range a.Files {
			n.blocks[f.CID] = f.Data
		}
		c.audit.published(c, a)
	case Store:
		for _, f := range a.Files {
			n.blocks[f.CID] = f.Data
		}
	case Archive:
		if n.archives == nil {
			n.archives = map[uint64][][]byte{}
		}
		n.archives[a.Round] = a.Envelopes
	case CollectSetup:
		c.answer(n, 50*time.Millisecond, SetupSummed{a.Round, n.trainer.collect()})
	case ApplySetup:
		c.audit.totals(a)
		c.answer(n, 20*time.Millisecond, SetupApplied{a.Round, a.Attempt, n.trainer.apply(a.Weights, a.Totals)})
	case Train:
		u := n.train(a)
		if c.spoil != nil {
			c.spoil(a.Round, &u)
		}
		c.answer(n, 200*time.Millisecond+c.delay(), Trained{a.Round, u})
	case Members:
		c.admit(n, a)
	case Judge:
		c.tryCanaries(n, a)
	case Install:
		n.trainer.installed = a.Weights
		n.stream.merge(a)
	case TrainAhead:
		n.stream.move()
	case Progress:
		if a.Level == Alarm {
			c.audit.alarmed(fmt.Sprintf("M%d alarms in round %d: %s", n.index, a.Round, a.Text))
		}
		c.audit.logf("%8s M%d round %d: %s", c.now, n.index, a.Round, a.Text)
	case Halt:
		if n.index == c.cheat-1 || c.gang[n.index] {
			n.revive = 0
			c.kill(n) // it found its own lies
			return
		}
		n.halted = a.Reason
		c.audit.fail("M%d halts: %s", n.index, a.Reason)
	}
}

func (c *cluster) byID(id MemberID) *node {
	for _, n := range c.nodes {
		if n.id() == id {
			return n
		}
	}
	c.t.Fatalf("action names member %s, who does not exist", id)
	return nil
}

func (c *cluster) persist(n *node, p Persist) {
	for _, e := range p.Once {
		if was, ok := n.disk[string(e.Key)]; ok && !bytes.Equal(was, e.Value) {
			c.audit.fail("M%d breaks the promise under %q", n.index, e.Key)
		}
		n.disk[string(e.Key)] = bytes.Clone(e.Value)
	}
	for _, e := range p.Set {
		n.disk[string(e.Key)] = bytes.Clone(e.Value)
	}
	for _, key := range p.Delete {
		delete(n.disk, string(key))
	}
}

func (c *cluster) send(from, to *node, envelopes [][]byte) {
	for _, raw := range envelopes {
		c.audit.sent(from.index, raw)
		extra := time.Duration(0)
		if c.slow != nil {
			extra = c.slow(from.index, to.index, raw)
		}
		if extra < 0 {
			continue
		}
		arrives := [][]byte{raw}
		if c.alter != nil {
			arrives = c.alter(from.index, to.index, raw)
		}
		for _, raw := range arrives {
			c.later(c.delay()+extra, func() { // whoever is alive then gets it
				if to.admits[from.id()] {
					c.step(to, to.life, Received{raw})
				}
			})
		}
	}
}

func (c *cluster) serveRounds(n, from *node, first uint64) {
	c.later(c.delay(), func() {
		if from.machine == nil || !from.admits[n.id()] {
			return
		}
		e := Rounds{From: from.id()}
		for k := first; from.disk[string(RecordKey(k))] != nil; k++ {
			e.Rounds = append(e.Rounds, from.finished(k))
		}
		c.answer(n, c.delay(), e)
	})
}

// finished is a round on the disk.
func (n *node) finished(k uint64) Finished {
	return Finished{Record: n.disk[string(RecordKey(k))], Certificate: n.disk[string(CertificateKey(k))], Epoch: n.disk[string(EpochKey(k))]}
}

// fetch looks for a file at every living member until somebody has it.
func (c *cluster) fetch(n *node, life int, want cid.Cid) {
	if n.life != life {
		return
	}
	for _, other := range c.nodes {
		if data, ok := other.blocks[want]; ok && (other == n || other.machine != nil) {
			n.blocks[want] = data
			c.answer(n, c.delay(), Fetched{want, data})
			return
		}
	}
	c.later(100*time.Millisecond, func() { c.fetch(n, life, want) })
}

// file returns the weights with a CID, from whoever published them.
func (c *cluster) file(want cid.Cid) *weights.Set {
	c.t.Helper()
	for _, n := range c.nodes {
		if data, ok := n.blocks[want]; ok {
			set, err := decodeFile(want, data, maxFile)
			if err != nil {
				c.t.Fatal(err)
			}
			return set
		}
	}
	c.t.Fatalf("nobody published %s", want)
	return nil
}

// stream is a reproducible source of secret bytes.
type stream struct {
	seed  [32]byte
	count uint64
	rest  []byte
}

var _ io.Reader = (*stream)(nil)

func (s *stream) Read(b []byte) (int, error) {
	for k := range b {
		if len(s.rest) == 0 {
			s.count++
			h := sha256.Sum256(binary.BigEndian.AppendUint64(s.seed[:], s.count))
			s.rest = h[:]
		}
		b[k], s.rest = s.rest[0], s.rest[1:]
	}
	return len(b), nil
}
