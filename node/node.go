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
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
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
	epoch   *ledger.Epoch
	self    int
	peers   map[peer.ID]federation.MemberID
	members map[federation.MemberID]peer.ID

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
	n.log.Info(MsgReady, "member", n.id().String(), "genesis", n.epoch.Genesis.String(), "addresses", n.addresses(),
		"public_addresses", n.publicAddresses())
	return n, nil
}

// openDocuments reads the genesis and finds this node in it.
func (n *Node) openDocuments(context.Context) error {
	text, err := n.cfg.Home.Genesis()
	if err != nil {
		return err
	}
	if n.genesis, err = ledger.DecodeGenesis(text); err != nil {
		return fmt.Errorf("read the genesis of %q: %w", n.cfg.Home.Dir, err)
	}
	n.epoch = n.genesis.Epoch()
	if n.self = n.epoch.Index(n.id()); n.self < 0 {
		return fmt.Errorf("member %s is not in the genesis %s: give your card to who started the federation, and join the one that lists it", n.id(), n.epoch.Genesis)
	}
	n.peers, n.members = map[peer.ID]federation.MemberID{}, map[federation.MemberID]peer.ID{}
	for i, m := range n.epoch.Members {
		p, err := peer.Decode(m.Peer)
		if err != nil {
			return fmt.Errorf("genesis: peer id of %q: %w", m.Name, err)
		}
		if i != n.self {
			n.peers[p], n.members[m.ID] = m.ID, p
		}
	}
	return nil
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
	if n.wal, err = wal.Open(wal.Config{Path: path, Owner: slices.Concat(owner[:], n.epoch.Genesis.Bytes())}); err != nil {
		return err
	}
	if n.store, err = OpenStore(n.cfg.Home); err != nil {
		return err
	}
	n.index, err = openIndex(n.wal, n.epoch.Genesis)
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
	n.machine, err = federation.New(federation.Config{Genesis: n.genesis, Key: n.cfg.Home.Signing, Log: entries, Random: n.cfg.Random,
		Policy: federation.Policy{MinCohort: policy.MinCohort, Rounds: policy.Rounds}, SetupTrunk: trunk, SetupHead: head, Witness: n.cfg.Hooks.Witness,
		Archive: n.cfg.Home.Config.Transcripts.Keep > 0})
	if err != nil {
		return err
	}
	status := n.machine.Status()
	n.status.Store(&status)
	if n.index.setup != nil {
		n.noteElements(n.index.setup)
	}
	return nil
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
	if n.wal != nil {
		errs = append(errs, n.wal.Close())
	}
	return errors.Join(errs...)
}
