package testnet

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/sync/errgroup"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/ports"
	"github.com/fedlam/fedlam/testnet/proc"
)

// found makes a node for every member, the genesis from their cards, and lets them join it.
func (r *run) found(ctx context.Context) error {
	cards, err := r.cfg.Folder.makeDir("cards")
	if err != nil {
		return err
	}
	if r.ports, err = ports.Find(2 * len(r.members)); err != nil {
		return err
	}
	genesis := []string{"genesis", r.cfg.Folder.Path("plan.toml")}
	all, inner := errgroup.WithContext(ctx)
	all.SetLimit(r.cfg.Manifest.BaselineSlots)
	for i, p := range r.members {
		n := &node{member: p, dir: r.cfg.Folder.Path("nodes", p.Name), faults: r.faults(p.Name)}
		r.nodes = append(r.nodes, n)
		card := filepath.Join(cards, p.Name+".json")
		genesis = append(genesis, card)
		all.Go(func() error { return r.initNode(inner, n, r.ports.List[2*i], r.ports.List[2*i+1], card) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	plan, err := r.cfg.Manifest.PlanText()
	if err != nil {
		return err
	}
	if err := os.WriteFile(genesis[1], plan, 0o644); err != nil {
		return err
	}
	founding := r.cfg.Folder.Path("founding")
	if err := r.verb(ctx, "genesis", append(genesis, "--out", founding)...); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(founding, ledger.GenesisFile))
	if err != nil {
		return err
	}
	g, err := ledger.DecodeGenesis(text)
	if err != nil {
		return err
	}
	r.console.say(us, "founded the federation, genesis %s", g.CID())
	return r.join(ctx, founding, g.CID().String())
}

func (r *run) join(ctx context.Context, founding, genesis string) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(r.cfg.Manifest.BaselineSlots)
	for _, n := range r.nodes {
		all.Go(func() error {
			return r.verb(ctx, n.Name+"-join", "join", n.dir, founding, "--genesis", genesis)
		})
	}
	return all.Wait()
}

// initNode makes one node and its card.
func (r *run) initNode(ctx context.Context, n *node, port, public int, card string) error {
	args := []string{"init", n.dir, "--name", n.Name, "--data", n.Data, "--convention", n.Convention,
		"--min-cohort", fmt.Sprint(*r.cfg.Manifest.Rules.MinCohort)}
	for _, a := range loopback(port) {
		args = append(args, "--listen", a)
	}
	for _, a := range loopback(public) {
		args = append(args, "--public", a)
	}
	if err := r.verb(ctx, n.Name+"-init", args...); err != nil {
		return err
	}
	if err := r.configure(n); err != nil {
		return err
	}
	var text bytes.Buffer
	err := r.group.Run(ctx, proc.Command{Name: n.Name + "-card", Path: r.cfg.Program, Args: []string{"init", n.dir, "--card"}, Stdout: &text})
	if err != nil {
		return err
	}
	return os.WriteFile(card, text.Bytes(), 0o644)
}

// loopback are the multiaddresses of a port on this computer.
func loopback(port int) []string {
	return []string{fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", port), fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)}
}

// configure enters in node.toml what `fedlam init` has no option for, as an owner would by hand.
func (r *run) configure(n *node) error {
	m := r.cfg.Manifest
	return edit(filepath.Join(n.dir, "node.toml"), map[string]map[string]any{
		"training": {"threads": m.Threads, "seed": m.Seed, "validation_fraction": n.ValidationFraction, "precision": string(m.ModelConfig().Precision())},
		"policy":   {"rounds": r.goal()},
	})
}

// release lets the nodes train on, without end, when they are started again.
func (r *run) release() error {
	for _, n := range r.nodes {
		if err := edit(filepath.Join(n.dir, "node.toml"), map[string]map[string]any{"policy": {"rounds": 0}}); err != nil {
			return err
		}
	}
	return nil
}

// edit changes values in the sections of a TOML file.
func edit(path string, changes map[string]map[string]any) error {
	var all map[string]any
	if _, err := toml.DecodeFile(path, &all); err != nil {
		return fmt.Errorf("read %q: %w", path, err)
	}
	for section, values := range changes {
		table, _ := all[section].(map[string]any)
		if table == nil {
			table = map[string]any{}
			all[section] = table
		}
		maps.Copy(table, values)
	}
	var b strings.Builder
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// faults are those of a member, in their order.
func (r *run) faults(name string) (out []manifest.Perturbation) {
	for _, f := range r.cfg.Manifest.Perturbations {
		if f.Member == name {
			out = append(out, f)
		}
	}
	return out
}

// goal is the number of certified rounds to wait for: the setup round and those of the manifest.
func (r *run) goal() uint64 { return r.cfg.Manifest.Rounds + 1 }

// verb runs one command of the program to its end.
func (r *run) verb(ctx context.Context, name string, args ...string) error {
	return r.group.Run(ctx, proc.Command{Name: name, Path: r.cfg.Program, Args: args})
}
