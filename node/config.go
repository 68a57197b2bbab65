package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/silo"
)

// A Trainer is the local work of a member: what the federation asks for, and what only its owner sees. *silo.Silo is one.
// The node calls one method at a time.
type Trainer interface {
	federation.Trainer
	// Lengths returns how many numbers the trunk and each head have in SetupSums.
	Lengths() (trunk, head int)
	// Heads lists the heads that are trained.
	Heads() []silo.Head
	// CloseRows says which elements of the model too few members have: Install then keeps the own rows of those.
	CloseRows(closed []bool)
	// Validate evaluates the installed weights on the held-back frames.
	Validate(ctx context.Context) (silo.Results, error)
	// Save keeps the local state in a folder, completely or not at all.
	Save(folder string) error
}

var _ Trainer = (*silo.Silo)(nil)

// Config describes a Node.
type Config struct {
	// Home is the opened folder; it must hold a genesis.
	Home *home.Home
	// Trainer does the local work; nil means the data that node.toml names.
	Trainer Trainer
	// Log takes what happens, in plain words; nil means silence. Messages that programs may rely on are the constants
	// Msg...
	Log *slog.Logger
	// Random gives secret bytes; nil means the operating system's generator.
	Random io.Reader
	// Tick is the time between two ticks of the machine; default 100 ms.
	Tick time.Duration
	// Drain is how long a stopping node waits for others to take what is queued; default 3 s.
	Drain time.Duration
	// Software is told to the other members.
	Software string
	// Hooks are for tests of faults.
	Hooks Hooks
}

func (c *Config) validate() error {
	if c.Home == nil {
		return errors.New("node: Home is needed")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tick <= 0 {
		c.Tick = 100 * time.Millisecond
	}
	if c.Drain <= 0 {
		c.Drain = 3 * time.Second
	}
	return nil
}

// Messages of the log that programs may rely on, with their attributes.
const (
	MsgReady     = "ready"            // addresses, public_addresses, member, genesis
	MsgCertified = "round certified"  // round, kind, record, weights, members
	MsgResults   = "validation"       // round, head, name, energy_rmse (eV/atom), force_rmse (eV/Å)
	MsgDone      = "work is done"     // rounds
	MsgStopped   = "stopped"          //
	MsgCrash     = "test hook: crash" // step, round

	MsgNoTranscript = "the transcript of a round is not kept" // round, error
)
