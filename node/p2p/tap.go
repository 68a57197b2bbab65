package p2p

import (
	"context"
	"net"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	tptu "github.com/libp2p/go-libp2p/p2p/net/upgrader"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// Way says where tapped bytes went.
type Way int

const (
	Sent Way = iota
	Received
)

// A Tap records traffic. Saw is called with the plain bytes of one read or write, from many goroutines at once; it must
// copy what it keeps.
type Tap interface {
	Saw(way Way, remote peer.ID, data []byte)
}

// tapped returns a constructor of libp2p's TLS with tap between it and the stream multiplexer.
func tapped(tap Tap) any {
	return func(id protocol.ID, key crypto.PrivKey, muxers []tptu.StreamMuxer) (*tapTransport, error) {
		t, err := libp2ptls.New(id, key, muxers)
		return &tapTransport{t, tap}, err
	}
}

type tapTransport struct {
	sec.SecureTransport
	tap Tap
}

var _ sec.SecureTransport = (*tapTransport)(nil)

func (t *tapTransport) SecureInbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	c, err := t.SecureTransport.SecureInbound(ctx, insecure, p)
	if err != nil {
		return nil, err
	}
	return tapConn{c, t.tap}, nil
}

func (t *tapTransport) SecureOutbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	c, err := t.SecureTransport.SecureOutbound(ctx, insecure, p)
	if err != nil {
		return nil, err
	}
	return tapConn{c, t.tap}, nil
}

type tapConn struct {
	sec.SecureConn
	tap Tap
}

func (c tapConn) Read(p []byte) (int, error) {
	n, err := c.SecureConn.Read(p)
	c.tap.Saw(Received, c.RemotePeer(), p[:n])
	return n, err
}

func (c tapConn) Write(p []byte) (int, error) {
	c.tap.Saw(Sent, c.RemotePeer(), p)
	return c.SecureConn.Write(p)
}
