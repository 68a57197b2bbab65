package founding_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/training"
	"github.com/google/go-cmp/cmp"
)

const plan = `name = "water"
seed = 7
rounds = 20
[rules]
min_cohort = 2
min_group = 2
steps = 10
join_grace = "2s"
[model]
type_map = ["O", "H"]
[model.descriptor]
type = "dpa2"
[model.descriptor.repinit]
rcut = 3.0
rcut_smth = 0.5
nsel = 12
neuron = [3, 6]
axis_neuron = 2
tebd_dim = 3
[model.descriptor.repformer]
rcut = 2.5
rcut_smth = 2.0
nsel = 6
nlayers = 1
g1_dim = 6
g2_dim = 4
axis_neuron = 2
attn1_hidden = 4
attn1_nhead = 2
attn2_hidden = 4
attn2_nhead = 2
[model.fitting_net]
neuron = [6]
[learning_rate]
start_lr = 1e-3
stop_lr = 1e-5
[loss]
start_pref_f = 100
[training]
gradient_max_norm = 5.0
batch_size = "auto:16"
`

// card makes the card of a member whose labels come from the methods.
func card(t *testing.T, name string, methods ...string) home.Card {
	t.Helper()
	h, err := home.Create(filepath.Join(t.TempDir(), name), home.Config{Name: name, Listen: []string{"/ip4/127.0.0.1/tcp/4101"}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.Card()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range methods {
		c.Conventions = append(c.Conventions, json.RawMessage(`{"method":{"kind":"dft","name":"`+m+`"}}`))
	}
	return c
}

func parse(t *testing.T, text string) *founding.Plan {
	t.Helper()
	p, err := founding.ParsePlan([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFound(t *testing.T) {
	cards := []home.Card{card(t, "a", "pbe"), card(t, "b", "pbe", "wb97x")}
	d, err := founding.Found(parse(t, plan), cards, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	again, err := founding.Found(parse(t, plan), cards, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, again); diff != "" {
		t.Errorf("founded twice, different:\n%s", diff)
	}
	dir := filepath.Join(t.TempDir(), "fed")
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(dir); err == nil {
		t.Error("replaced a federation")
	}
	read, g, err := founding.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, read); diff != "" {
		t.Errorf("changed by writing and reading:\n%s", diff)
	}
	if len(g.Members) != 2 || len(g.Heads) != 2 || len(g.Epoch().Shared()) != 1 || g.Rules.JoinGrace != 2*time.Second || g.Rules.Steps != 10 {
		t.Errorf("genesis is %+v", g)
	}
	// The folder is a model that all verbs read.
	m, err := training.OpenModel(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Heads) != 1 || m.Heads[0].Name != "pbe" {
		t.Errorf("heads are %+v, want the shared one", m.Heads)
	}
	c, err := founding.DecodeModelConfig(d.Config)
	if err != nil || c.Training.Optimizer.MaxNorm != 5 || c.Training.Loss.StartPrefF != 100 || c.Training.BatchSize != "auto:16" {
		t.Errorf("recipe is %+v, %v", c, err)
	}
}

func TestReadChecksEveryFile(t *testing.T) {
	d, err := founding.Found(parse(t, plan), []home.Card{card(t, "a", "pbe"), card(t, "b", "pbe")}, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"config.json", "model.safetensors", "heads/" + headOf(t, d) + ".json"}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "fed")
			if err := d.Write(dir); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, filepath.FromSlash(name))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text[len(text)/2] ^= 1
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := founding.Read(dir); err == nil || !strings.Contains(err.Error(), filepath.Base(name)) {
				t.Errorf("flipped bit: %v", err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if _, _, err := founding.Read(filepath.Join(dir, ledger.GenesisFile)); err == nil || !strings.Contains(err.Error(), filepath.Base(name)) {
				t.Errorf("file gone: %v", err)
			}
		})
	}
	if _, _, err := founding.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "ask who started") {
		t.Errorf("no genesis: %v, want advice", err)
	}
}

func headOf(t *testing.T, d *founding.Documents) string {
	t.Helper()
	for key := range d.Conventions {
		return key
	}
	t.Fatal("no convention")
	return ""
}

func TestRefusedPlans(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "seed = 7", "sead = 7", "sead"},
		{"unknown rule", "min_group = 2", "min_gruop = 2", "min_gruop"},
		{"unknown model key", "rcut_smth = 0.5", "rcut_smoth = 0.5", "rcut_smoth"},
		{"auto", "nsel = 12", `nsel = "auto"`, "nsel"},
		{"cohort of one", "min_cohort = 2", "min_cohort = 1", "minimum cohort"},
		{"no schedule", "[learning_rate]", "[optimizer]", "start_lr"},
		{"duration", `"2s"`, `"2 weeks"`, "weeks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := founding.ParsePlan([]byte(strings.Replace(plan, c.old, c.new, 1)))
			if err == nil {
				_, err = founding.Found(p, []home.Card{card(t, "a", "pbe"), card(t, "b", "pbe")}, time.Unix(0, 0))
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
	if _, err := founding.ReadPlan("nowhere.toml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestRefusedCards(t *testing.T) {
	a := card(t, "a", "pbe")
	for _, c := range []struct {
		name  string
		cards []home.Card
		want  string
	}{
		{"one member", []home.Card{a}, "want 2"},
		{"twice the same", []home.Card{a, a}, "twice"},
		{"without data", []home.Card{a, card(t, "b")}, "[[data]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := founding.Found(parse(t, plan), c.cards, time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestPlanWithFragments(t *testing.T) {
	cards := []home.Card{card(t, "a", "pbe"), card(t, "b", "pbe")}
	for count, want := range map[string]int{"0": 0, "8": 8} {
		d, err := founding.Found(parse(t, strings.Replace(plan, "[rules]", "[rules]\nfragments = "+count, 1)), cards, time.Unix(1e9, 0))
		if err != nil {
			t.Fatal(err)
		}
		if g, err := ledger.DecodeGenesis(d.Genesis); err != nil || g.Rules.Fragments != want {
			t.Errorf("%s fragments in the plan are %d in the genesis, %v", count, g.Rules.Fragments, err)
		}
	}
	if _, err := founding.Found(parse(t, strings.Replace(plan, "[rules]", "[rules]\nfragments = 65", 1)), cards, time.Unix(1e9, 0)); err == nil {
		t.Error("65 fragments: accepted")
	}
}
