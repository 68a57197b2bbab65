package federation

import (
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// MemberID is the Ed25519 public key that checks what a member signs. Its libp2p host has another key.
type MemberID = ledger.MemberID

// An Event is something that happened to a member. The driver hands events to Machine.Step one at a time.
type Event interface{ event() }

// Tick tells the time, the only clock the machine has. Send one first, then every 50 to 500 ms.
type Tick struct{ Now time.Time }

// Received is an envelope that another member carried here, of whoever signed it.
type Received struct{ Envelope []byte }

// Reached says that a connection to a member was made or made again, and how many rounds it has finished (0 when unknown).
// The machine asks it for what may have been missed.
type Reached struct {
	Member   MemberID
	Finished uint64  // certified rounds: the newest has the number Finished-1
	Record   cid.Cid // of its newest certified round; undefined when unknown
}

// Rounds answers a FetchRounds: finished rounds, oldest first.
type Rounds struct {
	From   MemberID
	Rounds []Finished
}

// Finished is a certified round as documents.
type Finished = ledger.Finished

// Fetched answers a Fetch: the bytes of a file. The machine checks them against the CID.
type Fetched struct {
	CID  cid.Cid
	Data []byte
}

// SetupSummed answers CollectSetup.
type SetupSummed struct {
	Round uint64
	Sums  SetupSums
}

// SetupApplied answers ApplySetup: all tensors, with statistics and references put in.
type SetupApplied struct {
	Round   uint64
	Attempt uint64
	Weights *weights.Set
}

// Trained answers Train.
type Trained struct {
	Round  uint64
	Update Update
}

// Judged answers Judge, also when the round is over by then.
type Judged struct {
	Round   uint64
	Record  cid.Cid
	Errors  map[string]CanaryError // by key of the head; a head that is missing does not count
	Failure string                 // why there are none; the member votes as if there were no canary sets
}

// Failed answers CollectSetup, ApplySetup or Train when the Trainer returned an error. The member sits the round out.
type Failed struct {
	Round  uint64
	Reason string
}

// Approve is the owner's consent to a next epoch, as a document. It is kept until an epoch ends. Only one is consented to at a time: the newest
// replaces those before.
type Approve struct{ Epoch []byte }

func (Approve) event()      {}
func (Tick) event()         {}
func (Received) event()     {}
func (Reached) event()      {}
func (Rounds) event()       {}
func (Fetched) event()      {}
func (SetupSummed) event()  {}
func (SetupApplied) event() {}
func (Trained) event()      {}
func (Judged) event()       {}
func (Failed) event()       {}
