package federation

import (
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// An Action is something the driver has to do. Actions of one Step are carried out in order.
type Action interface{ action() }

// Persist makes log entries durable. Nothing after it may be carried out before it is on the disk; if that fails the
// driver must stop, and start again from what is there.
type Persist struct {
	Once   []Entry  // promises: if the key is there with another value the node must stop
	Set    []Entry  // states
	Delete [][]byte // keys that are of no use any more
}

// Entry is a key and its value. Keys of this package begin with LogPrefix.
type Entry struct{ Key, Value []byte }

// LogPrefix begins every key that the machine persists. The driver passes all entries under it to New after a restart.
const LogPrefix = "fed/"

// RecordKey is the log key of the record of a certified round, CertificateKey that of its certificate: what a driver
// answers FetchRounds of others and readers from.
func RecordKey(round uint64) []byte { return fmt.Appendf(nil, LogPrefix+"record/%012d", round) }

// CertificateKey is explained at RecordKey.
func CertificateKey(round uint64) []byte {
	return fmt.Appendf(nil, LogPrefix+"certificate/%012d", round)
}

// EpochKey is the log key of the document that an epoch round names; there is none for other rounds.
func EpochKey(round uint64) []byte { return fmt.Appendf(nil, LogPrefix+"epoch/%012d", round) }

// Broadcast sends envelopes to every other member, in order, and keeps trying while they are away. They are of no use after
// Round is certified.
type Broadcast struct {
	Round     uint64
	Envelopes [][]byte
}

// Send is Broadcast to one member.
type Send struct {
	To        MemberID
	Round     uint64
	Envelopes [][]byte
}

// FetchRounds asks a member for finished rounds with the number First and above; the answer is Rounds. When there is none, the
// machine asks again.
type FetchRounds struct {
	From  MemberID
	First uint64
}

// Fetch gets a public file by CID, from the own block store or from any member; the answer is Fetched. The driver keeps
// trying until it has it.
type Fetch struct {
	CID   cid.Cid
	Limit int64 // bytes; no certified file of this federation is larger
}

// Publish puts the artefacts of a certified round into the public block store, durably: files as UnixFS, documents as
// DAG-CBOR blocks. It comes before the Persist that makes the round the newest.
type Publish struct {
	Round       uint64
	Record      []byte
	Certificate []byte
	Epoch       []byte // the document that an epoch round names; otherwise empty
	Files       []File
}

// File is the content of a public file and its UnixFS root.
type File struct {
	CID  cid.Cid
	Data []byte
}

// Store puts the files of a record that this member is about to commit to into the public block store, durably, so that what a
// certificate may name is not lost when all members stop at once. Nothing after it may be carried out before. It may be
// that the record is never certified.
type Store struct {
	Round uint64
	Files []File
}

// CollectSetup asks the Trainer for its sums; the answer is SetupSummed.
type CollectSetup struct{ Round uint64 }

// ApplySetup asks the Trainer to put sums over all members into the weights; the answer is SetupApplied. It must give the
// same bits at every member.
type ApplySetup struct {
	Round   uint64
	Attempt uint64
	Weights *weights.Set
	Totals  SetupTotals
}

// Train asks the Trainer for local steps from certified weights; the answer is Trained. A Train of a later round
// replaces one that is still running. With the rule fragments it is Streamer.Continue that is asked for.
type Train struct {
	Round   uint64
	Weights *weights.Set // shared with the machine: to be read only
	Steps   int
}

// TrainAhead asks the Streamer to go on training while the round's sums are made. It has no answer. An Install stops it; the steps that it
// did count for the next Train.
type TrainAhead struct{ Steps int }

// Judge asks the Trainer how well weights do on the canary sets of the genesis; the answer is Judged. A Train of
// that round that is still running is of no use any more.
type Judge struct {
	Round   uint64
	Record  cid.Cid      // that names the weights
	Weights *weights.Set // shared with the machine: to be read only
}

// Install hands over newly certified weights, also after a void round.
type Install struct {
	Round   uint64 // that was certified
	Record  *ledger.Round
	Weights *weights.Set // to be read only
	// Taken are, with the rule fragments, the stretches of tensors in which these weights contain what the last Trained held.
	Taken []Slice
}

// Members says who the members are from now on: at the start, when an epoch begins, and when a quorum approves of a next one. Envelopes
// go to the members of the epoch; those who are to join with the next may fetch finished rounds and public files and nothing else.
type Members struct {
	Epoch   *ledger.Epoch
	Joining []ledger.Member // with their new keys, also those who rotate them
}

// Progress tells the operator what happens, in plain words.
type Progress struct {
	Level   Level
	Round   uint64
	Text    string
	Details map[string]string
}

// Level is how much a Progress matters.
type Level int

// Levels of Progress.
const (
	Debug   Level = iota // for who studies the protocol
	Info                 // steps and results
	Warning              // the owner should know
	Alarm                // somebody deviates, or the node cannot go on
)

// Halt says that the node must stop and show its owner why: two certificates for one round, or a durable log that
// contradicts them. Every later Step returns nothing.
type Halt struct{ Reason string }

func (Persist) action()      {}
func (Broadcast) action()    {}
func (Send) action()         {}
func (FetchRounds) action()  {}
func (Fetch) action()        {}
func (Publish) action()      {}
func (Store) action()        {}
func (CollectSetup) action() {}
func (ApplySetup) action()   {}
func (Train) action()        {}
func (TrainAhead) action()   {}
func (Judge) action()        {}
func (Install) action()      {}
func (Members) action()      {}
func (Progress) action()     {}
func (Halt) action()         {}
