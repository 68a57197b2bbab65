package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/testnet/demo"
	"github.com/fedlam/fedlam/testnet/report"
)

// faults is a federation of four with the demo's data, of which one member is killed for good, one is killed and comes
// back, and one stands still for a while. The times are long, for a member that is slow and so left out of a round does not come to the
// step in which it is to be killed.
const faults = `
name = "faults"
rounds = 5
seed = 1
timeout = "2m"
threads = 1
record_inputs = true
[rules]
steps = 2
min_cohort = 3
min_group = 2
join_grace = "10s"
step_timeout = "8s"
mask_timeout = "8s"
forfeit = "2s"
[model]
type_map = ["O", "H"]
[model.descriptor]
type = "dpa2"
precision = "float32"
[model.descriptor.repinit]
rcut = 3.0
rcut_smth = 0.5
nsel = 24
neuron = [4, 8]
axis_neuron = 2
tebd_dim = 2
[model.descriptor.repformer]
rcut = 2.0
rcut_smth = 0.5
nsel = 12
nlayers = 1
g1_dim = 8
g2_dim = 4
axis_neuron = 2
update_g1_has_attn = false
update_g2_has_g1g1 = false
update_g2_has_attn = false
[model.fitting_net]
neuron = [8]
precision = "float32"
[learning_rate]
start_lr = 1e-3
stop_lr = 1e-4
[training]
batch_size = "1"
[[member]]
name = "north"
data = "data/north.xyz:0:15"
convention = "conventions/north.json"
validation_fraction = 0.2
[[member]]
name = "east"
data = "data/north.xyz:15:30"
convention = "conventions/north.json"
validation_fraction = 0.2
[[member]]
name = "south"
data = "data/south.xyz"
convention = "conventions/south.json"
validation_fraction = 0.2
[[member]]
name = "west"
data = "data/west.xyz"
convention = "conventions/west.json"
validation_fraction = 0.2
[[perturbation]]
member = "north"
action = "pause"
step = "shares"
round = 1
restart_after = "300ms"
[[perturbation]]
member = "west"
action = "restart"
step = "confirm"
round = 2
restart_after = "100ms"
[[perturbation]]
member = "east"
action = "kill"
step = "mask"
round = 4
`

// TestTestnetFaults injects faults into real processes; every sum must be exact over the survivors, and the certificates
// must hold.
func TestTestnetFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes that train and wait for each other")
	}
	dir := t.TempDir()
	if _, err := demo.Write(dir, demo.Options{Frames: 30}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "faults.toml")
	if err := os.WriteFile(path, []byte(faults), 0o644); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("fedlam", "testnet", "run", path, "--dir", filepath.Join(dir, "run"), "--json", "-")
	var said strings.Builder
	run.Stderr = &said
	text, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if !r.Met || !r.Verification.OK || r.Certified != 6 || len(r.Sums) < 6 {
		t.Errorf("got %s\n%s", text, said.String())
	}
	without := false // a sum after east was killed
	for _, s := range r.Sums {
		if !s.Exact || s.Numbers == 0 {
			t.Errorf("sum over %s in round %d: %+v", s.Group, s.Round, s)
		}
		without = without || s.Group == "trunk" && len(s.Members) == 3
	}
	if !without {
		t.Errorf("no sum is without the member that was killed: %+v", r.Sums)
	}
	for _, want := range []string{"test hook: pause", "killed in round 2 at step confirm", "starting again", "killed in round 4 at step mask"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is missing in\n%s", want, said.String())
		}
	}
	tamper(t, filepath.Join(dir, "run", "release"), r.Genesis)
}

// tamper flips a bit of the downloaded weights: verification must fail and name the file.
func tamper(t *testing.T, release, genesis string) {
	t.Helper()
	path := filepath.Join(release, "model.safetensors")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("fedlam", "verify", release, "--genesis", genesis).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "model.safetensors") {
		t.Errorf("got %v: %s", err, out)
	}
}
