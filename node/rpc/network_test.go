package rpc_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/rpc"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

func key(name string) ed25519.PrivateKey {
	var seed [32]byte
	copy(seed[:], name)
	return ed25519.NewKeyFromSeed(seed[:])
}

func id(t *testing.T, name string) peer.ID {
	t.Helper()
	p, err := p2p.ID(key(name).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newHost(t *testing.T, name, listen string) host.Host {
	t.Helper()
	h, err := p2p.New(p2p.Config{Key: key(name), Listen: []string{listen}, Member: func(peer.ID) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

type arrival struct {
	from peer.ID
	data []byte
}

// inbox is a Handler that passes on what it is given.
type inbox struct {
	finished uint64
	arrivals chan arrival
	greeted  chan uint64
}

func newInbox(finished uint64) *inbox {
	return &inbox{finished, make(chan arrival, 100), make(chan uint64, 100)}
}

func (b *inbox) Head() *peerpb.Head { return &peerpb.Head{Finished: b.finished} }

func (b *inbox) Greeted(_ peer.ID, head *peerpb.Head) { b.greeted <- head.GetFinished() }

func (b *inbox) Receive(_ context.Context, from peer.ID, envelope []byte) error {
	if string(envelope) == "poison" {
		return errors.New("not taken")
	}
	b.arrivals <- arrival{from, envelope}
	return nil
}

func (b *inbox) Round(_ context.Context, round uint64) (*peerpb.SyncReply, error) {
	if round == 40 {
		return nil, errors.New("the record is lost")
	}
	return &peerpb.SyncReply{Round: round, Record: fmt.Appendf(nil, "record %d", round)}, nil
}

func network(t *testing.T, h host.Host, handler rpc.Handler, genesis string, others ...host.Host) *rpc.Network {
	t.Helper()
	members := map[peer.ID][]ma.Multiaddr{}
	for _, o := range others {
		members[o.ID()] = o.Addrs()
	}
	n, err := rpc.New(rpc.Config{Host: h, Genesis: []byte(genesis), Members: members, Handler: handler, MaxPause: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

const anyPort = "/ip4/127.0.0.1/udp/0/quic-v1"

func TestDeliverInOrder(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	in := newInbox(0)
	na := network(t, a, newInbox(0), "g", b)
	network(t, b, in, "g", a)
	var want [][]byte
	for i := range 20 {
		want = append(want, bytes.Repeat([]byte{byte(i)}, 1<<(i%21)))
	}
	want = append(want, make([]byte, rpc.MaxEnvelope))
	if err := errors.Join(na.Send(b.ID(), 1, want[:7]...), na.Send(b.ID(), 2, want[7:]...)); err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		got := <-in.arrivals
		if got.from != a.ID() || !bytes.Equal(got.data, w) {
			t.Fatalf("envelope %d: %d bytes from %s, want %d", i, len(got.data), got.from, len(w))
		}
	}
}

func TestRefusedSends(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	n := network(t, a, newInbox(0), "g", b)
	if err := n.Send(b.ID(), 1, make([]byte, rpc.MaxEnvelope+1)); err == nil {
		t.Error("an envelope above the limit was queued")
	}
	if err := n.Send(id(t, "stranger"), 1, []byte("x")); err == nil {
		t.Error("sent to a stranger")
	}
}

func TestRestartedMemberGetsWhatWaited(t *testing.T) {
	a := newHost(t, "a", anyPort)
	first := newHost(t, "b", anyPort)
	na := network(t, a, newInbox(0), "g", first)
	nb := network(t, first, newInbox(0), "g", a)
	where := first.Addrs()[0].String()
	if err := errors.Join(nb.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(na.Send(first.ID(), 1, []byte("stale")), na.Send(first.ID(), 2, []byte("one"), []byte("two"))); err != nil {
		t.Fatal(err)
	}
	na.Discard(2)
	in := newInbox(0)
	network(t, newHost(t, "b", where), in, "g", a)
	for _, want := range []string{"one", "two"} {
		// At least once: an envelope may come again when its acknowledgement was lost.
		if got := <-in.arrivals; string(got.data) != want {
			t.Fatalf("got %q, want %q", got.data, want)
		}
	}
}

// zombie takes envelopes and never answers, as the connection to a killed process does.
type zombie struct {
	*inbox
	got chan struct{}
}

func (z zombie) Receive(ctx context.Context, _ peer.ID, _ []byte) error {
	close(z.got)
	<-ctx.Done()
	return ctx.Err()
}

func TestConnectionToAnEarlierProcessIsGivenUp(t *testing.T) {
	a, first := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	na := network(t, a, newInbox(0), "g", first)
	dead := zombie{newInbox(0), make(chan struct{})}
	network(t, first, dead, "g", a)
	if err := na.Send(first.ID(), 1, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	<-dead.got
	in := newInbox(0)
	network(t, newHost(t, "b", anyPort), in, "g", a) // the same member, started again elsewhere
	if got := <-in.arrivals; string(got.data) != "hello" {
		t.Errorf("got %q", got.data)
	}
}

func TestGreeting(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	ia, ib := newInbox(3), newInbox(5)
	network(t, a, ia, "g", b)
	network(t, b, ib, "g", a)
	if got := <-ia.greeted; got != 5 {
		t.Errorf("a heard of %d rounds, want 5", got)
	}
	if got := <-ib.greeted; got != 3 {
		t.Errorf("b heard of %d rounds, want 3", got)
	}
}

func TestSync(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	na := network(t, a, newInbox(0), "g", b)
	network(t, b, newInbox(3), "g", a)
	var got []string
	take := func(r *peerpb.SyncReply) error { got = append(got, string(r.Record)); return nil }
	if err := na.Sync(t.Context(), b.ID(), 1, take); err != nil {
		t.Fatal(err)
	}
	if want := "[record 1 record 2]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	stop := errors.New("bad record")
	if err := na.Sync(t.Context(), b.ID(), 0, func(*peerpb.SyncReply) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the error of take", err)
	}
	if err := na.Sync(t.Context(), b.ID(), ^uint64(0), take); err != nil {
		t.Errorf("after the last of all numbers: %v", err)
	}
}

func TestOtherFederationIsNotSynced(t *testing.T) {
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	na := network(t, a, newInbox(0), "g", b)
	network(t, b, newInbox(3), "another", a)
	if err := na.Sync(t.Context(), b.ID(), 0, func(*peerpb.SyncReply) error { return nil }); err == nil {
		t.Error("synced with a member of another federation")
	}
}

func TestConnectedStrangerIsNotServed(t *testing.T) {
	// Here the gater lets everybody in, so that the check of the service itself is seen.
	a, b := newHost(t, "a", anyPort), newHost(t, "b", anyPort)
	na := network(t, a, newInbox(0), "g", b)
	network(t, b, newInbox(3), "g")
	if err := na.Sync(t.Context(), b.ID(), 0, func(*peerpb.SyncReply) error { return nil }); err == nil {
		t.Error("a stranger was served")
	}
}

// TestMembersChange lets one member go and takes another in while the network runs.
func TestMembersChange(t *testing.T) {
	a, b, c := newHost(t, "a", anyPort), newHost(t, "b", anyPort), newHost(t, "c", anyPort)
	ib, ic := newInbox(0), newInbox(0)
	na := network(t, a, newInbox(0), "g", b)
	network(t, b, ib, "g", a)
	nc := network(t, c, ic, "g", a)
	if err := na.Send(b.ID(), 1, []byte("to b")); err != nil {
		t.Fatal(err)
	}
	<-ib.arrivals
	if err := nc.Sync(t.Context(), a.ID(), 0, func(*peerpb.SyncReply) error { return nil }); err == nil {
		t.Error("who is no member yet may ask")
	}
	if err := na.SetMembers(map[peer.ID][]ma.Multiaddr{c.ID(): c.Addrs()}); err != nil {
		t.Fatal(err)
	}
	if err := na.Send(b.ID(), 1, []byte("late")); err == nil {
		t.Error("sent to who is no member any more")
	}
	if err := na.Send(c.ID(), 1, []byte("to c")); err != nil {
		t.Fatal(err)
	}
	if got := <-ic.arrivals; string(got.data) != "to c" {
		t.Errorf("got %q", got.data)
	}
	if err := nc.Sync(t.Context(), a.ID(), 0, func(*peerpb.SyncReply) error { return nil }); err != nil {
		t.Errorf("a new member asks: %v", err)
	}
}
