package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/rpc"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
)

type peerID = peer.ID

// openNetwork starts the hosts and the services on them.
func (n *Node) openNetwork(context.Context) error {
	cfg := n.cfg.Home.Config
	var err error
	n.host, err = p2p.New(p2p.Config{Key: n.cfg.Home.Identity, Listen: cfg.Listen, Traffic: n.traffic, Tap: n.cfg.Hooks.Tap, Options: n.cfg.Hooks.Host,
		Relay: cfg.Network.Relay, NAT: cfg.Network.NAT, Members: slices.Collect(maps.Keys(n.roster.Load().others)),
		Member: func(p peer.ID) bool { _, ok := n.roster.Load().admitted[p]; return ok }})
	if err != nil {
		return fmt.Errorf("%w (listen in node.toml)", err)
	}
	n.exchange = blocks.NewExchange(n.host, blocks.ExchangeConfig{Store: n.store})
	// The epoch is that of the status, which Head tells of, too; the roster changes a moment before.
	n.network, err = rpc.New(rpc.Config{Host: n.host, Genesis: n.genesis.CID().Bytes(), Epoch: func() []byte { return n.status.Load().Epoch.CID().Bytes() },
		Members: n.roster.Load().others, Handler: (*handler)(n), Software: n.cfg.Software})
	if err != nil {
		return err
	}
	if cfg.Public.Enabled {
		if n.public, err = openPublic(n.cfg.Home, n.store, n.index); err != nil {
			return fmt.Errorf("%w (public.listen in node.toml)", err)
		}
	}
	if n.cfg.Hooks.NoLocal {
		return nil
	}
	if n.local, err = local.Serve(n.cfg.Home.Dir, (*owner)(n)); err != nil {
		return err
	}
	n.log = slog.New(slog.NewMultiHandler(n.log.Handler(), &publisher{server: n.local}))
	return nil
}

func (n *Node) addresses() []string { return p2p.Addresses(n.host) }

// handler is the Node as seen by the network.
type handler Node

var _ rpc.Handler = (*handler)(nil)

// Head implements rpc.Handler.
func (h *handler) Head() *peerpb.Head {
	s := h.status.Load()
	head := &peerpb.Head{Finished: s.Finished, Weights: s.Weights.Bytes()}
	if s.Finished > 0 {
		head.Record, head.Certificate = s.Record.Bytes(), s.Certificate.Bytes()
	}
	return head
}

// Greeted implements rpc.Handler.
func (h *handler) Greeted(from peer.ID, head *peerpb.Head) {
	record, err := cid.Cast(head.GetRecord())
	if err != nil {
		record = cid.Undef
	}
	h.mail.post(federation.Reached{Member: h.roster.Load().admitted[from], Finished: head.GetFinished(), Record: record})
}

// Receive implements rpc.Handler.
func (h *handler) Receive(ctx context.Context, from peer.ID, envelope []byte) error {
	if !h.roster.Load().speaks(from) {
		return errors.New("only members of the epoch in force may speak")
	}
	select {
	case h.inbox <- federation.Received{Envelope: envelope}:
		return nil
	case <-h.done:
		return errors.New("the node is stopping")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Round implements rpc.Handler.
func (h *handler) Round(_ context.Context, round uint64) (*peerpb.SyncReply, error) {
	record, err := h.wal.Get(federation.RecordKey(round))
	if err != nil {
		return nil, err
	}
	certificate, err := h.wal.Get(federation.CertificateKey(round))
	if err != nil {
		return nil, err
	}
	if record == nil || certificate == nil {
		return nil, fmt.Errorf("round %d is not known here", round)
	}
	epoch, err := h.wal.Get(federation.EpochKey(round))
	if err != nil {
		return nil, err
	}
	return &peerpb.SyncReply{Round: round, Record: record, Certificate: certificate, Epoch: epoch}, nil
}

// roundsAtOnce bounds what one FetchRounds brings into memory; the machine asks again for more.
const (
	roundsAtOnce = 256
	syncTimeout  = 2 * time.Minute
)

var errEnough = errors.New("enough rounds")

// fetchRounds asks a member for finished rounds.
func (n *Node) fetchRounds(ctx context.Context, a federation.FetchRounds) {
	from, known := n.roster.Load().peerOf(a.From)
	if !known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	var got []federation.Finished
	err := n.network.Sync(ctx, from, a.First, func(r *peerpb.SyncReply) error {
		got = append(got, federation.Finished{Record: r.Record, Certificate: r.Certificate, Epoch: r.Epoch})
		if len(got) == roundsAtOnce {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		n.log.Debug("no finished rounds from a member", "error", err)
	}
	if len(got) > 0 {
		n.mail.post(federation.Rounds{From: a.From, Rounds: got})
	}
}

// fetch gets a file from the store or from the members, trying until it has it.
func (n *Node) fetch(ctx context.Context, a federation.Fetch) {
	for ctx.Err() == nil {
		data, err := blocks.FileReader{From: n.exchange.Session(ctx), Limit: a.Limit}.Read(ctx, a.CID)
		if err == nil {
			n.mail.post(federation.Fetched{CID: a.CID, Data: data})
			return
		}
		if ctx.Err() == nil {
			n.log.Warn("a certified file is not to be had yet; trying again", "cid", a.CID.String(), "error", err)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}
