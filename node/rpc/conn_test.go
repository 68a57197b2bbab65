package rpc

import (
	"context"
	"crypto/ed25519"
	"net"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// TestDialTakesTheConnectionOfACaller dials an address that takes connections and says nothing, as that of a member behind a NAT
// may do, until the member calls.
func TestDialTakesTheConnectionOfACaller(t *testing.T) {
	var hosts [2]host.Host
	for i := range hosts {
		h, err := p2p.New(p2p.Config{Key: ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i))), Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"},
			Member: func(peer.ID) bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		h.SetStreamHandler(p2p.PeerProtocol, func(s network.Stream) { s.Close() })
		hosts[i] = h
	}
	a, b := hosts[0], hosts[1]
	hole, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	address, err := manet.FromNetAddr(hole.Addr())
	if err != nil {
		t.Fatal(err)
	}
	a.Peerstore().AddAddrs(b.ID(), []ma.Multiaddr{address}, peerstore.PermanentAddrTTL)
	go func() {
		silent, err := hole.Accept()
		if err != nil {
			return
		}
		defer silent.Close()
		b.Connect(t.Context(), peer.AddrInfo{ID: a.ID(), Addrs: a.Addrs()})
		<-t.Context().Done()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // libp2p gives the address up after 5 s
	defer cancel()
	c, err := dial(ctx, a, b.ID())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if way := c.(conn).Conn().Stat().Direction; way != network.DirInbound {
		t.Errorf("the stream is on a connection that is %s", way)
	}
}
