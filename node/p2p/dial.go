package p2p

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// An Outcome says how an attempt to connect ended.
type Outcome string

// Outcomes of Dial.
const (
	Reached       Outcome = "reached"
	Refused       Outcome = "connection refused"
	TimedOut      Outcome = "no answer"
	NoRoute       Outcome = "no route"
	OtherIdentity Outcome = "another node answers there"
	NoSuchName    Outcome = "the name has no address"
	Unsupported   Outcome = "this kind of address cannot be dialled from there"
	DialFailed    Outcome = "cannot connect"
)

// Dial opens a connection of its own to p at one address, whatever connections h has already, and proves the identity of the
// other end. The connection is not among those of h, so that nothing else uses it; the caller closes it. QUIC leaves from the
// port that h listens on, TCP from a new one.
func Dial(ctx context.Context, h host.Host, p peer.ID, at ma.Multiaddr) (transport.CapableConn, error) {
	network, ok := h.Network().(interface {
		TransportForDialing(ma.Multiaddr) transport.Transport
	})
	if !ok {
		return nil, fmt.Errorf("dial %s: the network of the host has no transports", at)
	}
	resolved, err := Resolve(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", at, err)
	}
	t := network.TransportForDialing(resolved)
	if t == nil {
		return nil, fmt.Errorf("dial %s: %w", at, errUnsupported)
	}
	c, err := t.Dial(ctx, resolved, p)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", at, err)
	}
	return c, nil
}

var errUnsupported = errors.New("this program dials /ip4, /ip6 and /dns addresses with /tcp or /udp/.../quic-v1")

// Resolve replaces a name at the front of an address by the first IP address it has.
func Resolve(ctx context.Context, at ma.Multiaddr) (ma.Multiaddr, error) {
	if len(at) == 0 {
		return nil, errUnsupported
	}
	networks := map[int]string{ma.P_DNS: "ip", ma.P_DNS4: "ip4", ma.P_DNS6: "ip6"}
	first, rest := ma.SplitFirst(at)
	network, isName := networks[first.Protocol().Code]
	if !isName {
		return at, nil
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, network, first.Value())
	if err != nil {
		return nil, err
	}
	front := "/ip6/"
	if ips[0].To4() != nil {
		front = "/ip4/"
	}
	ip, err := ma.NewMultiaddr(front + ips[0].String())
	if err != nil {
		return nil, err
	}
	return ip.Encapsulate(rest), nil
}

// OutcomeOf puts an error of Dial into one of a few classes. Nil is Reached.
func OutcomeOf(err error) Outcome {
	var mismatch sec.ErrPeerIDMismatch
	var dns *net.DNSError
	var netErr net.Error
	switch {
	case err == nil:
		return Reached
	case errors.Is(err, errUnsupported):
		return Unsupported
	case errors.As(err, &mismatch) || strings.Contains(err.Error(), "peer id mismatch"):
		return OtherIdentity
	case errors.As(err, &dns) && dns.IsNotFound:
		return NoSuchName
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH):
		return NoRoute
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout():
		return TimedOut
	}
	return DialFailed
}

// Nearby says whether an address is worth dialling for a peer that is seen at another: one of a private network or of the loopback
// interface means another computer here than it does there, unless the peer is seen in such a network too.
func Nearby(seen, at ma.Multiaddr) bool {
	switch {
	case manet.IsIPLoopback(at):
		return manet.IsIPLoopback(seen)
	case manet.IsPrivateAddr(at) || manet.IsIP6LinkLocal(at):
		return manet.IsPrivateAddr(seen) || manet.IsIP6LinkLocal(seen)
	}
	return true
}
