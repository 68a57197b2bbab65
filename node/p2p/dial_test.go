package p2p_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	ma "github.com/multiformats/go-multiaddr"
)

// addressOf returns the first address of h with the given part.
func addressOf(t *testing.T, h host.Host, part string) ma.Multiaddr {
	t.Helper()
	for _, a := range h.Addrs() {
		if strings.Contains(a.String(), part) {
			return a
		}
	}
	t.Fatalf("%v has no %s", h.Addrs(), part)
	return nil
}

func TestDialProvesIdentity(t *testing.T) {
	a, b, c := member(t, "a", nil, "b", "c"), member(t, "b", nil, "a"), member(t, "c", nil, "a")
	for _, transport := range []string{"/quic-v1", "/tcp/"} {
		conn, err := p2p.Dial(t.Context(), a, b.ID(), addressOf(t, b, transport))
		if err != nil {
			t.Fatalf("%s: %v", transport, err)
		}
		if conn.RemotePeer() != b.ID() {
			t.Errorf("%s: reached %s", transport, conn.RemotePeer())
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if n := len(a.Network().ConnsToPeer(b.ID())); n != 0 {
			t.Errorf("%s: the connection is among the %d of the host", transport, n)
		}
		_, err = p2p.Dial(t.Context(), a, b.ID(), addressOf(t, c, transport))
		if got := p2p.OutcomeOf(err); got != p2p.OtherIdentity {
			t.Errorf("%s: where c listens instead of b: %q (%v), want %q", transport, got, err, p2p.OtherIdentity)
		}
	}
}

func TestDialResolvesNames(t *testing.T) {
	a, b := member(t, "a", nil, "b"), member(t, "b", nil, "a")
	_, rest := ma.SplitFirst(addressOf(t, b, "/tcp/"))
	named := ma.StringCast("/dns4/localhost").Encapsulate(rest)
	conn, err := p2p.Dial(t.Context(), a, b.ID(), named)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestOutcomes(t *testing.T) {
	a, b := member(t, "a", nil, "b"), member(t, "b", nil, "a")
	closed := addressOf(t, b, "/tcp/")
	b.Close()
	_, refused := p2p.Dial(t.Context(), a, b.ID(), closed)
	ended, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, late := p2p.Dial(ended, a, b.ID(), closed)
	_, unsupported := p2p.Dial(t.Context(), a, b.ID(), ma.StringCast("/ip4/127.0.0.1/udp/1"))
	_, empty := p2p.Dial(t.Context(), a, b.ID(), nil)
	for _, c := range []struct {
		name string
		err  error
		want p2p.Outcome
	}{
		{"nobody listens", refused, p2p.Refused},
		{"no time", late, p2p.TimedOut},
		{"neither TCP nor QUIC", unsupported, p2p.Unsupported},
		{"no address", empty, p2p.Unsupported},
		{"no way", fmt.Errorf("dial: %w", syscall.ENETUNREACH), p2p.NoRoute},
		{"no host", fmt.Errorf("dial: %w", syscall.EHOSTUNREACH), p2p.NoRoute},
		{"unknown name", &net.DNSError{IsNotFound: true}, p2p.NoSuchName},
		{"slow name server", &net.DNSError{IsTimeout: true}, p2p.TimedOut},
		{"else", errors.New("odd"), p2p.DialFailed},
		{"none", nil, p2p.Reached},
	} {
		if got := p2p.OutcomeOf(c.err); got != c.want {
			t.Errorf("%s: OutcomeOf(%v) = %q, want %q", c.name, c.err, got, c.want)
		}
	}
}

func TestNearby(t *testing.T) {
	for _, c := range []struct {
		seen, at string
		want     bool
	}{
		{"/ip4/198.51.100.7/udp/1/quic-v1", "/ip4/203.0.113.9/tcp/4101", true},
		{"/ip4/198.51.100.7/udp/1/quic-v1", "/ip4/192.168.1.5/tcp/4101", false},
		{"/ip4/198.51.100.7/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/22", false},
		{"/ip4/198.51.100.7/udp/1/quic-v1", "/ip6/fe80::1/tcp/4101", false},
		{"/ip4/192.168.1.7/udp/1/quic-v1", "/ip4/192.168.1.7/tcp/4101", true},
		{"/ip4/192.168.1.7/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/22", false},
		{"/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/4101", true},
		{"/ip6/fd00::1/udp/1/quic-v1", "/ip4/10.0.0.1/tcp/4101", true},
	} {
		if got := p2p.Nearby(ma.StringCast(c.seen), ma.StringCast(c.at)); got != c.want {
			t.Errorf("Nearby(%s, %s) = %v", c.seen, c.at, got)
		}
	}
}
