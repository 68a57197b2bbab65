package p2p

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"syscall"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// ErrPortInUse says that another program listens where a host was to listen.
var ErrPortInUse = errors.New("the port is in use: stop the program that holds it, or choose another address")

// Config describes the host for members.
type Config struct {
	// Key is the identity that TLS proves to the others.
	Key ed25519.PrivateKey
	// Listen are the addresses to listen on, such as /ip4/0.0.0.0/udp/4101/quic-v1 and /ip4/0.0.0.0/tcp/4101. All of
	// them must work, or New fails.
	Listen []string
	// Member tells who may connect; it is asked for each connection, also for those this host opens.
	Member func(peer.ID) bool
	// Traffic counts the bytes of streams; nil counts nothing.
	Traffic *Traffic
	// Tap sees the plain bytes of all connections; for tests.
	Tap Tap
	// Relay lets members that cannot reach each other talk through this host, which all of them can reach.
	Relay bool
	// NAT says that this host cannot be called from outside: it keeps a place at the relays among the members, and
	// connections that come through one are replaced by direct ones where the NATs let holes be punched (QUIC only).
	NAT bool
	// Members are those that may have to be called through a relay; used when NAT is set.
	Members []peer.ID
	// Options come after the host's own; a simulated network, for tests.
	Options []libp2p.Option
}

// New starts a host for members. The caller closes it.
func New(cfg Config) (host.Host, error) {
	if cfg.Member == nil {
		return nil, errors.New("start the member host: nobody decides who is a member")
	}
	if cfg.Traffic == nil {
		cfg.Traffic = &Traffic{}
	}
	if cfg.Relay && cfg.NAT {
		return nil, errors.New("start the member host: it cannot be a relay behind a NAT; members must reach it directly")
	}
	more := []libp2p.Option{libp2p.BandwidthReporter(cfg.Traffic)}
	if cfg.Relay {
		more = append(more, relayOptions(cfg.Member)...)
	}
	if cfg.NAT {
		more = append(more, natOptions()...)
	} else {
		more = append(more, closed()...)
	}
	more = append(more, cfg.Options...)
	h, err := start("member", cfg.Key, cfg.Listen, cfg.Tap, memberGater{cfg.Member}, memberLimits(), more)
	if err != nil || !cfg.NAT {
		return h, err
	}
	n, err := startNAT(h, cfg.Members)
	if err != nil {
		return nil, fmt.Errorf("start the member host: %w", errors.Join(err, h.Close()))
	}
	return n, nil
}

// closed are the options of a host that needs no help to be reached, and none to learn where it is.
func closed() []libp2p.Option {
	return []libp2p.Option{libp2p.DisableRelay(), libp2p.DisableIdentifyAddressDiscovery()}
}

// PublicConfig describes the host for everyone.
type PublicConfig struct {
	// Key is the identity of the public side, not that of the member.
	Key ed25519.PrivateKey
	// Listen is as in Config.
	Listen []string
}

// NewPublic starts a host for everyone. The caller closes it.
func NewPublic(cfg PublicConfig) (host.Host, error) {
	return start("public", cfg.Key, cfg.Listen, nil, inboundGater{}, publicLimits(), closed())
}

// NewReader starts a host that only dials, with a key that is forgotten: the side of `fedlam pull`.
func NewReader(key ed25519.PrivateKey) (host.Host, error) {
	return start("reading", key, nil, nil, outboundGater{}, publicLimits(), closed())
}

func start(what string, key ed25519.PrivateKey, listen []string, tap Tap, gate gater, limits rcmgr.Limiter, more []libp2p.Option) (host.Host, error) {
	identity, err := crypto.UnmarshalEd25519PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("start the %s host: %w", what, err)
	}
	resources, err := rcmgr.NewResourceManager(limits)
	if err != nil {
		return nil, fmt.Errorf("start the %s host: %w", what, err)
	}
	options := append([]libp2p.Option{
		libp2p.Identity(identity), libp2p.NoListenAddrs,
		libp2p.ConnectionGater(gate), libp2p.ResourceManager(resources),
		libp2p.DisableMetrics(), libp2p.Ping(false),
		libp2p.UserAgent("fedlam"), libp2p.ProtocolVersion("fedlam/1"),
		// Without reuseport a port that is taken is an error instead of a coin toss for each connection.
		libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport()),
	}, more...)
	if tap == nil {
		options = append(options, libp2p.Transport(quic.NewTransport), libp2p.Security(libp2ptls.ID, libp2ptls.New))
	} else {
		options = append(options, libp2p.Security(libp2ptls.ID, tapped(tap)))
	}
	h, err := libp2p.New(options...)
	if err != nil {
		return nil, fmt.Errorf("start the %s host: %w", what, errors.Join(err, resources.Close()))
	}
	for _, address := range listen {
		if err := listenOn(h, address, tap != nil); err != nil {
			return nil, fmt.Errorf("start the %s host: %w", what, errors.Join(err, h.Close()))
		}
	}
	return h, nil
}

// Listen makes h listen on one address more; ErrPortInUse says that another program does already.
func Listen(h host.Host, address string) error { return listenOn(h, address, false) }

// listenOn adds one address; each is tried alone, because libp2p is content when any of several works.
func listenOn(h host.Host, address string, tapped bool) error {
	a, err := ma.NewMultiaddr(address)
	if err != nil {
		return fmt.Errorf("listen address %q: %w; it should look like /ip4/0.0.0.0/tcp/4101", address, err)
	}
	if _, err := a.ValueForProtocol(ma.P_UDP); err == nil && tapped {
		return nil
	}
	if err := h.Network().Listen(a); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) || isInUse(err) {
			return fmt.Errorf("listen on %s: %w (%w)", address, ErrPortInUse, err)
		}
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	return nil
}

// ID returns the libp2p name of a public key.
func ID(key ed25519.PublicKey) (peer.ID, error) {
	k, err := crypto.UnmarshalEd25519PublicKey(key)
	if err != nil {
		return "", err
	}
	return peer.IDFromPublicKey(k)
}

// Addresses returns where h can be reached, each with its /p2p/ part.
func Addresses(h host.Host) []string {
	var out []string
	for _, a := range h.Addrs() {
		out = append(out, a.String()+"/p2p/"+h.ID().String())
	}
	return out
}
