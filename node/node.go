package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/rpc"
	"github.com/fedlam/fedlam/node/wal"
	"github.com/fedlam/fedlam/training/hardware"
	"github.com/libp2p/go-libp2p/core/host"
)

// ErrHalted says that the machine must not go on: members contradict each other, or the log contradicts them.
var ErrHalted = errors.New("the node has halted; nothing it has is lost, but a person must look at this before it may go on")

// incomingEnvelopes wait for the machine; more make their senders wait.
const incomingEnvelopes = 256

// Node is a running member. Make one with Start and end it with Close.
type Node struct {
	cfg     Config
	log     *slog.Logger
	genesis *ledger.Genesis
	hopes   *ledger.Epoch // with which this node is to become a member; nil for one that was listed from the start
	roster  atomic.Pointer[roster]
	joining []ledger.Member // with the next epoch; owned by the loop
	leaving []ledger.Member // left with the newest epoch; owned by the loop

	wal      *wal.Log
	store    *blocks.Store
	index    *index
	host     host.Host
	exchange *blocks.Exchange
	network  *rpc.Network
	public   *publicSide // nil when off
	local    *local.Server
	traffic  *p2p.Traffic

	machine *federation.Machine
	trainer Trainer
	place   *hardware.Place     // where it trains; nil if it was given
	stream  federation.Streamer // the trainer, with the rule fragments; nil without
	mail    *mailbox
	inbox   chan federation.Event // envelopes of others
	work    *work
	busy    sync.Map // what is being fetched
	closed  []bool   // by element: too few members have it; nil before the setup round. Owned by the loop

	status  atomic.Pointer[federation.Status]
	started time.Time
	stop    context.CancelCauseFunc
	done    chan struct{} // closed when the loop has ended
	wait    sync.WaitGroup
	err     error // why the loop ended; read after done
}

// Start opens the folder, reads the data, joins the network and begins to take part. The caller must Close the node; Done tells
// when it has ended by itself.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	n := &Node{cfg: cfg, log: cfg.Log, mail: newMailbox(), inbox: make(chan federation.Event, incomingEnvelopes), work: newWork(),
		done: make(chan struct{}), started: time.Now(), traffic: &p2p.Traffic{}}
	for _, step := range []func(context.Context) error{n.openDocuments, n.openLog, n.openTrainer, n.makeMachine, n.openNetwork} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, n.closeParts())
		}
	}
	if h := cfg.Hooks; h.Crash.set() || h.Pause.set() || h.Tap != nil || h.Witness != nil {
		n.log.Warn("test hooks are set in the environment (FEDLAM_...); never run like this with real data")
	}
	loopCtx, stop := context.WithCancelCause(context.Background())
	n.stop = stop
	n.wait.Go(func() { n.work.loop(loopCtx) })
	go func() {
		defer close(n.done)
		n.err = n.loop(loopCtx)
	}()
	n.log.Info(MsgReady, "member", n.id().String(), "genesis", n.genesis.CID().String(), "addresses", n.addresses(),
		"public_addresses", n.publicAddresses())
	return n, nil
}

// openDocuments reads the genesis, and the epoch with which this node is to join.
func (n *Node) openDocuments(context.Context) error {
	text, err := n.cfg.Home.Genesis()
	if err != nil {
		return err
	}
	if n.genesis, err = ledger.DecodeGenesis(text); err != nil {
		return fmt.Errorf("read the genesis of %q: %w", n.cfg.Home.Dir, err)
	}
	if text, err = n.cfg.Home.Epoch(); err != nil {
		return err
	}
	if text != nil {
		if n.hopes, err = ledger.DecodeEpoch(text); err != nil {
			return fmt.Errorf("read the epoch of %q: %w", n.cfg.Home.Dir, err)
		}
	}
	if n.genesis.Epoch().Index(n.id()) < 0 && (n.hopes == nil || n.hopes.Index(n.id()) < 0) {
		return fmt.Errorf("member %s is not in the genesis %s: give your card to who started the federation, or to a member who proposes an epoch with it, "+
			"and join with the document that lists it", n.id(), n.genesis.CID())
	}
	return nil
}

