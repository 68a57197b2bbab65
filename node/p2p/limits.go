package p2p

import (
	"strings"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
)

// Protocols of a node. The identify protocol of libp2p is the only other one.
const (
	PeerProtocol    protocol.ID = "/fedlam/peer/1"
	HeadProtocol    protocol.ID = "/fedlam/head/1"
	bitswapProtocol protocol.ID = "/ipfs/bitswap/1.2.0"
)

// memberLimits fit a federation of up to 200 members: two connections each, and a few streams per protocol.
func memberLimits() rcmgr.Limiter {
	return limits(rcmgr.PartialLimitConfig{
		System:    rcmgr.ResourceLimits{Conns: 800, ConnsInbound: 400, ConnsOutbound: 400, Streams: 8192, Memory: 1 << 30},
		Transient: rcmgr.ResourceLimits{Conns: 128, ConnsInbound: 64, ConnsOutbound: 128, Memory: 64 << 20},
		PeerDefault: rcmgr.ResourceLimits{Conns: 8, ConnsInbound: 4, ConnsOutbound: 4,
			Streams: 256, StreamsInbound: 128, StreamsOutbound: 128, Memory: 128 << 20},
		ProtocolPeer: map[protocol.ID]rcmgr.ResourceLimits{
			PeerProtocol:    {Streams: 8, StreamsInbound: 4, StreamsOutbound: 4, Memory: 64 << 20},
			bitswapProtocol: {Streams: 64, StreamsInbound: 32, StreamsOutbound: 32, Memory: 64 << 20},
		},
	})
}

// publicLimits hold the cost of strangers to a few dozen connections and 128 MiB.
func publicLimits() rcmgr.Limiter {
	return limits(rcmgr.PartialLimitConfig{
		System:    rcmgr.ResourceLimits{Conns: 64, ConnsInbound: 64, ConnsOutbound: 8, Streams: 512, Memory: 128 << 20},
		Transient: rcmgr.ResourceLimits{Conns: 32, ConnsInbound: 32, ConnsOutbound: 8, Memory: 16 << 20},
		PeerDefault: rcmgr.ResourceLimits{Conns: 2, ConnsInbound: 2, ConnsOutbound: 2,
			Streams: 48, StreamsInbound: 24, StreamsOutbound: 24, Memory: 32 << 20},
		ProtocolPeer: map[protocol.ID]rcmgr.ResourceLimits{
			HeadProtocol:    {Streams: 2, StreamsInbound: 2, StreamsOutbound: 2, Memory: 16 << 20},
			bitswapProtocol: {Streams: 32, StreamsInbound: 16, StreamsOutbound: 16, Memory: 32 << 20},
		},
	})
}

// limits lays cfg over libp2p's defaults for this machine.
func limits(cfg rcmgr.PartialLimitConfig) rcmgr.Limiter {
	defaults := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&defaults)
	return rcmgr.NewFixedLimiter(cfg.Build(defaults.AutoScale()))
}

// isInUse recognises a taken port where libp2p keeps only the words of the system's error.
func isInUse(err error) bool { return strings.Contains(err.Error(), "address already in use") }
