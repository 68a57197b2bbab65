package local

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/proto/localpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const eventsKept = 256 // for one slow reader

// A Source is the node behind a Server. Its methods are called from many goroutines.
type Source interface {
	// Status tells where the node stands.
	Status() *localpb.StatusReply
	// Stop begins a graceful stop.
	Stop()
	// Epoch tells who the members are and what changes are proposed.
	Epoch() *localpb.EpochReply
	// Approve is the owner's consent to a next epoch, as a document; it returns when that is durable.
	Approve(ctx context.Context, document []byte) error
}

// A Patient is a Source that can examine itself.
type Patient interface {
	// Doctor examines the node until ctx ends, and tells what it does and finds from one goroutine at a time.
	Doctor(ctx context.Context, timeout time.Duration, tell func(*localpb.DoctorEvent))
}

// Server answers the owner.
type Server struct {
	localpb.UnimplementedLocalServer
	source Source
	grpc   *grpc.Server
	done   chan struct{} // closed when serving has ended
	ending chan struct{} // closed to end the streams of Progress
	path   string

	mu      sync.Mutex
	readers map[chan *localpb.ProgressEvent]bool
}

// Serve listens in the folder dir. The caller has made sure that no other node runs there (the log's lock does), so that
// a socket left by a killed one can be replaced.
func Serve(dir string, source Source) (*Server, error) {
	path, err := Path(dir)
	if err != nil {
		return nil, fmt.Errorf("open the local API: %w", err)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("open the local API: %w", disk.Explain(err))
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the local API: %w", disk.Explain(err))
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("open the local API: %w", disk.Explain(err))
	}
	s := &Server{source: source, grpc: grpc.NewServer(grpc.MaxRecvMsgSize(2 << 20)), done: make(chan struct{}), ending: make(chan struct{}), path: path,
		readers: map[chan *localpb.ProgressEvent]bool{}}
	localpb.RegisterLocalServer(s.grpc, s)
	go func() {
		defer close(s.done)
		s.grpc.Serve(listener)
	}()
	return s, nil
}

// Close ends all answers, letting short ones finish, and removes the socket.
func (s *Server) Close() error {
	close(s.ending)
	s.grpc.GracefulStop()
	<-s.done
	if err := os.Remove(s.path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// Publish passes an event to those who follow Progress. It never blocks.
func (s *Server) Publish(e *localpb.ProgressEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for reader := range s.readers {
		for {
			select {
			case reader <- e:
			default:
				select { // full: the oldest makes room
				case <-reader:
				default:
				}
				continue
			}
			break
		}
	}
}

// Status implements the service.
func (s *Server) Status(context.Context, *localpb.StatusRequest) (*localpb.StatusReply, error) {
	return s.source.Status(), nil
}

// Stop implements the service.
func (s *Server) Stop(context.Context, *localpb.StopRequest) (*localpb.StopReply, error) {
	s.source.Stop()
	return &localpb.StopReply{}, nil
}

// Epoch implements the service.
func (s *Server) Epoch(context.Context, *localpb.EpochRequest) (*localpb.EpochReply, error) {
	return s.source.Epoch(), nil
}

// Approve implements the service.
func (s *Server) Approve(ctx context.Context, in *localpb.ApproveRequest) (*localpb.ApproveReply, error) {
	if err := s.source.Approve(ctx, in.Document); err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &localpb.ApproveReply{}, nil
}

// Progress implements the service.
func (s *Server) Progress(_ *localpb.ProgressRequest, stream grpc.ServerStreamingServer[localpb.ProgressEvent]) error {
	events := make(chan *localpb.ProgressEvent, eventsKept)
	s.mu.Lock()
	s.readers[events] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.readers, events)
		s.mu.Unlock()
	}()
	// The header tells the reader that nothing published from now on is missed.
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	for {
		select {
		case e := <-events:
			if err := stream.Send(e); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		case <-s.ending:
			return nil
		}
	}
}

// maxDoctorTimeout bounds what the owner may ask for, in seconds.
const maxDoctorTimeout = 600

// Doctor implements the service. It ends with the node, with the caller, or when everything was examined.
func (s *Server) Doctor(in *localpb.DoctorRequest, stream grpc.ServerStreamingServer[localpb.DoctorEvent]) error {
	patient, ok := s.source.(Patient)
	if !ok {
		return status.Error(codes.Unimplemented, "this node cannot examine itself")
	}
	if !(in.Timeout >= 0 && in.Timeout <= maxDoctorTimeout) {
		return status.Errorf(codes.InvalidArgument, "timeout %g s: want 0 to %d s", in.Timeout, maxDoctorTimeout)
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	go func() {
		select {
		case <-s.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	var failed error
	patient.Doctor(ctx, time.Duration(in.Timeout*float64(time.Second)), func(e *localpb.DoctorEvent) {
		if failed == nil {
			if failed = stream.Send(e); failed != nil {
				cancel()
			}
		}
	})
	if failed == nil && ctx.Err() != nil {
		return status.Error(codes.Aborted, "the node is stopping")
	}
	return failed
}

var _ localpb.LocalServer = (*Server)(nil)
