package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	helloTimeout   = 10 * time.Second
	deliverTimeout = 2 * time.Minute // one batch
	greetEvery     = 15 * time.Second
	batchBytes     = 8 << 20
)

// ErrOtherFederation says that the other side belongs to another genesis.
var ErrOtherFederation = errors.New("the other side belongs to another federation; compare the genesis CIDs")

// link is what a Network keeps for one member.
type link struct {
	n      *Network
	to     peer.ID
	client *grpc.ClientConn
	rpc    peerpb.PeerClient
	queue  *queue
	seen   chan struct{} // has an element after the member called here
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	instance []byte // of the member's process, as it last said
}

// heard ends a pause of run, for the member has just called over conn. When it was started again since the last call, other
// connections lead to a process that is gone: a killed one says no farewell, and over QUIC nothing else would tell for half a
// minute.
func (l *link) heard(instance []byte, conn network.Conn) {
	l.mu.Lock()
	restarted := l.instance != nil && !bytes.Equal(l.instance, instance)
	l.instance = bytes.Clone(instance)
	l.mu.Unlock()
	for _, other := range l.n.cfg.Host.Network().ConnsToPeer(l.to) {
		if restarted && conn != nil && other.ID() != conn.ID() && !other.Stat().Opened.After(conn.Stat().Opened) {
			other.Close()
		}
	}
	select {
	case l.seen <- struct{}{}:
	default:
	}
}

func newLink(n *Network, to peer.ID) (*link, error) {
	client, err := grpc.NewClient("passthrough:///"+to.String(),
		// TLS is below: the stream belongs to a libp2p connection whose both ends proved their keys.
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx, n.cfg.Host, to) }),
		grpc.WithIdleTimeout(0),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: helloTimeout, Backoff: backoff.Config{
			BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: n.cfg.MaxPause}}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxSyncMessage)))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(n.ctx)
	return &link{n: n, to: to, ctx: ctx, cancel: cancel, client: client, rpc: peerpb.NewPeerClient(client), queue: newQueue(n.cfg.QueueBytes),
		seen: make(chan struct{}, 1)}, nil
}

// close ends the link; run returns soon after.
func (l *link) close() error {
	l.cancel()
	return l.client.Close()
}

// run greets, delivers, and starts again when that fails, until ctx ends.
func (l *link) run(ctx context.Context) {
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		err := l.serve(ctx)
		if err == nil {
			pause = 100 * time.Millisecond
			continue
		}
		l.client.ResetConnectBackoff()
		wait := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-l.seen:
		}
		wait.Stop()
		pause = min(2*pause, l.n.cfg.MaxPause)
	}
}

// serve greets the member and hands over what is queued until it is time to greet again.
func (l *link) serve(ctx context.Context) error {
	if err := l.greet(ctx); err != nil {
		return err
	}
	again := time.NewTimer(greetEvery)
	defer again.Stop()
	for {
		for !l.queue.empty() {
			if err := l.deliver(ctx); err != nil {
				return err
			}
		}
		select {
		case <-l.queue.ready:
		case <-again.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *link) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	reply, err := l.rpc.Hello(ctx, &peerpb.HelloRequest{Genesis: l.n.cfg.Genesis, Head: l.n.cfg.Handler.Head(),
		Software: l.n.cfg.Software, Instance: l.n.instance}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	if !bytes.Equal(reply.Genesis, l.n.cfg.Genesis) {
		return ErrOtherFederation
	}
	l.mu.Lock()
	l.instance = bytes.Clone(reply.Instance)
	l.mu.Unlock()
	l.n.cfg.Handler.Greeted(l.to, reply.Head)
	return nil
}

// deliver hands over the next envelopes and takes them off the queue once the member has acknowledged them.
func (l *link) deliver(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	batch := l.queue.peek(batchBytes)
	stream, err := l.rpc.Deliver(ctx, grpc.WaitForReady(false))
	if err != nil {
		return err
	}
	for _, e := range batch {
		if err := stream.Send(&peerpb.DeliverRequest{Envelope: e.data}); err != nil {
			break // CloseAndRecv has the reason
		}
	}
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if reply.Taken != uint64(len(batch)) {
		return fmt.Errorf("deliver to %s: %d of %d envelopes taken", l.to, reply.Taken, len(batch))
	}
	l.queue.drop(batch)
	return nil
}

func (l *link) sync(ctx context.Context, first uint64, take func(*peerpb.SyncReply) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := l.rpc.Sync(ctx, &peerpb.SyncRequest{Genesis: l.n.cfg.Genesis, First: first})
	if err != nil {
		return fmt.Errorf("sync with %s: %w", l.to, err)
	}
	for range MaxSync {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sync with %s: %w", l.to, err)
		}
		if err := take(reply); err != nil {
			return err
		}
	}
	return nil
}
