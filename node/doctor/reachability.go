package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
)

// ReachFacts are the attempts of this node and one other member to connect to each other.
type ReachFacts struct {
	// Self and Member are the names.
	Self, Member string
	// Joins is the epoch with which this node becomes a member, 0 when it is one. Until a quorum has approved of that, members hang up.
	Joins uint64
	// Out are this node's attempts at the addresses that the list of members has for the member.
	Out []Path
	// Hung says why the member, reached, did not answer; "" when it did.
	Hung string
	// In are the member's attempts, unless InErr says why there are none.
	In    []Path
	InErr string
	// Inbound says that the member has a connection to this node that it opened itself.
	Inbound bool
	// Others says that messages can go by way of a third member, which was reached.
	Others bool
	// Behind says that no address of this computer is among those that the member dials, so that a router must forward them.
	Behind bool
}

// Reachability tells for both directions between this node and a member whether it is open, by which transport, what blocks it,
// and what that means. One direction is enough: a connection is used both ways, whoever opened it.
func Reachability(f ReachFacts) []Finding {
	out, in := f.outbound(), f.inbound()
	outOpen := opens(f.Out) && f.Hung == ""
	inOpen := opens(f.In) || f.Inbound
	switch {
	case outOpen || inOpen:
		one := outOpen != inOpen
		for _, finding := range []*Finding{&out, &in} {
			if finding.State == Failed {
				finding.State = Warning
			}
			if one && finding.State == Warning {
				finding.Text += "; the federation works all the same, because the other direction is open and one connection carries both"
			}
		}
	case f.Others:
		out.Text += "; what you and " + f.Member + " say to each other has to wait until others pass it on, and a step may end before"
	default:
		out.Text += "; nobody else was reached either, so this node takes part in nothing"
	}
	if f.Joins > 0 && out.State == Failed {
		out.State = Warning
		wait := fmt.Sprintf("until more than two thirds have approved of epoch %d, with which you join, members hang up on you", f.Joins)
		if f.Hung == "" {
			wait = out.Next + "; but " + wait
		}
		out.Next = wait
	}
	return []Finding{out, in}
}

func opens(paths []Path) bool {
	return slices.ContainsFunc(paths, func(p Path) bool { return p.Outcome == p2p.Reached })
}

// outbound judges this node's attempts.
func (f ReachFacts) outbound() Finding {
	finding := Finding{Check: ReachabilityCheck, Member: f.Member, State: OK, Paths: f.Out}
	direction := "you -> " + f.Member + ": "
	blocked := blockedTransports(f.Out)
	switch {
	case len(f.Out) == 0:
		finding.State = Failed
		finding.Text = direction + "the list of members has no address of " + f.Member
		finding.Next = "nothing here: only " + f.Member + " can open the connection"
	case !opens(f.Out):
		finding.State = Failed
		finding.Text = direction + "blocked: " + failures(f.Out)
		finding.Next = f.outNext(f.Out)
	case f.Hung != "":
		finding.State = Failed
		finding.Text = direction + "connected, but not served: " + f.Hung
		finding.Next = "ask " + f.Member + " whether its node runs, in which version, and whether the epoch it is in lists you"
	case len(blocked) > 0:
		finding.State = Warning
		finding.Text = direction + partly(f.Out, blocked)
		finding.Next = "the other transport is enough; " + f.outNext(blocked)
	default:
		finding.Text = direction + "ok " + open(f.Out)
	}
	return finding
}

// inbound judges the member's attempts.
func (f ReachFacts) inbound() Finding {
	finding := Finding{Check: ReachabilityCheck, Member: f.Member, State: OK, Paths: f.In}
	direction := f.Member + " -> you: "
	blocked := blockedTransports(f.In)
	switch {
	case f.InErr != "":
		finding.State = Skipped
		finding.Text = direction + f.InErr
		if f.Inbound {
			finding.Text += "; it has a connection to you that it opened itself"
		}
	case len(f.In) == 0:
		finding.State = Warning
		finding.Text = direction + "the list of members has no address of yours, so nobody can dial you"
		finding.Next = "nothing, as long as you can dial the others; else put your address on the card of the next federation"
	case !opens(f.In):
		finding.State = Failed
		finding.Text = direction + "blocked: " + failures(f.In)
		finding.Next = f.inNext(f.In)
	case len(blocked) > 0:
		finding.State = Warning
		finding.Text = direction + partly(f.In, blocked)
		finding.Next = "the other transport is enough; " + f.inNext(blocked)
	default:
		finding.Text = direction + "ok " + open(f.In)
	}
	return finding
}

