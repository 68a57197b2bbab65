package public_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/public"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/testing/protocmp"
)

// shelf knows one artefact.
type shelf struct {
	cid   string
	reply *peerpb.FindReply
}

func (s shelf) Find(artefact []byte) (*peerpb.FindReply, error) {
	switch string(artefact) {
	case s.cid, "":
		return s.reply, nil
	case "bad":
		return nil, errors.New("not a CID")
	}
	return &peerpb.FindReply{Genesis: s.reply.Genesis}, nil
}

// pair returns a reader connected to a public host that serves f.
func pair(t *testing.T, f public.Finder) (reader, server host.Host) {
	t.Helper()
	server, err := p2p.NewPublic(p2p.PublicConfig{Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	reader, err = p2p.NewReader(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	public.Serve(server, f)
	if err := reader.Connect(t.Context(), peer.AddrInfo{ID: server.ID(), Addrs: server.Addrs()}); err != nil {
		t.Fatal(err)
	}
	return reader, server
}

func TestFind(t *testing.T) {
	want := &peerpb.FindReply{Genesis: []byte("g"), Rounds: []*peerpb.Head{{Finished: 1, Record: []byte("r")}}}
	reader, server := pair(t, shelf{"weights", want})
	for _, c := range []struct {
		name, artefact string
		want           *peerpb.FindReply
		err            error
	}{
		{"known", "weights", want, nil},
		{"newest", "", want, nil},
		{"unknown", "other", nil, public.ErrUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := public.Find(t.Context(), reader, server.ID(), []byte(c.artefact))
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if diff := cmp.Diff(c.want, got, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := public.Find(t.Context(), reader, server.ID(), []byte("bad")); err == nil {
		t.Error("an error of the finder looked like an answer")
	}
}

func TestHostileQuestions(t *testing.T) {
	reader, server := pair(t, shelf{"weights", &peerpb.FindReply{}})
	for name, bytes := range map[string][]byte{
		"huge length":   binary.AppendUvarint(nil, 1<<60),
		"endless":       bytes.Repeat([]byte{0xff}, 20),
		"not protobuf":  {2, 0xff, 0xff},
		"cid too large": append(binary.AppendUvarint(nil, 300), make([]byte, 300)...),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := reader.NewStream(t.Context(), server.ID(), p2p.HeadProtocol)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Reset()
			if _, err := s.Write(bytes); err != nil {
				t.Fatal(err)
			}
			s.CloseWrite()
			if got, err := io.ReadAll(s); err == nil {
				t.Errorf("answered with %d bytes, want the stream reset", len(got))
			}
		})
	}
}

// FuzzAnswer feeds the server's side of a stream with whatever a stranger may send.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{2, 10, 0})
	f.Add(binary.AppendUvarint(nil, 1<<40))
	f.Fuzz(func(t *testing.T, data []byte) {
		var request peerpb.FindRequest
		if err := public.ReadMessage(bytes.NewReader(data), 256, &request); err == nil && len(request.Cid) > 256 {
			t.Errorf("took %d bytes", len(request.Cid))
		}
	})
}
