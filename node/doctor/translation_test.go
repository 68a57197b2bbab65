package doctor_test

import (
	"fmt"
	"testing"

	"github.com/fedlam/fedlam/node/doctor"
	ma "github.com/multiformats/go-multiaddr"
)

func TestTranslation(t *testing.T) {
	own := []ma.Multiaddr{ma.StringCast("/ip4/192.168.1.5/udp/4101/quic-v1"), ma.StringCast("/ip4/192.168.1.5/tcp/4101")}
	seen := func(addresses ...string) (out []doctor.Seen) {
		for i, a := range addresses {
			out = append(out, doctor.Seen{Member: fmt.Sprint(i), Address: ma.StringCast(a)})
		}
		return out
	}
	const outside, same = "/ip4/198.51.100.7/udp/4101/quic-v1", "/ip4/192.168.1.5/udp/4101/quic-v1"
	const moved = "/ip4/198.51.100.7/udp/60001/quic-v1"
	twice := seen(moved, "/ip4/198.51.100.7/udp/60002/quic-v1")
	twice[1].Member = twice[0].Member
	for _, c := range []struct {
		name   string
		listed string
		seen   []doctor.Seen
		want   want
	}{
		{"nobody sees it", "", nil, want{doctor.Skipped, "unknown", "TCP is enough"}},
		{"TCP tells nothing", "", seen("/ip4/198.51.100.7/tcp/5000", "/ip4/198.51.100.7/tcp/5000"), want{doctor.Skipped, "unknown", "reachability"}},
		{"public", "", seen(same, same), want{doctor.OK, "public: no address is translated on the way to 2 members", ""}},
		{"one outside", "", seen(same, outside), want{doctor.Skipped, "too few", "forward port 4101, TCP and UDP"}},
		{"port kept, not announced", "/ip4/192.168.1.5/tcp/4101", seen(outside, outside),
			want{doctor.Warning, "port-preserving: 2 members see you at 198.51.100.7, port 4101", "forward port 4101, TCP and UDP"}},
		{"port kept, announced", "/ip4/198.51.100.7/tcp/4101", seen(outside, outside, same), want{doctor.OK, "port-preserving", ""}},
		{"announced by name", "/dns4/lab.example.org/tcp/4101", seen(outside, outside), want{doctor.OK, "port-preserving", ""}},
		{"another port for all", "", seen(moved, moved), want{doctor.Warning, "endpoint-independent (port 4101 becomes 60001 for all members)", "relay = true"}},
		{"symmetric", "", seen(moved, "/ip4/198.51.100.7/udp/60002/quic-v1"),
			want{doctor.Warning, "symmetric: a router translates your port 4101 to another one for each member (60001, 60002)", "forward port 4101"}},
		{"one member at two addresses", "", twice, want{doctor.Skipped, "one member that sees it is too few", "forward"}},
		{"symmetric with a forwarded port", "/ip4/198.51.100.7/udp/4101/quic-v1", seen(moved, outside), want{doctor.OK, "symmetric", ""}},
		{"IPv6", "", seen("/ip6/2001:db8::1/udp/4101/quic-v1", "/ip6/2001:db8::1/udp/4101/quic-v1"), want{doctor.Warning, "2001:db8::1", "forward"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			check(t, doctor.Translation(doctor.TranslationFacts{Own: own, Listed: []string{c.listed}, Seen: c.seen}), c.want)
		})
	}
}

func TestTranslationWithoutQUIC(t *testing.T) {
	own := []ma.Multiaddr{ma.StringCast("/ip4/192.168.1.5/tcp/4101")}
	for _, c := range []struct {
		name, seen string
		want       want
	}{
		{"public", "/ip4/192.168.1.5/tcp/51234", want{doctor.OK, "public", ""}},
		{"translated", "/ip4/198.51.100.7/tcp/51234", want{doctor.Skipped, "without a QUIC listen address the kind is unknown", "forward port 4101"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := []doctor.Seen{{Member: "a", Address: ma.StringCast(c.seen)}, {Member: "b", Address: ma.StringCast(c.seen)}}
			check(t, doctor.Translation(doctor.TranslationFacts{Own: own, Seen: seen}), c.want)
		})
	}
}
