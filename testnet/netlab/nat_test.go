package netlab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
)

// make4 makes a packet with right checksums.
func make4(protocol byte, from, to string) packet {
	size := map[byte]int{udp: 8, tcp: 20}[protocol]
	p := make(packet, 20+size+5)
	p[0], p[8], p[9] = 0x45, 64, protocol
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[20+size:], "hello")
	for i, text := range []string{from, to} {
		a := netip.MustParseAddrPort(text)
		ip := a.Addr().As4()
		copy(p[12+4*i:], ip[:])
		binary.BigEndian.PutUint16(p[20+2*i:], a.Port())
	}
	binary.BigEndian.PutUint16(p[10:], ^sum(p[:20]))
	at := map[byte]int{udp: 26, tcp: 36}[protocol]
	binary.BigEndian.PutUint16(p[at:], ^p.innerSum())
	return p
}

// sum is the one's complement sum of RFC 1071.
func sum(data []byte) uint16 {
	s := uint32(0)
	for k := 0; k < len(data); k += 2 {
		s += uint32(data[k]) << 8
		if k+1 < len(data) {
			s += uint32(data[k+1])
		}
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

// innerSum is the sum over the payload and the pseudo header.
func (p packet) innerSum() uint16 {
	n := len(p) - 20
	return sum(append(append(append([]byte{}, p[12:20]...), 0, p.protocol(), byte(n>>8), byte(n)), p[20:]...))
}

// sink keeps what arrives.
type sink struct{ got []packet }

func (s *sink) arrive(p packet) { s.got = append(s.got, p) }

// take returns the ends of the packets that arrived, and checks their checksums.
func (s *sink) take(t *testing.T) (out []string) {
	t.Helper()
	for _, p := range s.got {
		if a, b := sum(p[:20]), p.innerSum(); a != 0xffff || b != 0xffff {
			t.Errorf("checksums are wrong: %#x %#x", a, b)
		}
		out = append(out, fmt.Sprint(p.source(), ">", p.destination()))
	}
	s.got = nil
	return out
}

func TestNAT(t *testing.T) {
	const inner, a, b, home = "100.64.0.1:5000", "66.0.0.1:1", "66.0.0.2:2", "66.0.0.9"
	for _, protocol := range []byte{udp, tcp} {
		for _, c := range []struct {
			mapping Mapping
			second  string // public end towards b
		}{{Cone, home + ":20000"}, {Symmetric, home + ":20001"}} {
			lab := &Lab{public: map[netip.Addr]port{}}
			var outer, inside sink
			for _, x := range []string{a, b} {
				if err := lab.publish(netip.MustParseAddrPort(x).Addr(), &outer); err != nil {
					t.Fatal(err)
				}
			}
			n, err := lab.NAT(netip.MustParseAddr(home), c.mapping)
			if err != nil {
				t.Fatal(err)
			}
			n.inside[netip.MustParseAddrPort(inner).Addr()] = &inside
			check := func(what string, s *sink, want ...string) {
				t.Helper()
				if got := s.take(t); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("protocol %d, mapping %d, %s: got %v, want %v", protocol, c.mapping, what, got, want)
				}
			}
			lab.route(make4(protocol, a, home+":20000"))
			check("nobody asked", &inside)
			n.leave(make4(protocol, inner, a))
			check("outward", &outer, home+":20000>"+a)
			lab.route(make4(protocol, a, home+":20000"))
			check("the answer", &inside, a+">"+inner)
			lab.route(make4(protocol, b, home+":20000"))
			check("another's", &inside)
			lab.route(make4(protocol, "66.0.0.1:7", home+":20000"))
			check("another port's", &inside)
			n.leave(make4(protocol, inner, b))
			check("to another", &outer, c.second+">"+b)
			lab.route(make4(protocol, b, c.second))
			check("its answer", &inside, b+">"+inner)
			n.leave(make4(protocol, inner, a))
			check("again", &outer, home+":20000>"+a)
			if fromA, fromB := n.Passed(netip.MustParseAddrPort(a).Addr()), n.Passed(netip.MustParseAddrPort(b).Addr()); fromA != 1 || fromB != 1 {
				t.Errorf("%d packets from a and %d from b have passed, want one each", fromA, fromB)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := make4(udp, "66.0.0.1:1", "66.0.0.2:2")
	if _, ok := parse(good); !ok {
		t.Error("a good packet is refused")
	}
	for name, spoil := range map[string]func(p packet) packet{
		"nothing":        func(packet) packet { return nil },
		"cut":            func(p packet) packet { return p[:30] },
		"no ports":       func(p packet) packet { p = p[:24]; p[3] = 24; return p },
		"version 6":      func(p packet) packet { p[0] = 0x65; return p },
		"short header":   func(p packet) packet { p[0] = 0x44; return p },
		"long header":    func(p packet) packet { p[0] = 0x4f; return p },
		"fragment":       func(p packet) packet { p[7] = 1; return p },
		"more fragments": func(p packet) packet { p[6] = 0x20; return p },
	} {
		if _, ok := parse(spoil(append(packet{}, good...))); ok {
			t.Errorf("%s: accepted", name)
		}
	}
}
