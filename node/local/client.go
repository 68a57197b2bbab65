package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/fedlam/fedlam/proto/localpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// ErrNotRunning says that no node answers in a folder.
var ErrNotRunning = errors.New("the node is not running: start it with `fedlam node`")

// Client asks a running node.
type Client struct {
	conn *grpc.ClientConn
	rpc  localpb.LocalClient
	dir  string
}

// Dial prepares to ask the node in dir; whether it runs shows with the first question.
func Dial(dir string) (*Client, error) {
	path, err := Path(dir)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///node", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}))
	if err != nil {
		return nil, fmt.Errorf("reach the node in %q: %w", dir, err)
	}
	return &Client{conn, localpb.NewLocalClient(conn), dir}, nil
}

// Close lets go of the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Status asks where the node stands.
func (c *Client) Status(ctx context.Context) (*localpb.StatusReply, error) {
	reply, err := c.rpc.Status(ctx, &localpb.StatusRequest{})
	return reply, c.explain(err)
}

// Stop asks the node to stop gracefully.
func (c *Client) Stop(ctx context.Context) error {
	_, err := c.rpc.Stop(ctx, &localpb.StopRequest{})
	return c.explain(err)
}

// Epoch asks who the members are and what changes are proposed.
func (c *Client) Epoch(ctx context.Context) (*localpb.EpochReply, error) {
	reply, err := c.rpc.Epoch(ctx, &localpb.EpochRequest{}, grpc.MaxCallRecvMsgSize(64<<20))
	return reply, c.explain(err)
}

// Approve gives the owner's consent to a next epoch.
func (c *Client) Approve(ctx context.Context, document []byte) error {
	_, err := c.rpc.Approve(ctx, &localpb.ApproveRequest{Document: document})
	if status.Code(err) == codes.FailedPrecondition {
		return errors.New(status.Convert(err).Message())
	}
	return c.explain(err)
}

// Follow calls ready once it misses nothing any more, then visit for each event, until ctx or the node ends or visit
// returns an error.
func (c *Client) Follow(ctx context.Context, ready func(), visit func(*localpb.ProgressEvent) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Progress(ctx, &localpb.ProgressRequest{})
	if err != nil {
		return c.explain(err)
	}
	if _, err := stream.Header(); err != nil {
		return c.explain(err)
	}
	ready()
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return c.explain(err)
		}
		if err := visit(e); err != nil {
			return err
		}
	}
}

// Doctor makes the node examine itself and the ways to the other members, and calls visit for each event until that is done. Timeout is
// for each answer of a member; 0 is the node's default.
func (c *Client) Doctor(ctx context.Context, timeout time.Duration, visit func(*localpb.DoctorEvent) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Doctor(ctx, &localpb.DoctorRequest{Timeout: timeout.Seconds()})
	for err == nil {
		var e *localpb.DoctorEvent
		if e, err = stream.Recv(); err == nil {
			if err := visit(e); err != nil {
				return err
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return c.explain(err)
}

func (c *Client) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case status.Code(err) == codes.Unavailable:
		return fmt.Errorf("ask the node in %q: %w", c.dir, ErrNotRunning)
	}
	return fmt.Errorf("ask the node in %q: %w", c.dir, err)
}
