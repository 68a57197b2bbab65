package rpc

import (
	"context"
	"net"
	"sync"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

// address is a libp2p peer, and the connection to it, as a net.Addr.
type address struct {
	peer peer.ID
	conn network.Conn // nil for a listener
}

func (address) Network() string  { return "libp2p" }
func (a address) String() string { return a.peer.String() }

// conn is a libp2p stream as a net.Conn.
type conn struct{ network.Stream }

func (c conn) LocalAddr() net.Addr  { return address{c.Conn().LocalPeer(), c.Conn()} }
func (c conn) RemoteAddr() net.Addr { return address{c.Conn().RemotePeer(), c.Conn()} }

// Close ends both directions at once: HTTP/2 above has said goodbye already, and a half-closed stream would linger.
func (c conn) Close() error { return c.Stream.Reset() }

// listener accepts the streams of the peer protocol as connections.
type listener struct {
	host  host.Host
	queue chan net.Conn
	done  chan struct{}
	close sync.Once
}

var _ net.Listener = (*listener)(nil)

func listen(h host.Host) *listener {
	l := &listener{host: h, queue: make(chan net.Conn), done: make(chan struct{})}
	h.SetStreamHandler(p2p.PeerProtocol, func(s network.Stream) {
		select {
		case l.queue <- conn{s}:
		case <-l.done:
			s.Reset()
		}
	})
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.close.Do(func() {
		l.host.RemoveStreamHandler(p2p.PeerProtocol)
		close(l.done)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return address{peer: l.host.ID()} }

// dial opens a stream to p, connecting first if need be.
func dial(ctx context.Context, h host.Host, p peer.ID) (net.Conn, error) {
	// libp2p's own pause after a failed dial would add to the link's, and outlast a restart of the other side.
	if s, ok := h.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		s.Backoff().Clear(p)
	}
	if err := connect(ctx, h, p); err != nil {
		return nil, err
	}
	s, err := h.NewStream(ctx, p, p2p.PeerProtocol)
	if err != nil {
		return nil, err
	}
	return conn{s}, nil
}

// connect returns when there is a connection to p, whoever made it: one that is behind a NAT can only call, and calling it in vain
// takes long.
func connect(ctx context.Context, h host.Host, p peer.ID) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	called := &network.NotifyBundle{ConnectedF: func(_ network.Network, c network.Conn) {
		if c.RemotePeer() == p {
			stop()
		}
	}}
	h.Network().Notify(called)
	defer h.Network().StopNotify(called)
	_, err := h.Network().DialPeer(ctx, p)
	if err != nil && h.Network().Connectedness(p) != network.Connected {
		return err
	}
	return nil
}
