package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// A Visit asks one member what `fedlam doctor` wants to know. It greets nobody and delivers nothing, so that the member does not
// take the visitor for a node that takes part.
type Visit struct {
	// Took is how long it took to connect; 0 when the connection was there.
	Took   time.Duration
	client *grpc.ClientConn
	rpc    peerpb.PeerClient
	close  func() error
}

// ErrNotServed says that the other side proved its identity, and then did not talk.
var ErrNotServed = errors.New("it does not serve members now: its node does not run (fedlam doctor may run there), or it does not know you as a member")

// VisitAt dials p at one address over a connection of its own, whatever connections h has already. The error says with
// p2p.OutcomeOf why p was not reached, or is ErrNotServed.
func VisitAt(ctx context.Context, h host.Host, p peer.ID, at ma.Multiaddr) (*Visit, error) {
	start := time.Now()
	c, err := p2p.Dial(ctx, h, p, at)
	if err != nil {
		return nil, err
	}
	v := &Visit{Took: time.Since(start), close: c.Close}
	s, err := c.OpenStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("visit %s: %w (%w)", p, ErrNotServed, errors.Join(err, c.Close()))
	}
	if err := negotiate(ctx, s); err != nil {
		return nil, fmt.Errorf("visit %s: %w (%w)", p, ErrNotServed, errors.Join(err, c.Close()))
	}
	return v, v.over(muxed{s, h.ID(), p})
}

// VisitConnected uses a connection that h has, whoever opened it.
func VisitConnected(ctx context.Context, h host.Host, p peer.ID) (*Visit, error) {
	s, err := h.NewStream(network.WithNoDial(ctx, "doctor"), p, p2p.PeerProtocol)
	if err != nil {
		return nil, fmt.Errorf("visit %s: %w", p, err)
	}
	v := &Visit{close: s.Reset}
	return v, v.over(conn{s})
}

// negotiate agrees on the protocol, within the time that ctx has.
func negotiate(ctx context.Context, s network.MuxedStream) error {
	deadline, _ := ctx.Deadline() // none is the zero time, which sets none
	if err := s.SetDeadline(deadline); err != nil {
		return err
	}
	if err := multistream.SelectProtoOrFail(p2p.PeerProtocol, s); err != nil {
		return err
	}
	return s.SetDeadline(time.Time{})
}

// muxed is a stream of a connection that belongs to no host, as a net.Conn.
type muxed struct {
	network.MuxedStream
	local, remote peer.ID
}

func (m muxed) LocalAddr() net.Addr  { return address{peer: m.local} }
func (m muxed) RemoteAddr() net.Addr { return address{peer: m.remote} }
func (m muxed) Close() error         { return m.Reset() }

// over starts gRPC on a stream, which is used once: a visit that breaks is over.
func (v *Visit) over(stream net.Conn) error {
	once := make(chan net.Conn, 1)
	once <- stream
	client, err := grpc.NewClient("passthrough:///member", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case c := <-once:
				return c, nil
			default:
				return nil, errors.New("the connection was closed")
			}
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxSyncMessage)))
	if err != nil {
		return errors.Join(err, v.close())
	}
	leave := sync.OnceValue(v.close)
	v.client, v.rpc = client, peerpb.NewPeerClient(client)
	v.close = func() error { return errors.Join(client.Close(), leave()) }
	return nil
}

// Close leaves.
func (v *Visit) Close() error { return v.close() }

// Examine asks where the member stands, its time, and from where it sees this node. Nothing in the reply is verified.
func (v *Visit) Examine(ctx context.Context) (*peerpb.ExamineReply, error) {
	return v.rpc.Examine(ctx, &peerpb.ExamineRequest{}, grpc.MaxCallRecvMsgSize(maxReply))
}

// DialBack asks the member to dial this node at the addresses that its list of members has.
func (v *Visit) DialBack(ctx context.Context) ([]*peerpb.DialBackAttempt, error) {
	reply, err := v.rpc.DialBack(ctx, &peerpb.DialBackRequest{}, grpc.MaxCallRecvMsgSize(maxReply))
	if err != nil {
		return nil, err
	}
	if n := len(reply.Attempts); n > maxDialBack {
		return nil, fmt.Errorf("the member reports %d attempts, at most %d are made", n, maxDialBack)
	}
	return reply.Attempts, nil
}

// Record asks for the record of one finished round.
func (v *Visit) Record(ctx context.Context, genesis []byte, round uint64) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx) // the rounds after it are not wanted
	defer cancel()
	stream, err := v.rpc.Sync(ctx, &peerpb.SyncRequest{Genesis: genesis, First: round})
	if err != nil {
		return nil, err
	}
	reply, err := stream.Recv()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("the member has no round %d", round)
	case err != nil:
		return nil, err
	case reply.Round != round:
		return nil, fmt.Errorf("the member sent round %d for round %d", reply.Round, round)
	}
	return reply.Record, nil
}
