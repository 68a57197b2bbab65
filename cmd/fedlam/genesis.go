package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
)

type genesisCmd struct {
	Plan  string   `arg:"" help:"Plan of the federation in TOML: model, rules, recipe of training."`
	Cards []string `arg:"" help:"Member cards, as fedlam init prints them; the founder's own among them."`
	Out   string   `required:"" placeholder:"DIR" help:"Folder for the founding documents; it is created."`
}

// Help is shown by `fedlam genesis --help`.
func (genesisCmd) Help() string {
	return `Starts a federation from the members' cards. Writes genesis.cbor, config.json, the initial model.safetensors, the heads'
conventions and canary sets into a folder; give the folder to every member for fedlam join, and tell them the CID by another way. Whoever
starts a federation is a member like the others afterwards.

Example:
  fedlam genesis plan.toml lab.card.json north.card.json south.card.json --out founding
with plan.toml:
  name = "water"
  seed = 1
  rounds = 100
  [rules]
  min_cohort = 5
  min_group = 5
  steps = 100
  [model]
  type_map = ["O", "H"]
  [model.descriptor]
  type = "dpa2"
  [model.descriptor.repinit]
  rcut = 6.0
  rcut_smth = 0.5
  nsel = 120
  [model.descriptor.repformer]
  rcut = 4.0
  rcut_smth = 3.5
  nsel = 48
  [model.fitting_net]
  neuron = [240, 240, 240]
  [learning_rate]
  start_lr = 1e-3
  stop_lr = 3.5e-8
  [loss]
  start_pref_f = 1000
  limit_pref_f = 1
  [training]
  batch_size = "auto:32"
  gradient_max_norm = 5.0
Further rules: outer ("nesterov", "fedavg"), rate, momentum, owners, lane_bits (32, or 16 to send half the bytes), audit_rows (64 to name members whose update is too long; 0 for no audit), cohorts (such as 10, the most parts in which members are summed apart, so that robust = "median", "trimmed-mean" or "geometric-median" over the parts outvotes who poisons its update; needs about 5 * min_cohort members), fragments (8 to send an eighth of the trunk in each round while training goes on; give fewer steps then), value_bits, weight_bits, first_scale, and as times such as "90s"
join_grace, step_timeout, mask_timeout, forfeit. A head that fewer than min_group members have stays with its owners.

For each shared head the founder may name public labelled frames, which nobody should train on, as a canary set:
  [[head]]
  convention = "pbe.json"
  canary = "public.xyz:0:200"
Every member tries new weights on them before it votes. When their error on energies or forces is above what past rounds allow, members
leave the weights as they are and go on with the next round. The frames, at most 64 MiB, are copied into the founding folder
and become public; all members evaluate all of them in every round, so a hundred or two will do.`
}

func (c *genesisCmd) Run() error {
	plan, err := founding.ReadPlan(c.Plan)
	if err != nil {
		return err
	}
	var cards []home.Card
	for _, path := range c.Cards {
		card, err := home.ReadCard(path)
		if err != nil {
			return err
		}
		cards = append(cards, card)
	}
	d, err := founding.Found(plan, cards, time.Now())
	if err != nil {
		return err
	}
	if err := d.Write(c.Out); err != nil {
		return err
	}
	g, err := ledger.DecodeGenesis(d.Genesis)
	if err != nil {
		return err
	}
	return printGenesis(os.Stdout, g)
}

// printGenesis shows people what they agree to.
func printGenesis(w io.Writer, g *ledger.Genesis) error {
	e := g.Epoch()
	fmt.Fprintf(w, "federation %q, genesis %s\n", g.Name, e.Genesis)
	for _, m := range g.Members {
		fmt.Fprintf(w, "  member %s  %s...  heads %s\n", m.Name, m.ID.String()[:12], strings.Join(m.Heads, " "))
	}
	shared := map[string]bool{}
	for _, key := range e.Shared() {
		shared[key] = true
	}
	for _, h := range g.Heads {
		what := "stays with its owners"
		if shared[h.Key] {
			what = "shared"
		}
		if h.Canary.Defined() {
			what += ", canary set " + h.Canary.String()
		}
		fmt.Fprintf(w, "  head %s  %s: %d members, %s\n", h.Key, h.Name, len(e.HeadMembers(h.Key)), what)
	}
	if g.Rules.Owners > 0 {
		fmt.Fprintf(w, "  rules: each chunk of a sum is held and added up by %d members; the others audit some\n", g.Rules.Owners)
	}
	_, err := fmt.Fprintf(w, "  rules: sums over at least %d members, heads over at least %d; %d local steps a round; %d signatures make a certificate\n",
		max(g.Rules.MinCohort, e.Quorum()), g.Rules.MinGroup, g.Rules.Steps, e.Quorum())
	return err
}
