package p2p_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	ma "github.com/multiformats/go-multiaddr"
)

// hidden starts a host as behind a NAT: it knows others by name, and reaches the relay only.
func hidden(t *testing.T, name string, relay host.Host, others ...string) host.Host {
	t.Helper()
	known, members := map[peer.ID]bool{relay.ID(): true}, []peer.ID{relay.ID()}
	for _, o := range others {
		known[id(t, o)] = true
		members = append(members, id(t, o))
	}
	h, err := p2p.New(p2p.Config{Key: key(name), Listen: []string{anyQUIC}, NAT: true, Members: members,
		Member: func(p peer.ID) bool { return known[p] }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	if err := h.Connect(t.Context(), peer.AddrInfo{ID: relay.ID(), Addrs: relay.Addrs()}); err != nil {
		t.Fatal(err)
	}
	return h
}

// newRelay starts a relay for members named so.
func newRelay(t *testing.T, members ...string) host.Host {
	t.Helper()
	known := map[peer.ID]bool{}
	for _, m := range members {
		known[id(t, m)] = true
	}
	h, err := p2p.New(p2p.Config{Key: key("relay"), Listen: []string{anyQUIC, anyTCP}, Relay: true, Member: func(p peer.ID) bool { return known[p] }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// call asks by way of a relay until it is answered or patience ends: places are taken in the background.
func call(t *testing.T, from, to host.Host, text string, patience time.Duration) (string, network.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		got, conn, err := ask(ctx, from, &only{to, nil}, "", text) // the caller knows an address itself, or none
		if err == nil {
			return got, conn, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", nil, err
		}
	}
}

// only is a host with other addresses.
type only struct {
	host.Host
	addresses []ma.Multiaddr
}

func (o *only) Addrs() []ma.Multiaddr { return o.addresses }

func TestRelay(t *testing.T) {
	relay := newRelay(t, "a", "b")
	a, b := hidden(t, "a", relay, "b"), hidden(t, "b", relay, "a")
	echo(b)
	large := strings.Repeat("more than the 128 KiB of a limited relay ", 10_000)
	got, conn, err := call(t, a, b, large, 20*time.Second)
	if err != nil || got != large {
		t.Fatalf("got %d bytes, %v", len(got), err)
	}
	if _, err := conn.RemoteMultiaddr().ValueForProtocol(ma.P_CIRCUIT); err != nil || conn.Stat().Limited {
		t.Errorf("the connection %s is not one through the relay without limits", conn.RemoteMultiaddr())
	}
	if conn.RemotePublicKey() == nil || conn.RemotePeer() != b.ID() {
		t.Errorf("connected to %s, which proved no key", conn.RemotePeer())
	}
}

func TestRelayIsForMembers(t *testing.T) {
	for _, c := range []struct {
		name           string
		relays, knownB []string
	}{
		{"the relay does not know the caller", []string{"b"}, []string{"a"}},
		{"the called does not know the caller", []string{"a", "b"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			relay := newRelay(t, c.relays...)
			b := hidden(t, "b", relay, c.knownB...)
			echo(b)
			a, err := p2p.New(p2p.Config{Key: key("a"), NAT: true, Member: func(peer.ID) bool { return true }})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			var addresses []ma.Multiaddr
			for _, r := range relay.Addrs() {
				addresses = append(addresses, r.Encapsulate(ma.StringCast("/p2p/"+relay.ID().String()+"/p2p-circuit")))
			}
			if got, _, err := ask(t.Context(), a, &only{b, addresses}, "", "let me in"); err == nil {
				t.Errorf("a stranger was answered %q", got)
			}
		})
	}
}

func TestOnlyRelaysOfferIt(t *testing.T) {
	plain, relay := member(t, "a", nil, "relay"), newRelay(t, "a")
	if err := plain.Connect(t.Context(), peer.AddrInfo{ID: relay.ID(), Addrs: relay.Addrs()}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		seenBy, of host.Host
		want       int
	}{{plain, relay, 1}, {relay, plain, 0}} {
		if got, err := c.seenBy.Peerstore().SupportsProtocols(c.of.ID(), circuit.ProtoIDv2Hop); err != nil || len(got) != c.want {
			t.Errorf("%s offers %v, %v; want %d", c.of.ID(), got, err, c.want)
		}
	}
	if _, err := p2p.New(p2p.Config{Key: key("a"), Member: func(peer.ID) bool { return true }, Relay: true, NAT: true}); err == nil {
		t.Error("a host is a relay behind a NAT")
	}
}
