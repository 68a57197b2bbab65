package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// Limits of package proto.
const (
	// MaxEnvelope is the size of the largest envelope, in bytes.
	MaxEnvelope = 1 << 20
	// MaxSync is the number of rounds in one answer to Sync.
	MaxSync        = 1024
	maxMessage     = MaxEnvelope + 4<<10
	maxSyncMessage = 3<<20 + 4<<10
	streamsPerLink = 16

	dialBacksPerMinute = 6 // for each member
)

// A Handler is what a Network needs of the node above it. Its methods are called from many goroutines.
type Handler interface {
	// Head returns the newest certified round.
	Head() *peerpb.Head
	// Greeted is told after each Hello, given or taken, where the other member stands. It must not block.
	Greeted(from peer.ID, head *peerpb.Head)
	// Receive takes over an envelope that from carried here (and somebody else may have signed). It blocks while the
	// node is busy, which slows the sender down. An error ends the delivery.
	Receive(ctx context.Context, from peer.ID, envelope []byte) error
	// Round returns a certified round, or an error when it is not known.
	Round(ctx context.Context, round uint64) (*peerpb.SyncReply, error)
}

// Config describes a Network.
type Config struct {
	// Host is the member host; it outlives the Network.
	Host host.Host
	// Genesis is the binary CID that names the federation.
	Genesis []byte
	// Epoch returns the binary CID of the list of members in force; told to those who examine this node.
	Epoch func() []byte
	// Members are the others at the start, and where they can be reached; see SetMembers.
	Members map[peer.ID][]ma.Multiaddr
	// Handler takes what arrives.
	Handler Handler
	// Software is told to the others in Hello.
	Software string
	// QueueBytes bounds what is kept for one member that cannot be reached; default 256 MiB.
	QueueBytes int
	// MaxPause bounds the pause before another attempt to reach a member; default 5 s.
	MaxPause time.Duration
}

func (c *Config) validate() error {
	if c.Host == nil || c.Handler == nil || len(c.Genesis) == 0 {
		return errors.New("rpc: Host, Handler and Genesis are needed")
	}
	if c.Epoch == nil {
		c.Epoch = func() []byte { return nil }
	}
	if c.QueueBytes <= 0 {
		c.QueueBytes = 256 << 20
	}
	if c.MaxPause <= 0 {
		c.MaxPause = 5 * time.Second
	}
	return nil
}

// Network talks to the other members.
type Network struct {
	cfg    Config
	server *grpc.Server
	ctx    context.Context // of the links
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu        sync.RWMutex
	links     map[peer.ID]*link
	addresses map[peer.ID][]ma.Multiaddr // of the members, as SetMembers got them

	instance  []byte // of this start of the process
	dialBacks *quota
}

// New starts serving the other members and reaching out for them.
func New(cfg Config) (*Network, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Network{cfg: cfg, links: map[peer.ID]*link{}, ctx: ctx, cancel: cancel, instance: []byte(rand.Text()),
		dialBacks: newQuota(dialBacksPerMinute, time.Minute)}
	n.server = grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(streamsPerLink),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}))
	peerpb.RegisterPeerServer(n.server, &service{n: n})
	accept := listen(cfg.Host)
	n.wait.Go(func() { n.server.Serve(accept) })
	if err := n.SetMembers(cfg.Members); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// SetMembers says who the others are from now on. Those who are new are reached out for; what is queued for others is forgotten, and connections to
// them end; addresses that are not listed any more are not dialled again. The gater of the host has to refuse who is no member already.
// The map is not to be changed afterwards.
func (n *Network) SetMembers(members map[peer.ID][]ma.Multiaddr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for p, l := range n.links {
		if _, stays := members[p]; !stays {
			delete(n.links, p)
			errs = append(errs, l.close(), n.cfg.Host.Network().ClosePeer(p))
			n.cfg.Host.Peerstore().ClearAddrs(p)
		}
	}
	for p, addresses := range members {
		for _, was := range n.addresses[p] {
			if !ma.Contains(addresses, was) {
				n.cfg.Host.Peerstore().SetAddr(p, was, 0) // an address without time to live is forgotten
			}
		}
		n.cfg.Host.Peerstore().AddAddrs(p, addresses, peerstore.PermanentAddrTTL)
		if n.links[p] != nil {
			continue
		}
		l, err := newLink(n, p)
		if err != nil {
			errs = append(errs, fmt.Errorf("reach member %s: %w", p, err))
			continue
		}
		n.links[p] = l
		n.wait.Go(func() { l.run(l.ctx) })
	}
	n.addresses = members
	return errors.Join(errs...)
}

// listed returns the addresses that the list of members has for one of them.
func (n *Network) listed(p peer.ID) []ma.Multiaddr {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.addresses[p]
}

// link returns what is kept for a member, nil for anybody else.
func (n *Network) link(p peer.ID) *link {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.links[p]
}

// all returns the links there are now.
func (n *Network) all() map[peer.ID]*link {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return maps.Clone(n.links)
}

// Close stops serving and sending, and waits until both have ended. What is still queued is lost.
func (n *Network) Close() error {
	n.cancel()
	n.server.Stop()
	n.wait.Wait()
	var errs []error
	for _, l := range n.all() {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

// Send queues envelopes for a member, in order, and returns at once. Round says for how long they are of use.
func (n *Network) Send(to peer.ID, round uint64, envelopes ...[]byte) error {
	l := n.link(to)
	if l == nil {
		return fmt.Errorf("send to %s: not a member", to)
	}
	for _, e := range envelopes {
		if len(e) > MaxEnvelope {
			return fmt.Errorf("send to %s: an envelope of %d bytes is above the limit of %d", to, len(e), MaxEnvelope)
		}
	}
	l.queue.push(round, envelopes)
	return nil
}

// Discard forgets what is queued for rounds before round.
func (n *Network) Discard(round uint64) {
	for _, l := range n.all() {
		l.queue.discard(round)
	}
}

// Idle reports whether everything queued for members that can be reached now has been handed over.
func (n *Network) Idle() bool {
	for p, l := range n.all() {
		if !l.queue.empty() && n.Connected(p) {
			return false
		}
	}
	return true
}

// Connected reports whether a member can be reached now.
func (n *Network) Connected(p peer.ID) bool {
	return n.cfg.Host.Network().Connectedness(p) == network.Connected
}

// Sync asks a member for the finished rounds with the number first and above; take gets them in order. Nothing in them is verified yet.
func (n *Network) Sync(ctx context.Context, from peer.ID, first uint64, take func(*peerpb.SyncReply) error) error {
	l := n.link(from)
	if l == nil {
		return fmt.Errorf("sync with %s: not a member", from)
	}
	return l.sync(ctx, first, take)
}
