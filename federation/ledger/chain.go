package ledger

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
)

// Finished is a certified round as documents.
type Finished struct {
	Record, Certificate []byte
	Epoch               []byte // the document that an epoch round names; otherwise empty
}

// A Chain follows certified rounds from the genesis on and accepts only what continues it.
type Chain struct {
	Genesis *Genesis
	Epoch   *Epoch // of the next round

	genesisCID, epochCID cid.Cid
	epochs               []*Epoch          // all of them, by K
	firsts               []uint64          // the first round of each
	retired              map[MemberID]bool // keys that members have given up
	counted              map[MemberID]bool // who is in the count of Elements and still a member
	gone                 uint64            // members in that count that have left
	last                 *Round            // nil before round 0
	lastCID              cid.Cid
	setup                *Round // the setup round, once there is one
	trained              uint64 // certified training rounds
}

// NewChain starts at a genesis.
func NewChain(g *Genesis) *Chain {
	e := g.Epoch()
	return &Chain{Genesis: g, Epoch: e, genesisCID: e.Genesis, epochCID: e.CID(), epochs: []*Epoch{e}, firsts: []uint64{0},
		retired: map[MemberID]bool{}, counted: map[MemberID]bool{}}
}

// NoState is the CID of the empty file: what stands for the outer optimizer's state before the setup round.
func NoState() cid.Cid { return FileCID(nil) }

// Len is the number of certified rounds, which is also the number of the next one.
func (c *Chain) Len() uint64 {
	if c.last == nil {
		return 0
	}
	return c.last.R + 1
}

// Last returns the newest record, nil before round 0; LastCID its CID, undefined before.
func (c *Chain) Last() *Round { return c.last }

// LastCID is explained at Last.
func (c *Chain) LastCID() cid.Cid { return c.lastCID }

// SetupRound returns the record of the setup round, nil until it is certified.
func (c *Chain) SetupRound() *Round { return c.setup }

// Trained is the number of certified training rounds. Void rounds do not count.
func (c *Chain) Trained() uint64 { return c.trained }

// Weights returns the CID of the newest certified weights; those of the genesis at first.
func (c *Chain) Weights() cid.Cid {
	if c.last == nil {
		return c.Genesis.Weights
	}
	return c.last.WeightsOut
}

// State returns the CID of the outer optimizer's state.
func (c *Chain) State() cid.Cid {
	if c.last == nil {
		return NoState()
	}
	return c.last.StateOut
}

// Next returns the fields of the next record that follow from the chain, and the kind it has unless it is void.
func (c *Chain) Next() *Round {
	r := &Round{Epoch: c.epochCID, Genesis: c.genesisCID, R: c.Len(), Kind: Train, Prev: c.lastCID,
		WeightsIn: c.Weights(), Config: c.Genesis.Config}
	if c.setup == nil {
		r.Kind = Setup
	}
	return r
}

// NextVoid returns the one void record of the next round.
func (c *Chain) NextVoid() *Round {
	r := c.Next()
	r.Kind, r.WeightsOut, r.StateOut = Void, r.WeightsIn, c.State()
	return r
}

// NextEpoch returns the one record of the next round that ends the epoch in favour of next.
func (c *Chain) NextEpoch(next cid.Cid) *Round {
	r := c.NextVoid()
	r.Kind, r.Next = Change, next
	return r
}

// Check says whether r can be the next record, certificates and the document of a next epoch apart.
func (c *Chain) Check(r *Round) error {
	want := c.Next()
	switch {
	case r.R != want.R:
		return fmt.Errorf("it is of round %d, want %d", r.R, want.R)
	case !r.Genesis.Equals(want.Genesis) || !r.Epoch.Equals(want.Epoch):
		return fmt.Errorf("it belongs to genesis %s and epoch %s, want %s and %s", r.Genesis, r.Epoch, want.Genesis, want.Epoch)
	case !r.Prev.Equals(want.Prev):
		return fmt.Errorf("it follows record %s, want %s", r.Prev, want.Prev)
	case !r.WeightsIn.Equals(want.WeightsIn):
		return fmt.Errorf("it starts from weights %s, want %s", r.WeightsIn, want.WeightsIn)
	case !r.Config.Equals(want.Config):
		return fmt.Errorf("its model configuration is %s, want %s", r.Config, want.Config)
	case r.Kind == Void:
		if !bytes.Equal(r.Encode(), c.NextVoid().Encode()) {
			return errors.New("it is void and yet changes something")
		}
		return nil
	case r.Kind == Change:
		return c.checkChange(r)
	case r.Kind != want.Kind:
		return fmt.Errorf("it is a %s round where a %s round is due", r.Kind, want.Kind)
	case r.Kind == Setup && len(r.Elements) != len(c.Genesis.Elements):
		return fmt.Errorf("it counts %d elements of %d", len(r.Elements), len(c.Genesis.Elements))
	}
	return c.checkGroups(r)
}

// checkGroups holds the sums to the minimum sizes, so that a reader sees that nothing smaller was opened.
func (c *Chain) checkGroups(r *Round) error {
	for i := range r.Groups {
		g := &r.Groups[i]
		least := max(c.Epoch.Quorum(), c.Epoch.Rules.MinCohort)
		may := make([]bool, len(c.Epoch.Members))
		if i == 0 {
			for k := range may {
				may[k] = true
			}
		} else {
			members, known := c.groupMembers(g.Name)
			if !known {
				return fmt.Errorf("the sum %.120q is of a head that is not shared", g.Name)
			}
			least = c.Epoch.Rules.MinGroup
			for _, k := range members {
				may[k] = true
			}
		}
		if len(g.Survivors) < least {
			return fmt.Errorf("the sum %q is over %d members, want at least %d", g.Name, len(g.Survivors), least)
		}
		for _, s := range g.Survivors {
			if s >= uint64(len(may)) || !may[s] {
				return fmt.Errorf("the sum %q is over member %d, who has no part in it", g.Name, s)
			}
		}
	}
	return nil
}

func (c *Chain) groupMembers(name string) (members []int, known bool) {
	for _, key := range c.Epoch.Shared() {
		if HeadGroup(key) == name {
			return c.Epoch.HeadMembers(key), true
		}
	}
	return nil, false
}

// Append checks a certified round completely and makes it the newest. Nothing changes when it is refused.
func (c *Chain) Append(f Finished) (*Round, *Certificate, error) {
	cert, err := DecodeCertificate(f.Certificate)
	if err != nil {
		return nil, nil, &certificateError{err}
	}
	if err := cert.Verify(c.Epoch); err != nil {
		return nil, nil, &certificateError{err}
	}
	r, err := DecodeRound(f.Record)
	if err != nil {
		return nil, nil, err
	}
	if got := CIDOf(f.Record); !got.Equals(cert.Record) {
		return nil, nil, fmt.Errorf("the record has CID %s, the certificate vouches for %s", got, cert.Record)
	}
	if err := c.Check(r); err != nil {
		return nil, nil, fmt.Errorf("record of round %d: %w", r.R, err)
	}
	next, err := c.readNext(r, f.Epoch)
	if err != nil {
		return nil, nil, &epochError{err}
	}
	c.last, c.lastCID = r, cert.Record
	switch r.Kind {
	case Setup:
		c.setup = r
		for _, s := range r.Groups[0].Survivors {
			c.counted[c.Epoch.Members[s].ID] = true
		}
	case Train:
		c.trained++
	}
	if next != nil {
		c.enter(next)
	}
	return r, cert, nil
}

// certificateError marks errors of the certificate rather than of the record.
type certificateError struct{ error }

func (e *certificateError) Unwrap() error { return e.error }
