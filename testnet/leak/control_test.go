package leak_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/testnet/leak"
)

const controlProtocol = "/fedlam/leak-control/1"

// sendTapped sends needles from one member host to another and returns what the taps saw.
func sendTapped(t *testing.T, needles []leak.Needle) *traffic {
	t.Helper()
	recorded := newTraffic()
	sender, receiver := tappedHost(t, recorded), tappedHost(t, recorded)
	got := make(chan int, 1)
	receiver.SetStreamHandler(controlProtocol, func(s network.Stream) {
		text, _ := io.ReadAll(s)
		got <- len(text)
	})
	if err := sender.Connect(t.Context(), peer.AddrInfo{ID: receiver.ID(), Addrs: receiver.Addrs()}); err != nil {
		t.Fatal(err)
	}
	s, err := sender.NewStream(t.Context(), receiver.ID(), controlProtocol)
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, n := range needles {
		k, err := s.Write(n.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		sent += k
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-got; n != sent {
		t.Fatalf("%d of %d bytes arrived", n, sent)
	}
	return recorded
}

func tappedHost(t *testing.T, tap p2p.Tap) host.Host {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, err := p2p.New(p2p.Config{Key: key, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Member: func(peer.ID) bool { return true }, Tap: tap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}
