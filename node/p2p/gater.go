package p2p

import (
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

type gater = connmgr.ConnectionGater

// open is a gater that admits everything; the gaters below close one door each.
type open struct{}

func (open) InterceptPeerDial(peer.ID) bool                                           { return true }
func (open) InterceptAddrDial(peer.ID, ma.Multiaddr) bool                             { return true }
func (open) InterceptAccept(network.ConnMultiaddrs) bool                              { return true }
func (open) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool { return true }
func (open) InterceptUpgraded(network.Conn) (allow bool, reason control.DisconnectReason) {
	return true, 0
}

// memberGater admits members. Who connects is known only after the handshake, so the decision falls in
// InterceptSecured, before any stream; half-open connections are bounded by the transient limits.
type memberGater struct{ member func(peer.ID) bool }

func (g memberGater) InterceptPeerDial(p peer.ID) bool                 { return g.member(p) }
func (g memberGater) InterceptAddrDial(p peer.ID, _ ma.Multiaddr) bool { return g.member(p) }
func (g memberGater) InterceptAccept(a network.ConnMultiaddrs) bool    { return open{}.InterceptAccept(a) }
func (g memberGater) InterceptUpgraded(c network.Conn) (bool, control.DisconnectReason) {
	return g.member(c.RemotePeer()), 0
}

func (g memberGater) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return g.member(p)
}

// inboundGater never dials.
type inboundGater struct{ open }

func (inboundGater) InterceptPeerDial(peer.ID) bool { return false }

// outboundGater never accepts.
type outboundGater struct{ open }

func (outboundGater) InterceptAccept(network.ConnMultiaddrs) bool { return false }

var (
	_ gater = memberGater{}
	_ gater = inboundGater{}
	_ gater = outboundGater{}
)
