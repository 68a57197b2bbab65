package node_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
)

// ask does something with the owner's API of a running node.
func (s *site) ask(t *testing.T, f func(ctx context.Context, c *local.Client) error) {
	t.Helper()
	client, err := local.Dial(s.home.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := f(t.Context(), client); err != nil {
		t.Fatalf("%s: %v", s.home.Config.Name, err)
	}
}

// waitEpoch returns when a node is in an epoch, as a member or not.
func (s *site) waitEpoch(t *testing.T, k uint64, member bool) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	patience := time.After(60 * time.Second)
	for {
		var e *ledger.Epoch
		var reply *localpb.EpochReply
		s.ask(t, func(ctx context.Context, c *local.Client) (err error) {
			if reply, err = c.Epoch(ctx); err == nil {
				e, err = ledger.DecodeEpoch(reply.Document)
			}
			return err
		})
		if e.K == k && reply.IsMember == member {
			return
		}
		select {
		case <-look.C:
		case <-patience:
			t.Fatalf("%s is in epoch %d, a member: %v; want epoch %d, %v", s.home.Config.Name, e.K, reply.IsMember, k, member)
		}
	}
}

// TestMembersChange has a fifth node join four, and one of the four leave at the same time, while they go on training.
func TestMembersChange(t *testing.T) {
	noLeaks(t)
	sites, d := newFederation(t, 4, home.Policy{MinCohort: 3})
	for _, s := range sites {
		s.start(t, s.config())
	}
	g, err := ledger.DecodeGenesis(d.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	joiner, m := newSite(t, "lab 4", home.Policy{MinCohort: 3})
	next := &ledger.Epoch{Genesis: g.CID(), K: 1, Prev: g.Epoch().CID(), Members: append(slices.Clone(g.Members[:3]), m), Heads: g.Heads, Rules: g.Rules}
	if err := node.Join(t.Context(), joiner.home, d, nil); err == nil || !strings.Contains(err.Error(), "--epoch") {
		t.Errorf("a node that the genesis does not list joins without an epoch: %v", err)
	}
	if err := node.Join(t.Context(), joiner.home, d, g.Epoch().Encode()); err == nil || !strings.Contains(err.Error(), "does not list") {
		t.Errorf("it joins with an epoch that does not list it: %v", err)
	}
	if err := node.Join(t.Context(), joiner.home, d, next.Encode()); err != nil {
		t.Fatal(err)
	}
	joiner.start(t, joiner.config())
	joiner.ask(t, func(ctx context.Context, c *local.Client) error {
		if err := c.Approve(ctx, next.Encode()); err == nil || !strings.Contains(err.Error(), "not a member") {
			t.Errorf("who is no member approves: %v", err)
		}
		return nil
	})
	for _, s := range sites[:3] {
		s.ask(t, func(ctx context.Context, c *local.Client) error { return c.Approve(ctx, next.Encode()) })
	}
	for _, s := range append(slices.Clone(sites[:3]), joiner) {
		s.waitEpoch(t, 1, true)
	}
	sites[3].waitEpoch(t, 1, false)
	certified := joiner.log.count(node.MsgCertified)
	joiner.log.wait(t, node.MsgCertified, certified+2)
	if text := sites[3].log.String(); !strings.Contains(text, "not a member since epoch 1") {
		t.Error("who has left is not told")
	}
	if f := find(t, sites[3].examine(t), doctor.IdentityCheck, "", "no member of federation \"test\" since epoch 1"); f.State != doctor.Warning {
		t.Errorf("%+v", f)
	}
	var status *localpb.StatusReply
	joiner.ask(t, func(ctx context.Context, c *local.Client) (err error) {
		status, err = c.Status(ctx)
		return err
	})
	if len(status.Members) != 4 || status.Members[3].Name != "lab 4" || !status.Members[0].Connected {
		t.Errorf("the joiner's status is %v", status)
	}
	checkPull(t, status.Weights, status.PublicAddresses, g.CID())
	joiner.stop(t)
	joiner.start(t, joiner.config()) // it finds its place again
	joiner.waitEpoch(t, 1, true)
	sites[3].stop(t)
	sites[3].start(t, sites[3].config())
	sites[3].waitEpoch(t, 1, false)
}
