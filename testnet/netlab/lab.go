package netlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

// ErrUnavailable is wrapped when this computer or user cannot have network namespaces.
var ErrUnavailable = errors.New("network namespaces cannot be made here: run as root, or under `unshare -Ur`, on Linux with /dev/net/tun")

// ErrAddress refuses an address that is taken or that sites cannot reach.
var ErrAddress = errors.New("want an IPv4 address of 64.0.0.0/2 that nobody has yet")

// Config of a Lab.
type Config struct {
	// Seed of the generators that decide which packets are lost.
	Seed uint64
}

// A Lab joins sites. Its methods may be called from many goroutines.
type Lab struct {
	cfg Config

	mu     sync.Mutex
	public map[netip.Addr]port // who takes packets for an address
	sites  []*Site
}

// A port takes packets that are for it.
type port interface{ arrive(packet) }

// New makes an empty Lab, after trying whether it can have sites. The caller closes it.
func New(cfg Config) (*Lab, error) {
	s, err := openSite()
	if err != nil {
		return nil, err
	}
	return &Lab{cfg: cfg, public: map[netip.Addr]port{}}, s.close()
}

// Join adds a site with a public address.
func (l *Lab) Join(a netip.Addr) (*Site, error) {
	return l.join(a, l.route, func(s *Site) error { return l.publish(a, s) })
}

// join makes a site whose packets go to out.
func (l *Lab) join(a netip.Addr, out func(packet), register func(*Site) error) (*Site, error) {
	if !a.Is4() || a.As4()[0]>>6 != 1 {
		return nil, fmt.Errorf("join %s: %w", a, ErrAddress)
	}
	s, err := openSite()
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", a, err)
	}
	seed := l.cfg.Seed<<32 + uint64(binary.BigEndian.Uint32(a.AsSlice())) // of its own for every address
	s.up, s.down = newWire(seed, 1, out), newWire(seed, 2, s.write)
	s.start()
	if err := errors.Join(s.configure(a), register(s)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sites = append(l.sites, s)
	return s, nil
}

func (l *Lab) publish(a netip.Addr, p port) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.public[a] != nil {
		return fmt.Errorf("publish %s: %w", a, ErrAddress)
	}
	l.public[a] = p
	return nil
}

// route hands a packet to who has its destination; nobody else is told.
func (l *Lab) route(p packet) {
	l.mu.Lock()
	to := l.public[p.destination().Addr()]
	l.mu.Unlock()
	if to != nil {
		to.arrive(p)
	}
}

// Close ends all sites. Processes that run in them lose the network.
func (l *Lab) Close() error {
	l.mu.Lock()
	sites := l.sites
	l.sites, l.public = nil, map[netip.Addr]port{}
	l.mu.Unlock()
	var errs []error
	for _, s := range sites {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
