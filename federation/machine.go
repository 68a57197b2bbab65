package federation

import (
	"crypto/ed25519"
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// A Machine is one member's part in the federation. It is not safe for concurrent use.
type Machine struct {
	cfg   Config
	epoch *ledger.Epoch
	self  int
}

// New makes a machine, or restores one from its log. Call Step with a Tick next.
func New(cfg Config) (*Machine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m := &Machine{cfg: cfg, epoch: cfg.Genesis.Epoch()}
	var id MemberID
	copy(id[:], cfg.Key.Public().(ed25519.PublicKey))
	if m.self = m.epoch.Index(id); m.self < 0 {
		return nil, fmt.Errorf("federation: member %s is not in the genesis %s: ask who started the federation", id, cfg.Genesis.CID())
	}
	return m, nil
}

// Step takes one event and returns what to do about it, in order.
func (m *Machine) Step(e Event) []Action { return nil }

// Status tells where the member stands.
func (m *Machine) Status() Status { return Status{} }

// Status is a snapshot for people and for greetings.
type Status struct {
	Finished    uint64  // certified rounds; the newest has the number Finished-1
	Record      cid.Cid // of the newest certified round; undefined while there is none
	Certificate cid.Cid
	Weights     cid.Cid // certified weights; those of the genesis while there is none
	Attempt     uint64
	Activity    string // what the member is doing, in a few words
	Done        bool   // Policy.Rounds are certified
}
