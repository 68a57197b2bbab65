package p2p

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"
)

// mostRelayed bounds the members that have a place at a relay, and the connections of each.
const mostRelayed = 200

// relayOptions make a host carry connections between members. What it carries is encrypted end to end; it learns who talks to whom,
// when and how much. There is no limit of time or bytes, for these are connections like others: only members get in.
func relayOptions(member func(peer.ID) bool) []libp2p.Option {
	r := relay.DefaultResources()
	r.Limit = nil
	r.MaxReservations, r.MaxCircuits = mostRelayed, mostRelayed
	r.MaxReservationsPerIP, r.MaxReservationsPerASN = mostRelayed, mostRelayed
	anyAddress := relay.WithReservationAddressFilter(func(ma.Multiaddr) bool { return true })
	return []libp2p.Option{
		libp2p.EnableRelayService(relay.WithResources(r), relay.WithACL(membersOnly{member}), anyAddress),
		libp2p.ForceReachabilityPublic(), // the owner says so; nobody is asked
	}
}

// natOptions let a host be called through a relay, and try to replace that by a direct connection (hole punching).
func natOptions() []libp2p.Option {
	return []libp2p.Option{libp2p.EnableRelay(), libp2p.EnableHolePunching()}
}

// membersOnly says who may use a relay. The gater has refused everybody else already.
type membersOnly struct{ member func(peer.ID) bool }

var _ relay.ACLFilter = membersOnly{}

func (m membersOnly) AllowReserve(p peer.ID, _ ma.Multiaddr) bool { return m.member(p) }

func (m membersOnly) AllowConnect(from peer.ID, _ ma.Multiaddr, to peer.ID) bool {
	return m.member(from) && m.member(to)
}

const (
	lookEvery      = time.Minute // for places that end soon
	reserveTimeout = 20 * time.Second
	renewBefore    = 20 * time.Minute
)

// A natHost is a host behind a NAT. It keeps a place at every relay it is connected to, and knows that other members may be
// called through them.
type natHost struct {
	host.Host
	members []peer.ID
	until   map[peer.ID]time.Time // places at relays; owned by keep
	stop    context.CancelFunc
	wait    sync.WaitGroup
}

func startNAT(h host.Host, members []peer.ID) (host.Host, error) {
	events, err := h.EventBus().Subscribe([]any{new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerProtocolsUpdated)}, eventbus.BufSize(4*mostRelayed)) // libp2p waits for who is slow
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	n := &natHost{Host: h, members: members, until: map[peer.ID]time.Time{}, stop: stop}
	n.wait.Go(func() { n.keep(ctx, events) })
	return n, nil
}

// Close ends the places, too.
func (n *natHost) Close() error {
	n.stop()
	n.wait.Wait()
	return n.Host.Close()
}

// keep takes a place at each relay that shows up, and renews it in time.
func (n *natHost) keep(ctx context.Context, events event.Subscription) {
	defer events.Close()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events.Out():
			switch e := e.(type) {
			case event.EvtPeerIdentificationCompleted:
				delete(n.until, e.Peer) // a new connection: the place at the end of an old one is gone
				n.reserve(ctx, e.Peer)
			case event.EvtPeerProtocolsUpdated:
				n.reserve(ctx, e.Peer)
			}
		case <-look.C:
			for _, p := range n.Network().Peers() {
				n.reserve(ctx, p)
			}
		}
	}
}

// reserve takes a place at p if it is a relay that has none for this host for long. A relay that refuses is asked again later.
func (n *natHost) reserve(ctx context.Context, p peer.ID) {
	offered, err := n.Peerstore().SupportsProtocols(p, circuit.ProtoIDv2Hop)
	if err != nil || len(offered) == 0 || time.Until(n.until[p]) > renewBefore || n.Network().Connectedness(p) != network.Connected {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reserveTimeout)
	defer cancel()
	place, err := client.Reserve(network.WithNoDial(ctx, "a place at a relay"), n, peer.AddrInfo{ID: p})
	if err != nil {
		return
	}
	n.until[p] = place.Expiration
	for _, a := range through(p, n.Peerstore().Addrs(p)) {
		for _, m := range n.members {
			if m != p && m != n.ID() {
				n.Peerstore().AddAddr(m, a, peerstore.PermanentAddrTTL)
			}
		}
	}
}

// through returns the addresses of everybody who has a place at a relay with the given addresses.
func through(relay peer.ID, addresses []ma.Multiaddr) (out []ma.Multiaddr) {
	hop, err := ma.NewMultiaddr("/p2p/" + relay.String() + "/p2p-circuit")
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		if _, err := a.ValueForProtocol(ma.P_CIRCUIT); err != nil {
			out = append(out, a.Encapsulate(hop))
		}
	}
	return out
}
