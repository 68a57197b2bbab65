package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/rpc"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// serve starts b, for which a is a member with the given addresses.
func serve(t *testing.T, b host.Host, in *inbox, a peer.ID, addresses ...ma.Multiaddr) *rpc.Network {
	t.Helper()
	n, err := rpc.New(rpc.Config{Host: b, Genesis: []byte("g"), Epoch: func() []byte { return []byte("e") }, Handler: in, Software: "fedlam test",
		Members: map[peer.ID][]ma.Multiaddr{a: addresses}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func visit(t *testing.T, a, b host.Host) *rpc.Visit {
	t.Helper()
	v, err := rpc.VisitAt(t.Context(), a, b.ID(), b.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

const anyTCP = "/ip4/127.0.0.1/tcp/0"

func TestExamine(t *testing.T) {
	for _, listen := range []string{anyPort, anyTCP} {
		a, b := newHost(t, "a", listen), newHost(t, "b", listen)
		in := newInbox(5)
		serve(t, b, in, a.ID())
		before := time.Now()
		got, err := visit(t, a, b).Examine(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Genesis) != "g" || string(got.Epoch) != "e" || got.Head.Finished != 5 || got.Software != "fedlam test" {
			t.Errorf("got %v", got)
		}
		if at := time.Unix(0, got.Time); at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("its time is %v", at)
		}
		observed, err := ma.NewMultiaddrBytes(got.Observed)
		if err != nil {
			t.Fatal(err)
		}
		if listen == anyPort && !observed.Equal(a.Addrs()[0]) {
			t.Errorf("seen at %s, want the port %s that is listened on", observed, a.Addrs()[0])
		}
		select {
		case <-in.greeted:
			t.Error("a visit greeted the member")
		default:
		}
	}
}

func TestVisitOverAConnectionThatIsThere(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	serve(t, b, newInbox(5), a.ID())
	if _, err := rpc.VisitConnected(t.Context(), a, b.ID()); err == nil {
		t.Fatal("visited without a connection")
	}
	if err := b.Connect(t.Context(), peer.AddrInfo{ID: a.ID(), Addrs: a.Addrs()}); err != nil {
		t.Fatal(err)
	}
	v, err := rpc.VisitConnected(t.Context(), a, b.ID())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if got, err := v.Examine(t.Context()); err != nil || got.Head.Finished != 5 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestStrangerIsNotExaminedNorDialled(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	serve(t, b, newInbox(5), id(t, "somebody else"), a.Addrs()...)
	v := visit(t, a, b)
	if got, err := v.Examine(t.Context()); status.Code(err) != codes.PermissionDenied {
		t.Errorf("Examine = %v, %v", got, err)
	}
	if got, err := v.DialBack(t.Context()); status.Code(err) != codes.PermissionDenied {
		t.Errorf("DialBack = %v, %v", got, err)
	}
}

func TestDialBack(t *testing.T) {
	a, b, other := newHost(t, "a", anyPort), newHost(t, "b", anyPort), newHost(t, "other", anyPort)
	gone := newHost(t, "gone", anyTCP)
	closed := gone.Addrs()[0]
	gone.Close()
	listed := []ma.Multiaddr{a.Addrs()[0], closed, other.Addrs()[0], ma.StringCast("/ip4/127.0.0.1/udp/9")}
	serve(t, b, newInbox(0), a.ID(), listed...)
	got, err := visit(t, a, b).DialBack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []p2p.Outcome{p2p.Reached, p2p.Refused, p2p.OtherIdentity, p2p.Unsupported}
	if len(got) != len(want) {
		t.Fatalf("%d attempts, want %d", len(got), len(want))
	}
	for i, attempt := range got {
		if rpc.OutcomeFrom(attempt.Outcome) != want[i] || attempt.Address != listed[i].String() || attempt.Nanoseconds < 0 {
			t.Errorf("attempt %d: %v, want %q at %s", i, attempt, want[i], listed[i])
		}
	}
}

// Once the members have agreed on other addresses, those are dialled, and the ones before are not.
func TestDialBackFollowsTheListOfMembers(t *testing.T) {
	a, b, gone := newHost(t, "a", anyTCP), newHost(t, "b", anyTCP), newHost(t, "gone", anyTCP)
	closed := gone.Addrs()[0]
	gone.Close()
	n := serve(t, b, newInbox(0), a.ID(), closed)
	v := visit(t, a, b)
	dials := func(want p2p.Outcome, at ma.Multiaddr) {
		t.Helper()
		got, err := v.DialBack(t.Context())
		if err != nil || len(got) != 1 || rpc.OutcomeFrom(got[0].Outcome) != want || got[0].Address != at.String() {
			t.Fatalf("%v, %v; want one attempt: %q at %s", got, err, want, at)
		}
	}
	dials(p2p.Refused, closed)
	if err := n.SetMembers(map[peer.ID][]ma.Multiaddr{a.ID(): a.Addrs()}); err != nil {
		t.Fatal(err)
	}
	dials(p2p.Reached, a.Addrs()[0])
	if ma.Contains(b.Peerstore().Addrs(a.ID()), closed) {
		t.Error("the address that is not listed any more would still be dialled")
	}
	if err := n.SetMembers(nil); err != nil {
		t.Fatal(err)
	}
	if got, err := v.DialBack(t.Context()); err == nil {
		t.Errorf("who is no member any more is dialled: %v", got)
	}
}

func TestDialBackRepliesInTime(t *testing.T) {
	a, b, gone := newHost(t, "a", anyPort), newHost(t, "b", anyPort), newHost(t, "gone", anyPort)
	silent := gone.Addrs()[0] // over UDP nobody says that nobody listens
	gone.Close()
	serve(t, b, newInbox(0), a.ID(), silent, silent, silent)
	v := visit(t, a, b)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got, err := v.DialBack(ctx)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d attempts, %v; want 3 in time", len(got), err)
	}
	for _, attempt := range got {
		if rpc.OutcomeFrom(attempt.Outcome) != p2p.TimedOut {
			t.Errorf("got %v, want %q", attempt, p2p.TimedOut)
		}
	}
}

func TestDialBackIsBounded(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	unsupported := ma.StringCast("/ip4/127.0.0.1/udp/9")
	var many []ma.Multiaddr
	for range 64 {
		many = append(many, unsupported)
	}
	serve(t, b, newInbox(0), a.ID(), many...)
	v := visit(t, a, b)
	for i := range 7 {
		got, err := v.DialBack(t.Context())
		switch {
		case i < 6 && (err != nil || len(got) != 8):
			t.Fatalf("request %d: %d attempts, %v; want 8", i, len(got), err)
		case i == 6 && status.Code(err) != codes.ResourceExhausted:
			t.Errorf("request %d: %v, want a refusal", i, err)
		}
	}
}

func TestRecordOfOneRound(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	serve(t, b, newInbox(7), a.ID())
	v := visit(t, a, b)
	if got, err := v.Record(t.Context(), []byte("g"), 3); err != nil || !bytes.Equal(got, []byte("record 3")) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := v.Record(t.Context(), []byte("g"), 7); err == nil {
		t.Error("a round that is not finished was sent")
	}
	if _, err := v.Record(t.Context(), []byte("another"), 3); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a record of another federation: %v", err)
	}
}

func TestVisitEndsInTime(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort) // b does not serve
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cancel()
	if _, err := rpc.VisitAt(ctx, a, b.ID(), b.Addrs()[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := rpc.VisitAt(t.Context(), a, b.ID(), b.Addrs()[0]); !errors.Is(err, rpc.ErrNotServed) {
		t.Errorf("a host that does not speak the protocol: %v, want ErrNotServed", err)
	}
}

func TestOutcomesOnTheWire(t *testing.T) {
	if got := rpc.OutcomeFrom(peerpb.DialOutcome(99)); got != p2p.DialFailed {
		t.Errorf("an unknown outcome is %q", got)
	}
	if got := rpc.OutcomeFrom(peerpb.DialOutcome_DIAL_OUTCOME_NO_ROUTE); got != p2p.NoRoute {
		t.Errorf("no route is %q", got)
	}
}
