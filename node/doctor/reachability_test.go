package doctor_test

import (
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/p2p"
)

const (
	bankQUIC, bankTCP = "/ip4/203.0.113.9/udp/4101/quic-v1", "/ip4/203.0.113.9/tcp/4101"
	labQUIC, labTCP   = "/ip4/198.51.100.7/udp/4001/quic-v1", "/ip4/198.51.100.7/tcp/4001"
)

func way(transport, address string, o p2p.Outcome) doctor.Path {
	return doctor.Path{Transport: transport, Address: address, Outcome: o, Took: 12 * time.Millisecond}
}

func TestReachability(t *testing.T) {
	both := func(quic, tcp string, q, p p2p.Outcome) []doctor.Path {
		return []doctor.Path{way("quic", quic, q), way("tcp", tcp, p)}
	}
	out := func(q, p p2p.Outcome) []doctor.Path { return both(bankQUIC, bankTCP, q, p) }
	in := func(q, p p2p.Outcome) []doctor.Path { return both(labQUIC, labTCP, q, p) }
	okOut := want{doctor.OK, "you -> bank: ok 12 ms (QUIC), 12 ms (TCP)", ""}
	okIn := want{doctor.OK, "bank -> you: ok 12 ms (QUIC), 12 ms (TCP)", ""}
	const unasked = "could not be asked"
	for _, c := range []struct {
		name string
		f    doctor.ReachFacts
		want [2]want
	}{
		{"open", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), In: in(p2p.Reached, p2p.Reached)}, [2]want{okOut, okIn}},
		{"TCP blocked to them", doctor.ReachFacts{Out: out(p2p.Reached, p2p.TimedOut), In: in(p2p.Reached, p2p.Reached)},
			[2]want{{doctor.Warning, "you -> bank: ok 12 ms (QUIC), TCP blocked: no answer at " + bankTCP, "ask bank to listen on TCP port 4101"}, okIn}},
		{"UDP blocked to us", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), In: in(p2p.TimedOut, p2p.Reached)},
			[2]want{okOut, {doctor.Warning, "bank -> you: ok 12 ms (TCP), QUIC blocked: no answer at " + labQUIC, "open UDP port 4001 in your firewall"}}},
		{"refused here, behind a router", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), In: in(p2p.Refused, p2p.Refused), Behind: true},
			[2]want{okOut, {doctor.Warning, "bank -> you: blocked: connection refused at " + labQUIC, "open UDP port 4001 and TCP port 4001 in your firewall, and forward it in your router"}}},
		{"one direction is enough", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), In: in(p2p.TimedOut, p2p.TimedOut)},
			[2]want{okOut, {doctor.Warning, "one connection carries both", "open UDP port 4001 and TCP port 4001"}}},
		{"they dialled us", doctor.ReachFacts{Out: out(p2p.TimedOut, p2p.TimedOut), In: in(p2p.Reached, p2p.Reached), Inbound: true},
			[2]want{{doctor.Warning, "works all the same", "to let UDP port 4101 and TCP port 4101 out"}, okIn}},
		{"they dialled us and cannot be asked", doctor.ReachFacts{Out: out(p2p.TimedOut, p2p.TimedOut), InErr: unasked, Inbound: true},
			[2]want{{doctor.Warning, "works all the same", "let"}, {doctor.Skipped, "opened itself", ""}}},
		{"away", doctor.ReachFacts{Out: out(p2p.TimedOut, p2p.Refused), InErr: unasked, Others: true},
			[2]want{{doctor.Failed, "you -> bank: blocked: no answer at " + bankQUIC + ", connection refused at " + bankTCP + "; what you and bank say to each other has to wait",
				"ask bank to start its node"}, {doctor.Skipped, unasked, ""}}},
		{"nobody is reached", doctor.ReachFacts{Out: out(p2p.NoRoute, p2p.NoRoute), InErr: unasked},
			[2]want{{doctor.Failed, "this node takes part in nothing", "this computer is online"}, {doctor.Skipped, unasked, ""}}},
		{"another node at their address", doctor.ReachFacts{Out: out(p2p.OtherIdentity, p2p.TimedOut), InErr: unasked},
			[2]want{{doctor.Failed, "another node answers there at " + bankQUIC, "made new keys"}, {doctor.Skipped, unasked, ""}}},
		{"their name is gone", doctor.ReachFacts{Out: out(p2p.NoSuchName, p2p.NoSuchName), InErr: unasked},
			[2]want{{doctor.Failed, "the name has no address", "name service"}, {doctor.Skipped, unasked, ""}}},
		{"something odd", doctor.ReachFacts{Out: out(p2p.DialFailed, p2p.DialFailed), InErr: unasked},
			[2]want{{doctor.Failed, "cannot connect", "show this to bank"}, {doctor.Skipped, unasked, ""}}},
		{"another node at our address", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), In: in(p2p.OtherIdentity, p2p.Reached)},
			[2]want{okOut, {doctor.Warning, "QUIC blocked: another node answers there", "which computer has your address"}}},
		{"our name is gone", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), In: in(p2p.NoSuchName, p2p.NoSuchName)},
			[2]want{okOut, {doctor.Warning, "the name has no address", "entry of your name"}}},
		{"no route to us", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), In: in(p2p.NoRoute, p2p.DialFailed)},
			[2]want{okOut, {doctor.Warning, "no route", "a network that bank is not in"}}},
		{"no address of theirs", doctor.ReachFacts{InErr: unasked, Others: true},
			[2]want{{doctor.Failed, "the list of members has no address of bank", "only bank can open"}, {doctor.Skipped, unasked, ""}}},
		{"no address of ours", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached)},
			[2]want{okOut, {doctor.Warning, "has no address of yours", "as long as you can dial the others"}}},
		{"connected and not served", doctor.ReachFacts{Out: out(p2p.Reached, p2p.Reached), Hung: "members only", InErr: unasked},
			[2]want{{doctor.Failed, "connected, but not served: members only", "whether the epoch it is in lists you"}, {doctor.Skipped, unasked, ""}}},
		{"hung up on before the epoch begins", doctor.ReachFacts{Joins: 2, Out: out(p2p.DialFailed, p2p.DialFailed), InErr: unasked},
			[2]want{{doctor.Warning, "cannot connect", "show this to bank: its addresses in the list of members may be of no use; but until more than two thirds have approved of epoch 2, with which you join, members hang up"}, {doctor.Skipped, unasked, ""}}},
		{"let in before the epoch begins", doctor.ReachFacts{Joins: 2, Out: out(p2p.Reached, p2p.Reached), In: in(p2p.Reached, p2p.Reached)}, [2]want{okOut, okIn}},
		{"one of several addresses is enough", doctor.ReachFacts{Out: append(out(p2p.Reached, p2p.Reached), way("tcp", "/ip4/10.0.0.1/tcp/4101", p2p.NoRoute)), In: in(p2p.Reached, p2p.Reached)},
			[2]want{okOut, okIn}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.f.Self, c.f.Member = "lab", "bank"
			got := doctor.Reachability(c.f)
			check(t, got, c.want[:]...)
			if got[0].Member != "bank" || len(got[0].Paths) != len(c.f.Out) || len(got[1].Paths) != len(c.f.In) {
				t.Errorf("the findings do not name the member and the attempts: %+v", got)
			}
		})
	}
}
