package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
)

type epochCmd struct {
	Show    epochShowCmd    `cmd:"" help:"See who the members are, and which changes are proposed."`
	Propose epochProposeCmd `cmd:"" help:"Write down a change of members for their owners to approve."`
	Approve epochApproveCmd `cmd:"" help:"Approve a change of members."`
}

// Help is shown by `fedlam epoch --help`.
func (epochCmd) Help() string {
	return `An epoch is a list of members with its rules. It lasts at least 10 rounds; then the owners of more than two thirds of its members can
replace it by the next one: institutions join or leave, are expelled, or go on with other keys. Somebody proposes a document,
every owner who agrees approves it, and once enough have the nodes change over by themselves between two rounds, without being stopped.

A new member makes a node and a card with fedlam init, gets the founding folder and the proposed document, and runs fedlam join with
--epoch; its node waits until the epoch begins.`
}

type epochShowCmd struct {
	Home string `required:"" placeholder:"DIR" help:"Folder of your node, which must run."`
}

// Help is shown by `fedlam epoch show --help`.
func (epochShowCmd) Help() string {
	return `Example:
  fedlam epoch show --home lab`
}

type epochProposeCmd struct {
	Home   string            `required:"" placeholder:"DIR" help:"Folder of your node, which must run."`
	Add    []string          `sep:"none" placeholder:"CARD" help:"Card of an institution that joins. May be repeated."`
	Remove []string          `sep:"none" placeholder:"NAME" help:"Name of a member that leaves or is expelled. May be repeated."`
	Rotate map[string]string `mapsep:"none" placeholder:"NAME=CARD" help:"Member that goes on with the keys of another node, and the card of that. May be repeated."`
	Reason string            `help:"Why, for the others."`
	Out    string            `placeholder:"F" help:"File for the document; default epoch-<number>.cbor."`
}

// Help is shown by `fedlam epoch propose --help`.
func (epochProposeCmd) Help() string {
	return `Makes the document of the next epoch from the newest certified one, and says what it changes. Proposing approves of nothing: give the
document to the owners of all members, yours included, for fedlam epoch approve.

At once can leave or rotate their keys: as many members as the epoch can miss, at least one; can join: so many that those who stay are
still more than two thirds. The conventions of who joins must be among the federation's heads.

Example:
  fedlam epoch propose --home lab --add north.card.json --remove "South Lab" --reason "South Lab has closed"`
}

type epochApproveCmd struct {
	Home     string `required:"" placeholder:"DIR" help:"Folder of your node, which must run."`
	Document string `arg:"" help:"File with the document, or its CID once another owner has approved it."`
}

// Help is shown by `fedlam epoch approve --help`.
func (epochApproveCmd) Help() string {
	return `Says what the next epoch changes and gives this member's approval, which stands until an epoch ends or you approve another document.
The epoch begins when more than two thirds of the members approve and the one before has lasted 10 rounds.

Example:
  fedlam epoch approve --home lab epoch-1.cbor`
}

// withEpoch asks the running node of a folder for the epoch in force, and does something with it while connected.
func withEpoch(ctx context.Context, home string, do func(c *local.Client, reply *localpb.EpochReply, e *ledger.Epoch) error) error {
	client, err := local.Dial(home)
	if err != nil {
		return err
	}
	defer client.Close()
	reply, err := client.Epoch(ctx)
	if err != nil {
		return err
	}
	e, err := ledger.DecodeEpoch(reply.Document)
	if err != nil {
		return err
	}
	return do(client, reply, e)
}

func (c *epochShowCmd) Run(ctx context.Context) error {
	return withEpoch(ctx, c.Home, c.show)
}

func (c *epochShowCmd) show(_ *local.Client, reply *localpb.EpochReply, e *ledger.Epoch) error {
	fmt.Printf("epoch %d, %s, of the federation %s\n", e.K, e.CID(), e.Genesis)
	for _, m := range e.Members {
		fmt.Printf("  member %s  %s...  heads %s\n", m.Name, m.ID.String()[:12], strings.Join(m.Heads, " "))
	}
	if !reply.IsMember {
		fmt.Println("  this node is not one of them, or not yet")
	}
	fmt.Printf("  %d of %d members decide; round %d may be the last, %d are certified\n", e.Quorum(), len(e.Members), reply.RipeAt, reply.Finished)
	for _, p := range reply.Proposals {
		next, err := ledger.DecodeEpoch(p.Document)
		if err != nil {
			return err
		}
		printChange(os.Stdout, e, next)
		fmt.Printf("  approved by %d of %d members: %s\n", len(p.ApprovedBy), len(e.Members), strings.Join(p.ApprovedBy, ", "))
	}
	return nil
}

