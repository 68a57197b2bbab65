package federation

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"github.com/fedlam/fedlam/federation/ledger"
)

// Config is what a Machine is made from.
type Config struct {
	// Genesis names members, heads, model and rules.
	Genesis *ledger.Genesis
	// Key signs what the member says; its public half is in the genesis, in a later epoch, or in Joining.
	Key ed25519.PrivateKey
	// Log are the entries under LogPrefix that were persisted before, in any order; empty at the first start.
	Log []Entry
	// Joining is the epoch with which a node becomes a member that is none yet; nil for members. Until it is certified the node follows
	// the rounds of the others.
	Joining *ledger.Epoch
	// Random gives fresh secret bytes for masks and rounding; crypto/rand.Reader, or a seeded stream in a test.
	Random io.Reader
	// Policy is what the owner demands whatever the federation's rules say.
	Policy Policy
	// Witness, when set, is shown what this member adds to every sum, before it is masked. These are private numbers: it is for
	// tests and simulations that hold all members in one hand and check sums bit by bit.
	Witness func(Contribution)
	// Archive asks for an Archive action with the messages of every round that ends. Without it the machine forgets them.
	Archive bool
	// SetupTrunk is how many numbers a member's environment statistics have, and SetupHead how many its normal equations
	// for one head. They follow from the model and are the same at every member.
	SetupTrunk, SetupHead int
}

// Contribution is one member's part in one sum. Lanes must not be kept beyond the call.
type Contribution struct {
	Round, Attempt uint64
	Group          string
	Cohort         int // which of the session's cohorts it is summed in; 0 when there is one sum over all
	Session        [32]byte
	Bits           int // of the ring: lanes are summed modulo 2^Bits
	Lanes          []uint32
}

// Policy is the owner's.
type Policy struct {
	// MinCohort is the smallest number of members in a sum over the trunk that this member contributes to; default 5.
	MinCohort int
	// Rounds ends the member's work after that many certified rounds, setup included; 0 means never. The machine goes on answering
	// others.
	Rounds uint64
	// Audits is how many chunks of a sum this member adds up itself before it votes, of those for which it would have to trust others
	// (Rules.Owners); default 1. Each costs a download of the chunk of every member in the sum.
	Audits int
}

func (c *Config) validate() error {
	if c.Genesis == nil || c.Random == nil {
		return errors.New("federation: Genesis and Random are needed")
	}
	if err := c.Genesis.Validate(); err != nil {
		return fmt.Errorf("federation: %w", err)
	}
	if len(c.Key) != ed25519.PrivateKeySize {
		return errors.New("federation: Key is not an Ed25519 private key")
	}
	if c.SetupTrunk < 1 || c.SetupHead < 1 {
		return errors.New("federation: SetupTrunk and SetupHead must be the lengths of the setup sums")
	}
	if c.Policy.MinCohort == 0 {
		c.Policy.MinCohort = 5
	}
	if c.Policy.Audits == 0 {
		c.Policy.Audits = 1
	}
	if c.Policy.Audits < 0 {
		return fmt.Errorf("federation: the policy wants %d audits, want 1 or more", c.Policy.Audits)
	}
	if c.Policy.MinCohort < 2 {
		return fmt.Errorf("federation: the policy's minimum cohort is %d, want at least 2", c.Policy.MinCohort)
	}
	return nil
}
