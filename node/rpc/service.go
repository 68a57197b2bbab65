package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/fedlam/fedlam/proto/peerpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// service answers the other members.
type service struct {
	peerpb.UnimplementedPeerServer
	n *Network
}

// caller returns the member at the other end of the stream. The gater of the host admits members only; this is the
// second lock on the door.
func (s *service) caller(ctx context.Context) (address, error) {
	p, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return address{}, status.Error(codes.Unauthenticated, "who calls is unknown")
	}
	a, ok := p.Addr.(address)
	if !ok || s.n.link(a.peer) == nil {
		return address{}, status.Error(codes.PermissionDenied, "members only")
	}
	return a, nil
}

func (s *service) Hello(ctx context.Context, in *peerpb.HelloRequest) (*peerpb.HelloReply, error) {
	from, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(in.Genesis, s.n.cfg.Genesis) {
		return nil, status.Error(codes.FailedPrecondition, ErrOtherFederation.Error())
	}
	if l := s.n.link(from.peer); l != nil {
		l.heard(in.Instance, from.conn)
	}
	s.n.cfg.Handler.Greeted(from.peer, in.Head)
	return &peerpb.HelloReply{Genesis: s.n.cfg.Genesis, Head: s.n.cfg.Handler.Head(), Software: s.n.cfg.Software, Instance: s.n.instance}, nil
}

func (s *service) Deliver(stream grpc.ClientStreamingServer[peerpb.DeliverRequest, peerpb.DeliverReply]) error {
	from, err := s.caller(stream.Context())
	if err != nil {
		return err
	}
	for taken := uint64(0); ; taken++ {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&peerpb.DeliverReply{Taken: taken})
		}
		if err != nil {
			return err
		}
		if len(in.Envelope) > MaxEnvelope {
			return status.Error(codes.ResourceExhausted, "envelope above 1 MiB")
		}
		if err := s.n.cfg.Handler.Receive(stream.Context(), from.peer, in.Envelope); err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
	}
}

func (s *service) Sync(in *peerpb.SyncRequest, stream grpc.ServerStreamingServer[peerpb.SyncReply]) error {
	if _, err := s.caller(stream.Context()); err != nil {
		return err
	}
	if !bytes.Equal(in.Genesis, s.n.cfg.Genesis) {
		return status.Error(codes.FailedPrecondition, ErrOtherFederation.Error())
	}
	finished := s.n.cfg.Handler.Head().GetFinished()
	for round := in.First; round < finished && round-in.First < MaxSync; round++ {
		reply, err := s.n.cfg.Handler.Round(stream.Context(), round)
		if err != nil {
			return status.Errorf(codes.NotFound, "round %d: %v", round, err)
		}
		if err := stream.Send(reply); err != nil {
			return err
		}
	}
	return nil
}
