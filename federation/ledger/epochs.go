package ledger

import (
	"bytes"
	"errors"
	"fmt"
)

// Epochs of a chain. A round of kind Change names the next epoch and is certified by the one in force; records and certificates
// after it are of the next one.

// Ripe says whether the epoch has lasted long enough for the next round to end it.
func (c *Chain) Ripe() bool { return c.Len() >= c.RipeAt() }

// RipeAt is the number of the first round that may end the epoch.
func (c *Chain) RipeAt() uint64 { return c.firsts[c.Epoch.K] + MinEpochRounds }

// EpochOf returns the epoch that certifies a round.
func (c *Chain) EpochOf(round uint64) *Epoch {
	for k := len(c.firsts) - 1; k > 0; k-- {
		if c.firsts[k] <= round {
			return c.epochs[k]
		}
	}
	return c.epochs[0]
}

// Epochs returns all epochs so far, by number; not to be changed.
func (c *Chain) Epochs() []*Epoch { return c.epochs }

// CheckEpoch says whether next may follow the epoch in force, as soon as that is Ripe. Errors wrap ErrChange.
func (c *Chain) CheckEpoch(next *Epoch) error {
	if err := c.Epoch.CheckNext(next); err != nil {
		return err
	}
	for _, m := range next.Members {
		if c.retired[m.ID] {
			return fmt.Errorf("%w: the key %s of %q was given up in an earlier epoch: make a new one", ErrChange, m.ID, m.Name)
		}
	}
	return nil
}

// checkChange holds a record that ends the epoch to its one form.
func (c *Chain) checkChange(r *Round) error {
	if !c.Ripe() {
		return fmt.Errorf("it ends epoch %d, which lasts until round %d at least", c.Epoch.K, c.RipeAt())
	}
	if !bytes.Equal(r.Encode(), c.NextEpoch(r.Next).Encode()) {
		return errors.New("it ends the epoch and changes something else, too")
	}
	return nil
}

// readNext reads the document that r names, nil when it names none.
func (c *Chain) readNext(r *Round, document []byte) (*Epoch, error) {
	if r.Kind != Change {
		if len(document) > 0 {
			return nil, fmt.Errorf("round %d ends no epoch and comes with the document of one", r.R)
		}
		return nil, nil
	}
	if got := CIDOf(document); !got.Equals(r.Next) {
		return nil, fmt.Errorf("the document of the next epoch has CID %s, the record names %s", got, r.Next)
	}
	next, err := DecodeEpoch(document)
	if err == nil {
		err = c.CheckEpoch(next)
	}
	return next, err
}

// enter makes next the epoch in force.
func (c *Chain) enter(next *Epoch) {
	for _, m := range next.Left(c.Epoch) {
		if c.counted[m.ID] {
			delete(c.counted, m.ID)
			c.gone++
		}
	}
	for _, r := range next.Rotated {
		if r.Old == r.New {
			continue
		}
		c.retired[r.Old] = true
		if c.counted[r.Old] {
			delete(c.counted, r.Old)
			c.counted[r.New] = true
		}
	}
	c.Epoch, c.epochCID = next, next.CID()
	c.epochs, c.firsts = append(c.epochs, next), append(c.firsts, c.Len())
}

// Elements returns how many members have each element at least, nil before the setup round: those that were counted then, less
// everybody who was in that count and has left, for nobody knows which elements they had. Who joined later is not counted.
func (c *Chain) Elements() []uint64 {
	if c.setup == nil {
		return nil
	}
	out := make([]uint64, len(c.setup.Elements))
	for i, n := range c.setup.Elements {
		out[i] = n - min(n, c.gone)
	}
	return out
}

// epochError marks errors of the document of an epoch.
type epochError struct{ error }

func (e *epochError) Unwrap() error { return e.error }