// takePlace holds this node to what an epoch says of it: its peer id, and its data's conventions.
func (n *Node) takePlace(e *ledger.Epoch) error {
	own, err := p2p.ID(n.cfg.Home.Identity.Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	var place *ledger.Member
	for _, list := range []*ledger.Epoch{e, n.hopes} { // the second counts while the first is not it yet
		if list == nil || place != nil && place.Peer == own.String() {
			continue
		}
		if i := list.Index(n.id()); i >= 0 {
			place = &list.Members[i]
		}
	}
	switch {
	case place == nil:
		return nil // it has left, and only looks on
	case place.Peer != own.String():
		return fmt.Errorf("identity.key belongs to peer %s, the list of members has %s: restore the key the card was made with", own, place.Peer)
	}
	return n.checkHeads(place)
}

func (n *Node) id() (id federation.MemberID) {
	copy(id[:], n.cfg.Home.Signing.Public().(ed25519.PublicKey))
	return id
}

// openLog opens the durable log, whose lock keeps a second process out of the folder, and the block store.
func (n *Node) openLog(ctx context.Context) error {
	path, err := n.cfg.Home.Data("log.db")
	if err != nil {
		return err
	}
	owner := n.id()
	if n.wal, err = wal.Open(wal.Config{Path: path, Owner: slices.Concat(owner[:], n.genesis.CID().Bytes())}); err != nil {
		return err
	}
	if n.store, err = OpenStore(n.cfg.Home); err != nil {
		return err
	}
	n.index, err = openIndex(n.wal, n.genesis.CID())
	return err
}

// makeMachine restores the protocol's state from the log.
func (n *Node) makeMachine(context.Context) error {
	var entries []federation.Entry
	err := n.wal.Each([]byte(federation.LogPrefix), func(key, value []byte) error {
		entries = append(entries, federation.Entry{Key: slices.Clone(key), Value: slices.Clone(value)})
		return nil
	})
	if err != nil {
		return err
	}
	policy := n.cfg.Home.Config.Policy
	trunk, head := n.trainer.Lengths()
	n.machine, err = federation.New(federation.Config{Genesis: n.genesis, Joining: n.hopes, Key: n.cfg.Home.Signing, Log: entries, Random: n.cfg.Random,
		Policy: federation.Policy{MinCohort: policy.MinCohort, Rounds: policy.Rounds}, SetupTrunk: trunk, SetupHead: head, Witness: n.cfg.Hooks.Witness,
		Archive: n.cfg.Home.Config.Transcripts.Keep > 0})
	if err != nil {
		return err
	}
	status := n.machine.Status()
	n.status.Store(&status)
	n.roster.Store(n.newRoster(status.Epoch, n.hoped(status.Epoch)...))
	n.noteElements()
	return n.takePlace(status.Epoch)
}

// Done is closed when the node has ended by itself or was stopped.
func (n *Node) Done() <-chan struct{} { return n.done }

// Stop begins a graceful stop and returns at once.
func (n *Node) Stop() { n.stop(context.Canceled) }

// Close stops the node, waits for everything it started, and returns why it ended if not because it was asked to.
func (n *Node) Close() error {
	n.Stop()
	<-n.done
	n.drain()
	err := errors.Join(n.err, n.closeParts())
	n.log.Info(MsgStopped)
	return err
}

// drain gives the others some time to take what is queued for them.
func (n *Node) drain() {
	deadline := time.NewTimer(n.cfg.Drain)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !n.network.Idle() {
		select {
		case <-look.C:
		case <-deadline.C:
			return
		}
	}
}

// closeParts closes what was opened, in the reverse order.
func (n *Node) closeParts() error {
	var errs []error
	if n.local != nil {
		errs = append(errs, n.local.Close())
	}
	if n.public != nil {
		errs = append(errs, n.public.Close())
	}
	if n.network != nil {
		errs = append(errs, n.network.Close())
	}
	if n.exchange != nil {
		errs = append(errs, n.exchange.Close())
	}
	if n.host != nil {
		errs = append(errs, n.host.Close())
	}
	n.wait.Wait()
	errs = append(errs, n.closePlace())
	if n.wal != nil {
		errs = append(errs, n.wal.Close())
	}
	return errors.Join(errs...)
}
