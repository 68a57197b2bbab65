package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/testnet/manifest"
)

const good = `
name = "small"
rounds = 4
seed = 7
timeout = "90s"
threads = 1
record_inputs = true
[rules]
steps = 10
min_cohort = 3
min_group = 2
join_grace = "2s"
[model]
type_map = ["O", "H"]
[model.descriptor]
type = "dpa2"
precision = "float32"
[model.descriptor.repinit]
rcut = 4.0
rcut_smth = 0.5
nsel = 30
[model.descriptor.repformer]
rcut = 3.0
rcut_smth = 0.5
nsel = 20
[learning_rate]
type = "exp"
start_lr = 1e-3
stop_lr = 1e-5
[training]
batch_size = "4"
[[member]]
name = "alpha"
data = "${WATER}/water.xyz:0:10"
convention = "water.json"
validation_fraction = 0.1
[[member]]
name = "beta"
data = "${FEDLAM_SHARED}/b.xyz"
convention = "/abs/water.json"
validation_fraction = 0.1
[[member]]
name = "gamma"
data = "c.xyz"
convention = "c.json"
validation_fraction = 0.2
[[perturbation]]
member = "beta"
action = "restart"
step = "mask"
round = 2
restart_after = "3s"
`

func TestRead(t *testing.T) {
	t.Setenv("WATER", "/data")
	t.Setenv("FEDLAM_SHARED", "")
	dir := t.TempDir()
	path := filepath.Join(dir, "small.toml")
	if err := os.WriteFile(path, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read(path, manifest.Options{Shared: "/shared"})
	if err != nil {
		t.Fatal(err)
	}
	if m.Steps() != 40 || time.Duration(m.Timeout) != 90*time.Second || m.BaselineSlots != 2 || !m.RecordInputs || m.StepsPerRound() != 10 {
		t.Errorf("got %+v", m)
	}
	want := []manifest.Member{
		{Name: "alpha", Data: "/data/water.xyz:0:10", Convention: filepath.Join(dir, "water.json"), ValidationFraction: 0.1},
		{Name: "beta", Data: "/shared/b.xyz", Convention: "/abs/water.json", ValidationFraction: 0.1},
		{Name: "gamma", Data: filepath.Join(dir, "c.xyz"), Convention: filepath.Join(dir, "c.json"), ValidationFraction: 0.2},
	}
	for i, w := range want {
		if m.Members[i] != w {
			t.Errorf("member %d: got %+v, want %+v", i, m.Members[i], w)
		}
	}
	if p := m.Perturbations[0]; p != (manifest.Perturbation{Member: "beta", Action: manifest.Restart, Step: "mask", Round: 2, RestartAfter: manifest.Duration(3 * time.Second)}) {
		t.Errorf("got %+v", p)
	}
	if c := m.ModelConfig(); c.Descriptor.Repinit.NSel.Count != 30 || m.LossConfig().StartPrefF != 1000 {
		t.Errorf("model %+v, loss %+v", c, m.LossConfig())
	}
	text, err := m.PlanText()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := founding.ParsePlan(text)
	if err != nil || plan.Name != "small" || plan.Rounds != 4 || *plan.Rules.MinGroup != 2 || *plan.Rules.JoinGrace != founding.Duration(2*time.Second) {
		t.Errorf("plan %+v, %v", plan, err)
	}
}

// TestRefused changes one thing in a good manifest.
func TestRefused(t *testing.T) {
	t.Setenv("WATER", "/data")
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown key", `seed = 7`, `sede = 7`, `key "sede"`},
		{"unknown key of a member", `name = "gamma"`, "name = \"gamma\"\ndat = 1", `key "member.dat"`},
		{"unknown key of the model", `nsel = 30`, `nsle = 30`, `nsel`},
		{"unknown section", `[training]`, `[trainings]`, `key "trainings`},
		{"variable that is not set", `${WATER}`, `${NO_SUCH_WATER}`, "NO_SUCH_WATER"},
		{"no rounds", `rounds = 4`, `rounds = 0`, "rounds is 0"},
		{"bad time", `"90s"`, `"90"`, "missing unit"},
		{"name of a file", `"small"`, `"../small"`, "name is required"},
		{"one contributor", `min_group = 2`, `min_group = 1`, "at least 2"},
		{"cohort not set", `min_cohort = 3`, ``, "min_cohort must be given"},
		{"cohort too large", `min_cohort = 3`, `min_cohort = 4`, "min_cohort must be given"},
		{"unknown rule", `steps = 10`, `step = 10`, `key "rules.step"`},
		{"neighbours of others", `nsel = 30`, `nsel = "auto"`, "every nsel is a number"},
		{"no learning rate", `stop_lr = 1e-5`, ``, "stop_lr"},
		{"same name", `"gamma"`, `"beta"`, `called "beta"`},
		{"fraction", `validation_fraction = 0.2`, `validation_fraction = 0`, "validation_fraction is 0"},
		{"no data", `data = "c.xyz"`, ``, `"gamma" needs data`},
		{"stranger", `member = "beta"`, `member = "delta"`, `called "delta"`},
		{"step", `step = "mask"`, `step = "masks"`, "keys, shares"},
		{"action", `action = "restart"`, `action = "stop"`, "kill, pause or restart"},
		{"kill with restart", `action = "restart"`, `action = "kill"`, "does not come back"},
		{"restart when", `restart_after = "3s"`, ``, "needs restart_after"},
		{"late", `round = 2`, `round = 5`, "round is 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			if text == good {
				t.Fatal("nothing was changed")
			}
			if _, err := manifest.Parse([]byte(text), "/base", manifest.Options{Shared: "/shared"}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to name %q", err, tt.want)
			}
		})
	}
}