// printChange tells what an owner consents to.
func printChange(w io.Writer, before, next *ledger.Epoch) {
	fmt.Fprintf(w, "proposed epoch %d, %s\n", next.K, next.CID())
	for _, text := range next.Differences(before) {
		fmt.Fprintf(w, "  %s\n", text)
	}
	if next.Reason != "" {
		fmt.Fprintf(w, "  reason: %q\n", next.Reason)
	}
}

func (c *epochProposeCmd) Run(ctx context.Context) error {
	change, err := c.change()
	if err != nil {
		return err
	}
	return withEpoch(ctx, c.Home, func(_ *local.Client, reply *localpb.EpochReply, before *ledger.Epoch) error {
		return c.write(change, reply, before)
	})
}

// write makes the document of the next epoch.
func (c *epochProposeCmd) write(change founding.Change, reply *localpb.EpochReply, before *ledger.Epoch) error {
	next, err := founding.Propose(before, change)
	if err != nil {
		return err
	}
	if c.Out == "" {
		c.Out = fmt.Sprintf("epoch-%d.cbor", next.K)
	}
	if err := disk.WriteFile(c.Out, next.Encode(), 0o644); err != nil {
		return err
	}
	printChange(os.Stdout, before, next)
	fmt.Printf("wrote %s; %d of %d members have to approve it, and it begins after round %d at the earliest\n", c.Out, before.Quorum(), len(before.Members), reply.RipeAt)
	return nil
}

// change reads the cards.
func (c *epochProposeCmd) change() (founding.Change, error) {
	change := founding.Change{Remove: c.Remove, Rotate: map[string]home.Card{}, Reason: c.Reason}
	if len(c.Add)+len(c.Remove)+len(c.Rotate) == 0 {
		return change, errors.New("say what is to change with --add, --remove or --rotate")
	}
	for _, path := range c.Add {
		card, err := home.ReadCard(path)
		if err != nil {
			return change, err
		}
		change.Add = append(change.Add, card)
	}
	for name, path := range c.Rotate {
		card, err := home.ReadCard(path)
		if err != nil {
			return change, err
		}
		change.Rotate[name] = card
	}
	return change, nil
}

func (c *epochApproveCmd) Run(ctx context.Context) error {
	return withEpoch(ctx, c.Home, func(client *local.Client, reply *localpb.EpochReply, before *ledger.Epoch) error {
		return c.approve(ctx, client, reply, before)
	})
}

func (c *epochApproveCmd) approve(ctx context.Context, client *local.Client, reply *localpb.EpochReply, before *ledger.Epoch) error {
	document, err := c.read(reply)
	if err != nil {
		return err
	}
	next, err := ledger.DecodeEpoch(document)
	if err != nil {
		return err
	}
	if err := client.Approve(ctx, document); err != nil {
		return err
	}
	printChange(os.Stdout, before, next)
	fmt.Printf("approved; %d of %d members have to, and it begins after round %d at the earliest\n", before.Quorum(), len(before.Members), reply.RipeAt)
	return nil
}

// read finds the document, in a file or among those that the node has heard of.
func (c *epochApproveCmd) read(reply *localpb.EpochReply) ([]byte, error) {
	f, err := os.Open(c.Document)
	if err == nil {
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, ledger.MaxEpoch+1))
	}
	want, notCID := parseCID(c.Document)
	if notCID != nil {
		return nil, fmt.Errorf("%w, and there is no file of that name", notCID)
	}
	for _, p := range reply.Proposals {
		if ledger.CIDOf(p.Document).Equals(want) {
			return p.Document, nil
		}
	}
	return nil, fmt.Errorf("the node has not heard of the proposal %s yet: fedlam epoch show lists those it has; or give the file", want)
}
