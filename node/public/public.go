// Package public is the reading side of a node: anyone may ask which certificates lead to an artefact, and fetch the
// blocks by Bitswap.
//
// The question is one FindRequest, the answer one FindReply (package proto/peerpb), each with a varint length before it,
// on a stream of protocol /fedlam/head/1 that the server closes. An answer proves nothing: it only names the blocks that
// do. Serve answers on a host made by p2p.NewPublic; Find asks.
package public

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"
)

const (
	maxRequest = 256     // bytes
	maxReply   = 4 << 20 // bytes; about 30,000 rounds
	patience   = 30 * time.Second
)

// ErrUnknown says that the other side has no certificate for the artefact.
var ErrUnknown = errors.New("the node knows no certificate for it; ask another member, or check the CID")

// A Finder knows what a node can serve.
type Finder interface {
	// Find names the certified rounds up to the one that made the artefact with the given binary CID; an empty CID asks
	// for the newest. Nil rounds say that it is unknown.
	Find(artefact []byte) (*peerpb.FindReply, error)
}

// Serve answers questions on h until h is closed.
func Serve(h host.Host, finder Finder) {
	h.SetStreamHandler(p2p.HeadProtocol, func(s network.Stream) {
		if err := answer(s, finder); err != nil {
			s.Reset() // what the stranger did wrong is the stranger's business
			return
		}
		s.Close()
	})
}

func answer(s network.Stream, finder Finder) error {
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	var request peerpb.FindRequest
	if err := read(s, maxRequest, &request); err != nil {
		return err
	}
	reply, err := finder.Find(request.Cid)
	if err != nil {
		return err
	}
	return write(s, reply)
}

// Find asks the node p, which h can reach, about an artefact.
func Find(ctx context.Context, h host.Host, p peer.ID, artefact []byte) (*peerpb.FindReply, error) {
	reply, err := find(ctx, h, p, artefact)
	if err != nil {
		return nil, fmt.Errorf("ask node %s for certificates: %w", p, err)
	}
	if len(reply.Rounds) == 0 {
		return nil, fmt.Errorf("ask node %s for certificates: %w", p, ErrUnknown)
	}
	return reply, nil
}

func find(ctx context.Context, h host.Host, p peer.ID, artefact []byte) (*peerpb.FindReply, error) {
	s, err := h.NewStream(ctx, p, p2p.HeadProtocol)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if err := write(s, &peerpb.FindRequest{Cid: artefact}); err != nil {
		return nil, err
	}
	reply := &peerpb.FindReply{}
	return reply, read(s, maxReply, reply)
}

func write(w io.Writer, m proto.Message) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.AppendUvarint(nil, uint64(len(body))), body...))
	return err
}

// read takes one message of at most limit bytes; the length is checked before room is made for it.
func read(r io.Reader, limit uint64, m proto.Message) error {
	br := bufio.NewReader(r)
	n, err := binary.ReadUvarint(br)
	if err != nil {
		return err
	}
	if n > limit {
		return fmt.Errorf("a message of %d bytes, at most %d are taken", n, limit)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(br, body); err != nil {
		return err
	}
	return proto.Unmarshal(body, m)
}
