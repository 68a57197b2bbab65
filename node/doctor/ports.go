package doctor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/node/p2p"
)

// PortFacts tell what became of the listen addresses of node.toml.
type PortFacts struct {
	// Running says that the node runs, and listens itself.
	Running bool
	// Listen are the addresses in the order of node.toml.
	Listen []Listen
}

// Listen is a listen address and why nothing can be received there; nil when it can.
type Listen struct {
	Address string
	Err     error
}

// Ports checks that the node listens where its owner said, or could if it ran.
func Ports(f PortFacts) []Finding {
	var out []Finding
	var good []string
	has := map[string]bool{}
	for _, l := range f.Listen {
		has[transportOf(l.Address)] = true
		if l.Err == nil {
			good = append(good, l.Address)
			continue
		}
		out = append(out, Finding{Check: PortsCheck, State: Failed, Text: notListening(f.Running, l), Next: freePort(f.Running, l)})
	}
	if len(good) > 0 {
		what := "nothing else holds "
		if f.Running {
			what = "the node listens on "
		}
		text := what + strings.Join(good, " and ")
		for _, kind := range []string{"quic", "tcp"} {
			if !has[kind] {
				text += fmt.Sprintf("; %s is not among the listen addresses, so members whose network blocks %s cannot dial you", strings.ToUpper(kind), otherTransport[kind])
			}
		}
		out = append(out, Finding{Check: PortsCheck, State: OK, Text: text})
	}
	return out
}

var otherTransport = map[string]string{"quic": "TCP", "tcp": "UDP"}

func notListening(running bool, l Listen) string {
	switch {
	case running:
		return "the node runs and does not listen on " + l.Address
	case errors.Is(l.Err, p2p.ErrPortInUse):
		return fmt.Sprintf("another program holds %s", l.Address)
	}
	return fmt.Sprintf("nothing can listen on %s: %v", l.Address, l.Err)
}

func freePort(running bool, l Listen) string {
	port := portOf(l.Address)
	switch {
	case running:
		return "start the node again"
	case errors.Is(l.Err, p2p.ErrPortInUse):
		return fmt.Sprintf("find the program with `ss -lpn sport = :%s` and stop it; another port under listen in node.toml would have to be forwarded from %s, because the list of members has that one", port, port)
	}
	return "correct listen in node.toml: an address looks like /ip4/0.0.0.0/tcp/4101, its port is above 1023, and the computer has the IP address or it is 0.0.0.0"
}
