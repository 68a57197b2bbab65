package node_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/proto/localpb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// examine makes the running node of a site examine itself, by way of its socket.
func (s *site) examine(t *testing.T) []doctor.Finding {
	t.Helper()
	client, err := local.Dial(s.home.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var out []doctor.Finding
	if err := client.Doctor(t.Context(), time.Second, func(e *localpb.DoctorEvent) error {
		if f := doctor.EventFrom(e).Finding; f != nil {
			out = append(out, *f)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// look examines the folder of a site whose node does not run.
func (s *site) look(t *testing.T) (out []doctor.Finding) {
	t.Helper()
	d := doctor.Open(s.home.Dir, "")
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	doctor.Examine(t.Context(), d, time.Second, func(e doctor.Event) {
		if e.Finding != nil {
			out = append(out, *e.Finding)
		}
	})
	return out
}

// find returns the finding of a check about a member whose text contains a part.
func find(t *testing.T, all []doctor.Finding, check, member, part string) doctor.Finding {
	t.Helper()
	i := slices.IndexFunc(all, func(f doctor.Finding) bool {
		return f.Check == check && f.Member == member && strings.Contains(f.Text, part)
	})
	if i < 0 {
		t.Fatalf("no finding of %s about %q says %q among\n%s", check, member, part, listed(all))
	}
	return all[i]
}

func listed(all []doctor.Finding) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s %s %s: %s | %s\n", f.State, f.Check, f.Member, f.Text, f.Next)
	}
	return b.String()
}

func TestDoctor(t *testing.T) {
	sites, _ := newFederation(t, 4, home.Policy{MinCohort: 3, Rounds: 2})
	for _, s := range sites[:3] {
		s.start(t, s.config())
	}
	for _, s := range sites[:3] {
		s.log.wait(t, node.MsgDone, 1)
	}
	// One of four members never ran.
	got := sites[0].examine(t)
	for _, c := range []struct{ check, member, text string }{
		{doctor.IdentityCheck, "", "this is lab 0"},
		{doctor.DiskCheck, "", "enough for a model"},
		{doctor.DiskCheck, "", "entries of the log can be read"},
		{doctor.PortsCheck, "", "the node listens on /ip4/127.0.0.1/udp/"},
		{doctor.ClockCheck, "", "the median of 2 members"},
		{doctor.TranslationCheck, "", "public: no address is translated on the way to 2 members"},
		{doctor.ReachabilityCheck, "lab 1", "you -> lab 1: ok"},
		{doctor.ReachabilityCheck, "lab 1", "lab 1 -> you: ok"},
		{doctor.AgreementCheck, "lab 2", "the same 2 certified rounds"},
	} {
		if f := find(t, got, c.check, c.member, c.text); f.State != doctor.OK {
			t.Errorf("%+v, want ok", f)
		}
	}
	away := find(t, got, doctor.ReachabilityCheck, "lab 3", "you -> lab 3: blocked: ")
	if away.State != doctor.Failed || !strings.Contains(away.Next, "ask lab 3 to start its node") || len(away.Paths) != 2 {
		t.Errorf("the member that is away: %+v", away)
	}
	if bad := slices.DeleteFunc(slices.Clone(got), func(f doctor.Finding) bool { return f.State == doctor.OK || f.Member == "lab 3" }); len(bad) > 0 {
		t.Errorf("without it not all is well:\n%s", listed(bad))
	}
	// It looks around without running.
	got = sites[3].look(t)
	if f := find(t, got, doctor.AgreementCheck, "lab 0", "you are 2 rounds behind lab 0 (0 of 2)"); f.State != doctor.Warning || f.Next != "start the node: it fetches what it lacks" {
		t.Errorf("%+v", f)
	}
	for _, name := range []string{"lab 0", "lab 1", "lab 2"} {
		for _, direction := range []string{"you -> " + name + ": ok", name + " -> you: ok"} {
			if f := find(t, got, doctor.ReachabilityCheck, name, direction); f.State != doctor.OK {
				t.Errorf("%+v", f)
			}
		}
	}
	find(t, got, doctor.PortsCheck, "", "nothing else holds")
	find(t, got, doctor.DiskCheck, "", "has not taken part yet")
	// And disturbed nobody: it can start, and the others do not believe that it had started before.
	sites[3].start(t, sites[3].config())
	sites[3].log.wait(t, node.MsgDone, 1)
	got = sites[0].examine(t)
	if bad := slices.DeleteFunc(slices.Clone(got), func(f doctor.Finding) bool { return f.State == doctor.OK && f.Next == "" }); len(bad) > 0 {
		t.Errorf("with everybody there not all is well:\n%s", listed(bad))
	}
	if f := find(t, got, doctor.AgreementCheck, "lab 3", "the same 2 certified rounds"); f.State != doctor.OK {
		t.Errorf("%+v", f)
	}
}

// paths returns the addresses that a finding rests on.
func paths(f doctor.Finding) (out []string) {
	for _, p := range f.Paths {
		out = append(out, p.Address)
	}
	return out
}

// An epoch adds lab 4 and gives lab 3 another address, while lab 1 is away.
func TestDoctorAfterAnEpoch(t *testing.T) {
	sites, d := newFederation(t, 4, home.Policy{MinCohort: 3})
	address := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(t))
	sites[3].home.Config.Listen = append(sites[3].home.Config.Listen, address)
	g, err := ledger.DecodeGenesis(d.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	joiner, m := newSite(t, "lab 4", home.Policy{MinCohort: 3})
	next := &ledger.Epoch{Genesis: g.CID(), K: 1, Prev: g.Epoch().CID(), Members: append(slices.Clone(g.Members), m), Heads: g.Heads, Rules: g.Rules}
	next.Members[3].Addresses = []string{address}
	if err := node.Join(t.Context(), joiner.home, d, next.Encode()); err != nil {
		t.Fatal(err)
	}
	running := []*site{sites[0], sites[2], sites[3]}
	for _, s := range running {
		s.start(t, s.config())
	}
	running[0].log.wait(t, node.MsgCertified, 1)
	got := joiner.look(t)
	f := find(t, got, doctor.IdentityCheck, "", "this is lab 4, not a member of federation \"test\" yet: it joins with epoch 1")
	away := find(t, got, doctor.ReachabilityCheck, "lab 0", "you -> lab 0: ")
	if f.State != doctor.Warning || away.State != doctor.Warning || !strings.Contains(away.Next, "approved of epoch 1") {
		t.Errorf("before anybody has approved:\n%s", listed(got))
	}
	joiner.start(t, joiner.config())
	for _, s := range running {
		s.ask(t, func(ctx context.Context, c *local.Client) error { return c.Approve(ctx, next.Encode()) })
	}
	for _, s := range append(running, joiner) {
		s.waitEpoch(t, 1, true)
	}

	got = joiner.examine(t)
	find(t, got, doctor.IdentityCheck, "", "this is lab 4 in federation \"test\", genesis "+g.CID().String()+", epoch 1")
	for _, name := range []string{"lab 0", "lab 2", "lab 3"} {
		for _, direction := range []string{"you -> " + name + ": ok", name + " -> you: ok"} {
			if f := find(t, got, doctor.ReachabilityCheck, name, direction); f.State != doctor.OK {
				t.Errorf("%+v", f)
			}
		}
		if f := find(t, got, doctor.AgreementCheck, name, ""); f.State == doctor.Failed || f.State == doctor.Skipped || strings.Contains(f.Text, "epoch") {
			t.Errorf("%+v", f)
		}
	}
	if f := find(t, got, doctor.ReachabilityCheck, "lab 3", "you -> lab 3: ok"); !slices.Equal(paths(f), next.Members[3].Addresses) {
		t.Errorf("lab 3 was dialled at %q, want %s", paths(f), address)
	}
	got = sites[3].examine(t)
	if f := find(t, got, doctor.ReachabilityCheck, "lab 0", "lab 0 -> you: ok"); !slices.Equal(paths(f), next.Members[3].Addresses) {
		t.Errorf("lab 0 dialled back at %q, want %s", paths(f), address)
	}
	find(t, got, doctor.ReachabilityCheck, "lab 4", "you -> lab 4: ok")

	got = sites[1].look(t)
	find(t, got, doctor.IdentityCheck, "", "this is lab 1 in federation \"test\", genesis "+g.CID().String()+", epoch 0")
	f = find(t, got, doctor.AgreementCheck, "lab 0", "lab 0 is in an epoch ("+next.CID().String()+") that your node does not know: you are in epoch 0")
	if f.State != doctor.Warning || f.Next != "start the node: it fetches what it lacks" {
		t.Errorf("%+v", f)
	}
	sites[1].start(t, sites[1].config())
	sites[1].waitEpoch(t, 1, true)
	got = sites[1].examine(t)
	find(t, got, doctor.IdentityCheck, "", ", epoch 1")
	find(t, got, doctor.ReachabilityCheck, "lab 4", "lab 4 -> you: ok")
}

func TestDoctorFindsABlockedDirection(t *testing.T) {
	sites, _ := newFederation(t, 3, home.Policy{MinCohort: 3, Rounds: 2})
	// The addresses of lab 2 in the genesis are not those where it listens, as behind a router that forwards nothing.
	sites[2].home.Config.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}
	for _, s := range sites {
		s.start(t, s.config())
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgDone, 1)
	}
	got := sites[2].examine(t)
	out := find(t, got, doctor.ReachabilityCheck, "lab 0", "you -> lab 0: ok")
	in := find(t, got, doctor.ReachabilityCheck, "lab 0", "lab 0 -> you: blocked: ")
	if out.State != doctor.OK || in.State != doctor.Warning || !strings.Contains(in.Text, "connection refused at /ip4/127.0.0.1/tcp/") ||
		!strings.Contains(in.Text, "one connection carries both") || !strings.Contains(in.Next, "in your firewall") {
		t.Errorf("out: %+v\nin: %+v", out, in)
	}
	got = sites[0].examine(t)
	out = find(t, got, doctor.ReachabilityCheck, "lab 2", "you -> lab 2: blocked: ")
	if out.State != doctor.Warning || !strings.Contains(out.Text, "one connection carries both") {
		t.Errorf("from the other side: %+v", out)
	}
	if f := find(t, got, doctor.AgreementCheck, "lab 2", ""); f.State != doctor.OK {
		t.Errorf("asked over the connection that lab 2 opened: %+v", f)
	}
}

func TestDoctorOfASpoiledFolder(t *testing.T) {
	sites, _ := newFederation(t, 3, home.Policy{MinCohort: 3})
	taken, err := p2p.New(p2p.Config{Key: sites[1].home.Identity, Listen: sites[0].home.Config.Listen[1:], Member: func(peer.ID) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	got := sites[0].look(t)
	if f := find(t, got, doctor.PortsCheck, "", "another program holds "+sites[0].home.Config.Listen[1]); f.State != doctor.Failed {
		t.Errorf("%+v", f)
	}
	f := find(t, got, doctor.ReachabilityCheck, "lab 1", "this node takes part in nothing")
	if f.State != doctor.Failed {
		t.Errorf("%+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := doctor.Open(t.TempDir(), "")
	defer d.Close()
	var seen []doctor.Finding
	doctor.Examine(ctx, d, 0, func(e doctor.Event) {
		if e.Finding != nil {
			seen = append(seen, *e.Finding)
		}
	})
	find(t, seen, doctor.IdentityCheck, "", "there is no node in")
	if f := find(t, seen, doctor.ReachabilityCheck, "", "not in order"); f.State != doctor.Skipped {
		t.Errorf("%+v", f)
	}
}
