package doctor_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/p2p"
)

func TestPorts(t *testing.T) {
	const quic, tcp = "/ip4/0.0.0.0/udp/4101/quic-v1", "/ip4/0.0.0.0/tcp/4101"
	taken := fmt.Errorf("listen: %w", p2p.ErrPortInUse)
	for _, c := range []struct {
		name string
		f    doctor.PortFacts
		want []want
	}{
		{"running", doctor.PortFacts{Running: true, Listen: []doctor.Listen{{quic, nil}, {tcp, nil}}},
			[]want{{doctor.OK, "the node listens on " + quic + " and " + tcp, ""}}},
		{"free", doctor.PortFacts{Listen: []doctor.Listen{{quic, nil}, {tcp, nil}}}, []want{{doctor.OK, "nothing else holds", ""}}},
		{"TCP taken", doctor.PortFacts{Listen: []doctor.Listen{{quic, nil}, {tcp, taken}}},
			[]want{{doctor.Failed, "another program holds " + tcp, "`ss -lpn sport = :4101`"}, {doctor.OK, "nothing else holds " + quic, ""}}},
		{"not ours to use", doctor.PortFacts{Listen: []doctor.Listen{{"/ip4/0.0.0.0/tcp/80", errors.New("permission denied")}}},
			[]want{{doctor.Failed, "nothing can listen on /ip4/0.0.0.0/tcp/80: permission denied", "above 1023"}}},
		{"running and deaf", doctor.PortFacts{Running: true, Listen: []doctor.Listen{{quic, errors.New("gone")}}},
			[]want{{doctor.Failed, "does not listen on " + quic, "start the node again"}}},
		{"TCP alone", doctor.PortFacts{Listen: []doctor.Listen{{tcp, nil}}}, []want{{doctor.OK, "QUIC is not among the listen addresses, so members whose network blocks TCP", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, doctor.Ports(c.f), c.want...) })
	}
}
