package doctor

import (
	"fmt"
	"slices"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
)

// TranslationFacts tell from where members see this node.
type TranslationFacts struct {
	// Own are the addresses that the node listens on, with 0.0.0.0 replaced by those of the interfaces.
	Own []ma.Multiaddr
	// Listed are the node's addresses in the list of members.
	Listed []string
	// Seen are the addresses that members see.
	Seen []Seen
}

// Seen is the address at this node's end of a connection, as the member at the other end sees it. QUIC connections leave from the
// port that is listened on, so that theirs show what a router makes of it; the port of a TCP connection means nothing.
type Seen struct {
	Member  string
	Address ma.Multiaddr
}

// mapping is what members see of the QUIC port.
type mapping struct {
	// transport is quic, or tcp when no QUIC address is listened on: then only IP addresses can be compared.
	transport  string
	ips, ports []string // different ones, translated
	translated []string // members that see them
	untouched  []string // members that see an address of this computer
}

// Translation tells which kind of address translation (NAT) lies between this node and the others, in the terms of RFC 4787: an
// endpoint-independent mapping is the same towards all members, so that its port can be forwarded and announced; one that differs
// ("symmetric") cannot be announced.
func Translation(f TranslationFacts) []Finding {
	m := mappingOf(f)
	finding := Finding{Check: TranslationCheck, State: OK}
	switch port := ownPort(f.Own, m.transport); {
	case len(m.translated) == 0 && len(m.untouched) == 0:
		finding.State = Skipped
		finding.Text = "no member sees a QUIC connection of yours, so the kind of translation is unknown"
		finding.Next = "see reachability: where UDP is blocked, TCP is enough"
	case len(m.translated) == 0:
		finding.Text = fmt.Sprintf("public: no address is translated on the way to %s", count(len(m.untouched), "member"))
	case m.transport == "tcp":
		finding.State = Skipped
		finding.Text = fmt.Sprintf("a router translates your address to %s; without a QUIC listen address the kind is unknown", strings.Join(m.ips, " and "))
		finding.Next = forward(f, m, port)
	case len(m.translated) == 1:
		finding.State = Skipped
		finding.Text = fmt.Sprintf("a router translates your address to %s, and one member that sees it is too few to tell the kind", m.ips[0])
		finding.Next = forward(f, m, port)
	case len(m.ports) > 1:
		finding.State = Warning
		finding.Text = fmt.Sprintf("symmetric: a router translates your port %s to another one for each member (%s)", port, strings.Join(m.ports, ", "))
		if finding.Next = forward(f, m, port); finding.Next == "" {
			finding.State = OK
			finding.Text += "; the list of members has a forwarded address of yours, which is enough"
		}
	default:
		kind := "port-preserving"
		if m.ports[0] != port {
			kind = fmt.Sprintf("endpoint-independent (port %s becomes %s for all members)", port, m.ports[0])
		}
		finding.Text = fmt.Sprintf("%s: %s see you at %s, port %s", kind, count(len(m.translated), "member"), strings.Join(m.ips, " and "), m.ports[0])
		if finding.Next = forward(f, m, port); finding.Next != "" {
			finding.State = Warning
		}
	}
	return []Finding{finding}
}

func mappingOf(f TranslationFacts) mapping {
	m := mapping{transport: "quic"}
	if ownPort(f.Own, "quic") == "" {
		m.transport = "tcp"
	}
	for _, s := range f.Seen {
		ip, port := ipOf(s.Address), portOf(s.Address.String())
		own := func(a ma.Multiaddr) bool {
			return ipOf(a) == ip && (m.transport == "tcp" || portOf(a.String()) == port)
		}
		switch {
		case m.transport == "quic" && transportOf(s.Address.String()) != "quic":
		case slices.ContainsFunc(f.Own, own):
			m.untouched = added(m.untouched, s.Member)
		default:
			m.translated = added(m.translated, s.Member)
			m.ips, m.ports = added(m.ips, ip), added(m.ports, port)
		}
	}
	return m
}

func added(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// ownPort returns the port that is listened on by a transport, or "".
func ownPort(own []ma.Multiaddr, transport string) string {
	for _, a := range own {
		if transportOf(a.String()) == transport {
			return portOf(a.String())
		}
	}
	return ""
}

// forward says how to become reachable through a router; "" when the list of members has an address at it already.
func forward(f TranslationFacts, m mapping, port string) string {
	for _, text := range f.Listed {
		a, err := ma.NewMultiaddr(text)
		if err == nil && (slices.Contains(m.ips, ipOf(a)) || strings.HasPrefix(text, "/dns")) {
			return ""
		}
	}
	return fmt.Sprintf("the list of members has no address of yours at %s; so that members can dial you, forward port %s, TCP and UDP, in the router to this computer, and announce that address on the card of the next federation, "+
		"or of a node that takes your place with `fedlam epoch propose --rotate`. Until then you dial them, which is enough where they can be reached; two members that are both behind routers need one such port, "+
		"a third member that is a relay (`relay = true` under [network] in node.toml), or a network of their own (VPN)", strings.Join(m.ips, " and "), port)
}

// count writes "1 member" or "3 members".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
