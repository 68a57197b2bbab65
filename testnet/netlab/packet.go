package netlab

import (
	"encoding/binary"
	"net/netip"
)

// Protocol numbers of IPv4 that have ports.
const (
	tcp = 6
	udp = 17
)

// A packet is one of IPv4, checked by parse.
type packet []byte

// parse says whether data is a whole IPv4 packet; with TCP or UDP in it, the ports are there.
func parse(data []byte) (packet, bool) {
	if len(data) < 20 || data[0]>>4 != 4 {
		return nil, false
	}
	p := packet(data)
	if h := p.header(); h < 20 || len(p) < h || int(binary.BigEndian.Uint16(p[2:])) != len(p) {
		return nil, false
	}
	if binary.BigEndian.Uint16(p[6:])&0x3fff != 0 { // a fragment
		return nil, false
	}
	switch p.protocol() {
	case tcp:
		return p, len(p) >= p.header()+20
	case udp:
		return p, len(p) >= p.header()+8
	}
	return p, true
}

func (p packet) header() int    { return int(p[0]&15) * 4 }
func (p packet) protocol() byte { return p[9] }

// hasPorts tells whether a NAT can do anything with the packet.
func (p packet) hasPorts() bool { return p.protocol() == tcp || p.protocol() == udp }

func (p packet) source() netip.AddrPort      { return p.end(12, 0) }
func (p packet) destination() netip.AddrPort { return p.end(16, 2) }

func (p packet) end(address, port int) netip.AddrPort {
	n := uint16(0)
	if p.hasPorts() {
		n = binary.BigEndian.Uint16(p[p.header()+port:])
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[address:])), n)
}

func (p packet) setSource(a netip.AddrPort)      { p.rewrite(12, 0, a) }
func (p packet) setDestination(a netip.AddrPort) { p.rewrite(16, 2, a) }

// rewrite changes one end of a packet with ports, and its checksums.
func (p packet) rewrite(address, port int, a netip.AddrPort) {
	h := p.header()
	inner := h + 16 // of TCP
	if p.protocol() == udp {
		inner = h + 6
	}
	was := append(append([]byte{}, p[address:address+4]...), p[h+port:h+port+2]...)
	ip := a.Addr().As4()
	copy(p[address:], ip[:])
	binary.BigEndian.PutUint16(p[h+port:], a.Port())
	now := append(append([]byte{}, p[address:address+4]...), p[h+port:h+port+2]...)
	adjust(p[10:12], was[:4], now[:4])
	if p.protocol() == udp && p[inner] == 0 && p[inner+1] == 0 {
		return // sent without a checksum
	}
	adjust(p[inner:inner+2], was, now)
}

// adjust updates a checksum for bytes that were replaced, by RFC 1624, equation 3.
func adjust(sum, was, now []byte) {
	s := uint32(^binary.BigEndian.Uint16(sum))
	for k := 0; k < len(was); k += 2 {
		s += uint32(^binary.BigEndian.Uint16(was[k:])) + uint32(binary.BigEndian.Uint16(now[k:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	binary.BigEndian.PutUint16(sum, ^uint16(s))
}
