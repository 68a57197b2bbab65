package netlab

import (
	"net/netip"
	"sync"
)

// Mapping is how a NAT chooses public ports (RFC 4787, section 4.1).
type Mapping int

const (
	// Cone uses one public port for an inner one, whoever is addressed: holes can be punched.
	Cone Mapping = iota
	// Symmetric uses another one for each destination: holes cannot be punched, and only a relay helps.
	Symmetric
)

const firstPort = 20000

// A NAT has one public address for the sites behind it. What comes from outside passes only as an answer: from an address and
// port that the inner end has sent to through the same public port (RFC 4787: address and port-dependent filtering).
type NAT struct {
	lab     *Lab
	public  netip.Addr
	mapping Mapping

	mu      sync.Mutex
	next    uint16
	inside  map[netip.Addr]port
	out     map[flow]uint16 // public port
	in      map[hole]netip.AddrPort
	allowed map[flow]bool
	passed  map[netip.Addr]int
}

// A flow is an inner end, or a public port for allowed, with whom it talks; the remote end is empty in a Cone's out.
type flow struct {
	protocol byte
	local    netip.AddrPort
	remote   netip.AddrPort
}

type hole struct {
	protocol byte
	port     uint16
}

// NAT adds a NAT with a public address.
func (l *Lab) NAT(public netip.Addr, m Mapping) (*NAT, error) {
	n := &NAT{lab: l, public: public, mapping: m, next: firstPort, inside: map[netip.Addr]port{},
		out: map[flow]uint16{}, in: map[hole]netip.AddrPort{}, allowed: map[flow]bool{}, passed: map[netip.Addr]int{}}
	return n, l.publish(public, n)
}

// Join adds a site behind the NAT.
func (n *NAT) Join(a netip.Addr) (*Site, error) {
	return n.lab.join(a, n.leave, func(s *Site) error {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.inside[a] != nil {
			return ErrAddress
		}
		n.inside[a] = s
		return nil
	})
}

// Passed returns how many packets from a public address have come in.
func (n *NAT) Passed(from netip.Addr) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.passed[from]
}

// leave translates a packet on its way out; one site reaches another of the same NAT directly.
func (n *NAT) leave(p packet) {
	n.mu.Lock()
	to := n.inside[p.destination().Addr()]
	if to == nil && p.hasPorts() {
		n.translate(p)
	}
	n.mu.Unlock()
	switch {
	case to != nil:
		to.arrive(p)
	case p.hasPorts():
		n.lab.route(p)
	}
}

func (n *NAT) translate(p packet) {
	protocol, local, remote := p.protocol(), p.source(), p.destination()
	f := flow{protocol, local, netip.AddrPort{}}
	if n.mapping == Symmetric {
		f.remote = remote
	}
	port, ok := n.out[f]
	if !ok {
		port = n.next
		n.next++
		n.out[f], n.in[hole{protocol, port}] = port, local
	}
	outer := netip.AddrPortFrom(n.public, port)
	n.allowed[flow{protocol, outer, remote}] = true
	p.setSource(outer)
}

// arrive lets answers in and drops the rest.
func (n *NAT) arrive(p packet) {
	if !p.hasPorts() {
		return
	}
	n.mu.Lock()
	local, ok := n.in[hole{p.protocol(), p.destination().Port()}]
	ok = ok && n.allowed[flow{p.protocol(), p.destination(), p.source()}]
	to := n.inside[local.Addr()]
	if ok = ok && to != nil; ok {
		n.passed[p.source().Addr()]++
	}
	n.mu.Unlock()
	if ok {
		p.setDestination(local)
		to.arrive(p)
	}
}