func TestPerturbationOrder(t *testing.T) {
	t.Setenv("WATER", "/data")
	again := func(action, round string) string {
		return good + "\n[[perturbation]]\nmember = \"beta\"\naction = \"" + action + "\"\nstep = \"keys\"\nround = " + round + "\n"
	}
	pause := func(round int) string {
		return fmt.Sprintf("\n[[perturbation]]\nmember = \"gamma\"\naction = \"pause\"\nstep = \"keys\"\nround = %d\nrestart_after = \"1s\"\n", round)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"later", again("kill", "3"), ""},
		{"one pause", good + pause(2), ""},
		{"pause after pause", good + pause(2) + pause(3), "stands still twice"},
		{"of another member", strings.ReplaceAll(again("kill", "2"), "\"beta\"\naction = \"kill", "\"alpha\"\naction = \"kill"), ""},
		{"same round", again("kill", "2"), "at most one a round"},
		{"after its end", again("kill", "3") + "\n[[perturbation]]\nmember = \"beta\"\naction = \"kill\"\nstep = \"keys\"\nround = 4\n", "for good"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := manifest.Parse([]byte(tt.text), "/base", manifest.Options{Shared: "/shared"})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestReadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(path, []byte("name = 3"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := manifest.Read(path, manifest.Options{}); !errors.Is(err, manifest.ErrManifest) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestNearestShared(t *testing.T) {
	t.Setenv("FEDLAM_SHARED", "")
	t.Setenv("WATER", "/data")
	top := t.TempDir()
	base := filepath.Join(top, "repository", "testnet", "manifests")
	for _, dir := range []string{base, filepath.Join(top, "shared")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m, err := manifest.Parse([]byte(good), base, manifest.Options{})
	if err != nil || m.Members[1].Data != filepath.Join(top, "shared", "b.xyz") {
		t.Errorf("got %+v, %v", m, err)
	}
	if err := os.Remove(filepath.Join(top, "shared")); err != nil {
		t.Fatal(err)
	}
	if _, err := manifest.Parse([]byte(good), base, manifest.Options{}); err == nil || !strings.Contains(err.Error(), "does not set FEDLAM_SHARED") {
		t.Errorf("got %v", err)
	}
}
