package p2p_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	anyTCP  = "/ip4/127.0.0.1/tcp/0"
	anyQUIC = "/ip4/127.0.0.1/udp/0/quic-v1"
)

func key(name string) ed25519.PrivateKey {
	var seed [32]byte
	copy(seed[:], name)
	return ed25519.NewKeyFromSeed(seed[:])
}

func id(t *testing.T, name string) peer.ID {
	t.Helper()
	p, err := p2p.ID(key(name).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// member starts the host of a member who knows the others by name.
func member(t *testing.T, name string, tap p2p.Tap, others ...string) host.Host {
	t.Helper()
	known := map[peer.ID]bool{}
	for _, o := range others {
		known[id(t, o)] = true
	}
	h, err := p2p.New(p2p.Config{Key: key(name), Listen: []string{anyQUIC, anyTCP},
		Member: func(p peer.ID) bool { return known[p] }, Tap: tap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// echo answers each stream with what it was sent.
func echo(h host.Host) {
	h.SetStreamHandler(p2p.PeerProtocol, func(s network.Stream) {
		defer s.Close()
		if b, err := io.ReadAll(io.LimitReader(s, 1<<20)); err == nil {
			s.Write(b)
		}
	})
}

// ask sends text to a host by way of its addresses that contain only, and returns the answer.
func ask(ctx context.Context, from, to host.Host, only, text string) (string, network.Conn, error) {
	var addresses []ma.Multiaddr
	for _, a := range to.Addrs() {
		if strings.Contains(a.String(), only) {
			addresses = append(addresses, a)
		}
	}
	if err := from.Connect(ctx, peer.AddrInfo{ID: to.ID(), Addrs: addresses}); err != nil {
		return "", nil, err
	}
	s, err := from.NewStream(ctx, to.ID(), p2p.PeerProtocol)
	if err != nil {
		return "", nil, err
	}
	defer s.Close()
	if _, err := s.Write([]byte(text)); err != nil {
		return "", nil, err
	}
	if err := s.CloseWrite(); err != nil {
		return "", nil, err
	}
	b, err := io.ReadAll(s)
	return string(b), s.Conn(), err
}

func TestMembersTalk(t *testing.T) {
	for _, transport := range []string{"/quic-v1", "/tcp/"} {
		t.Run(transport, func(t *testing.T) {
			a, b := member(t, "a", nil, "b"), member(t, "b", nil, "a")
			echo(b)
			got, conn, err := ask(t.Context(), a, b, transport, "hello")
			if err != nil || got != "hello" {
				t.Fatalf("got %q, %v", got, err)
			}
			if s := conn.ConnState().Security; s != "/tls/1.0.0" && transport == "/tcp/" {
				t.Errorf("security is %q, want TLS", s)
			}
			if conn.RemotePeer() != id(t, "b") {
				t.Errorf("connected to %s", conn.RemotePeer())
			}
		})
	}
}

func TestNonMemberIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, transport  string
		aKnowsB, bKnowsA []string
	}{
		{"stranger dials by QUIC", "/quic-v1", []string{"b"}, nil},
		{"stranger dials by TCP", "/tcp/", []string{"b"}, nil},
		{"member dials a stranger", "/tcp/", nil, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := member(t, "a", nil, c.aKnowsB...), member(t, "b", nil, c.bKnowsA...)
			echo(b)
			if got, _, err := ask(t.Context(), a, b, c.transport, "let me in"); err == nil {
				t.Fatalf("a stranger was answered %q", got)
			}
			if n := b.Network().Connectedness(a.ID()); n == network.Connected {
				t.Error("a stranger is still connected")
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	first := member(t, "first", nil)
	for _, a := range first.Addrs() {
		h, err := p2p.New(p2p.Config{Key: key("second"), Listen: []string{a.String()}, Member: func(peer.ID) bool { return true }})
		if !errors.Is(err, p2p.ErrPortInUse) || !strings.Contains(err.Error(), a.String()) {
			t.Errorf("second host on %s: %v, want ErrPortInUse that names it", a, err)
		}
		if h != nil {
			h.Close()
		}
	}
}

func TestBadListenAddress(t *testing.T) {
	if _, err := p2p.NewPublic(p2p.PublicConfig{Key: key("a"), Listen: []string{"localhost:4101"}}); err == nil ||
		!strings.Contains(err.Error(), "/ip4/") {
		t.Errorf("got %v, want an example of an address", err)
	}
}

func TestPublicHostNeverDials(t *testing.T) {
	h, err := p2p.NewPublic(p2p.PublicConfig{Key: key("public"), Listen: []string{anyTCP}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	other := member(t, "b", nil, "public")
	if err := h.Connect(t.Context(), peer.AddrInfo{ID: other.ID(), Addrs: other.Addrs()}); err == nil {
		t.Error("the public host dialled")
	}
	reader, err := p2p.NewReader(key("reader"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	echo(h)
	if got, _, err := ask(t.Context(), reader, h, "", "hello"); err != nil || got != "hello" {
		t.Errorf("anyone may read: got %q, %v", got, err)
	}
}

func TestStreamsPerPeerAreLimited(t *testing.T) {
	a, b := member(t, "a", nil, "b"), member(t, "b", nil, "a")
	held := make(chan network.Stream, 100)
	b.SetStreamHandler(p2p.PeerProtocol, func(s network.Stream) { held <- s })
	if err := a.Connect(t.Context(), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if n > 20 {
			t.Fatal("more than 20 streams of one protocol to one peer are open")
		}
		s, err := a.NewStream(t.Context(), b.ID(), p2p.PeerProtocol)
		if err != nil {
			return
		}
		defer s.Reset()
	}
}

// recorder is a Tap that keeps everything.
type recorder struct {
	mu   sync.Mutex
	seen map[p2p.Way]*bytes.Buffer
}

func (r *recorder) Saw(way p2p.Way, _ peer.ID, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[way] == nil {
		r.seen[way] = &bytes.Buffer{}
	}
	r.seen[way].Write(data)
}

func TestTapSeesPlaintext(t *testing.T) {
	tap := &recorder{seen: map[p2p.Way]*bytes.Buffer{}}
	a, b := member(t, "a", tap, "b"), member(t, "b", nil, "a")
	echo(b)
	if got, _, err := ask(t.Context(), a, b, "", "canary 271828"); err != nil || got != "canary 271828" {
		t.Fatalf("got %q, %v", got, err)
	}
	tap.mu.Lock()
	defer tap.mu.Unlock()
	for way, name := range map[p2p.Way]string{p2p.Sent: "sent", p2p.Received: "received"} {
		if tap.seen[way] == nil || !bytes.Contains(tap.seen[way].Bytes(), []byte("canary 271828")) {
			t.Errorf("what was %s is not in the tap", name)
		}
	}
}