// blockedTransports returns the attempts of those transports of which no address was reached.
func blockedTransports(paths []Path) (out []Path) {
	for _, p := range paths {
		same := func(q Path) bool { return q.Transport == p.Transport && q.Outcome == p2p.Reached }
		if !slices.ContainsFunc(paths, same) {
			out = append(out, p)
		}
	}
	return out
}

// open writes the fastest attempt of each transport that was reached: "12 ms (QUIC), 14 ms (TCP)".
func open(paths []Path) string {
	best := map[string]time.Duration{}
	for _, p := range paths {
		if was, there := best[p.Transport]; p.Outcome == p2p.Reached && (!there || p.Took < was) {
			best[p.Transport] = p.Took
		}
	}
	var parts []string
	for _, kind := range sortedNames(best) {
		parts = append(parts, fmt.Sprintf("%s (%s)", milliseconds(best[kind]), strings.ToUpper(kind)))
	}
	return strings.Join(parts, ", ")
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3g ms", d.Seconds()*1e3) }

// failures writes what came of attempts that failed: "no answer at /ip4/..., connection refused at /ip4/...".
func failures(paths []Path) string {
	var parts []string
	for _, p := range paths {
		parts = append(parts, fmt.Sprintf("%s at %s", p.Outcome, p.Address))
	}
	return strings.Join(parts, ", ")
}

// partly writes what is open and what is not: "ok 12 ms (QUIC), TCP blocked: no answer at /ip4/...".
func partly(all, blocked []Path) string {
	return "ok " + open(all) + ", " + strings.ToUpper(blocked[0].Transport) + " blocked: " + failures(blocked)
}

// openPorts writes the ports of addresses with their transports: "UDP port 4101 and TCP port 4101".
func openPorts(paths []Path) string {
	var parts []string
	for _, p := range paths {
		kind := map[string]string{"quic": "UDP", "tcp": "TCP"}[p.Transport]
		if text := kind + " port " + portOf(p.Address); kind != "" && !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " and ")
}

func has(paths []Path, o p2p.Outcome) bool {
	return slices.ContainsFunc(paths, func(p Path) bool { return p.Outcome == o })
}

// outNext says what to do about failed attempts of this node, the most telling first.
func (f ReachFacts) outNext(paths []Path) string {
	switch {
	case has(paths, p2p.OtherIdentity):
		return fmt.Sprintf("ask %s whether it made new keys or its address now belongs to another node: `fedlam init DIR --card` prints what it has", f.Member)
	case has(paths, p2p.NoSuchName):
		return "check that this computer's name service works, and ask " + f.Member + " whether its name is still right"
	case has(paths, p2p.NoRoute):
		return "check that this computer is online, and that it has IPv6 if the address begins with /ip6"
	case opens(f.Out) && (has(paths, p2p.Refused) || has(paths, p2p.TimedOut)):
		return fmt.Sprintf("ask %s to listen on %s and to open it in its firewall; if others reach it there, ask who runs your network to let it out", f.Member, openPorts(paths))
	case has(paths, p2p.Refused):
		return fmt.Sprintf("ask %s to start its node; if it runs, its router forwards %s to another computer or its firewall refuses it", f.Member, openPorts(paths))
	case has(paths, p2p.TimedOut):
		return fmt.Sprintf("ask %s to start its node and to open %s in its firewall; if others reach it, ask who runs your network to let %s out", f.Member, openPorts(paths), openPorts(paths))
	}
	return "show this to " + f.Member + ": its addresses in the list of members may be of no use"
}

// inNext says what to do about failed attempts of the member.
func (f ReachFacts) inNext(paths []Path) string {
	forward := ""
	if f.Behind {
		forward = ", and forward it in your router to this computer"
	}
	switch {
	case has(paths, p2p.OtherIdentity):
		return "find out which computer has your address in the list of members: another node answers there; forward " + openPorts(paths) + " to this one"
	case has(paths, p2p.NoSuchName):
		return "correct the entry of your name in the name service"
	case has(paths, p2p.Refused) || has(paths, p2p.TimedOut):
		return "open " + openPorts(paths) + " in your firewall" + forward
	case has(paths, p2p.NoRoute):
		return "nothing, if the address is of a network that " + f.Member + " is not in; else open " + openPorts(paths) + " in your firewall" + forward
	}
	return "open " + openPorts(paths) + " in your firewall" + forward
}
