package doctor

import (
	"maps"
	"slices"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
)

// transportOf names the transport of a multiaddress: "quic", "tcp" or "other".
func transportOf(address string) string {
	switch {
	case strings.Contains(address, "/quic-v1"):
		return "quic"
	case strings.Contains(address, "/tcp/"):
		return "tcp"
	}
	return "other"
}

// portOf returns the TCP or UDP port of a multiaddress, or "" when it has none.
func portOf(address string) string {
	a, err := ma.NewMultiaddr(address)
	if err != nil {
		return ""
	}
	for _, code := range []int{ma.P_UDP, ma.P_TCP} {
		if port, err := a.ValueForProtocol(code); err == nil {
			return port
		}
	}
	return ""
}

// ipOf returns the IP address of a multiaddress, or "".
func ipOf(a ma.Multiaddr) string {
	for _, code := range []int{ma.P_IP4, ma.P_IP6} {
		if ip, err := a.ValueForProtocol(code); err == nil {
			return ip
		}
	}
	return ""
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
