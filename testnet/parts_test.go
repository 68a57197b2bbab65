package testnet

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/report"
)

func TestForecast(t *testing.T) {
	ms := time.Millisecond
	for _, tt := range []struct {
		name                    string
		perStep                 []time.Duration
		cores                   int
		wantAlone, wantTogether time.Duration
	}{
		{"one core", []time.Duration{ms, 2 * ms, 3 * ms}, 1, 6 * ms, 6 * ms},
		{"two cores", []time.Duration{ms, 2 * ms, 3 * ms}, 2, 4 * ms, 3 * ms},
		{"the slowest decides", []time.Duration{ms, ms, 9 * ms}, 8, 10 * ms, 9 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := forecast(tt.perStep, 2, 1, tt.cores)
			if e.alone != tt.wantAlone || e.together != tt.wantTogether {
				t.Errorf("got %+v, want %v and %v", e, tt.wantAlone, tt.wantTogether)
			}
		})
	}
}

// TestTrainInput: the input of the local-only training has the manifest's numbers.
func TestTrainInput(t *testing.T) {
	m := demoManifest(t)
	text, err := trainInput(m, &member{Member: m.Members[0]})
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Model    map[string]any `toml:"model"`
		Learning struct {
			Start float64 `toml:"start_lr"`
		} `toml:"learning_rate"`
		Training struct {
			Steps int     `toml:"numb_steps"`
			Seed  uint64  `toml:"seed"`
			Norm  float64 `toml:"gradient_max_norm"`
		} `toml:"training"`
		Heads []struct {
			Convention string  `toml:"convention"`
			Split      float64 `toml:"validation_split"`
			Data       struct {
				Systems []string `toml:"systems"`
				Batch   string   `toml:"batch_size"`
			} `toml:"training_data"`
		} `toml:"heads"`
	}
	if _, err := toml.Decode(string(text), &in); err != nil {
		t.Fatal(err)
	}
	h := in.Heads[0]
	if in.Training.Steps != m.Steps() || in.Training.Seed != 1 || in.Training.Norm != 5 || in.Learning.Start != 1e-2 || len(in.Model) != 3 ||
		h.Split != 0.2 || h.Data.Batch != "2" || h.Data.Systems[0] != m.Members[0].Data || h.Convention != m.Members[0].Convention {
		t.Errorf("got %+v\n%s", in, text)
	}
}

func TestEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.toml")
	if err := os.WriteFile(path, []byte("name = \"a\"\n[policy]\nmin_cohort = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := edit(path, map[string]map[string]any{"policy": {"rounds": 7}, "training": {"seed": 1}}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Name     string
		Policy   map[string]int64
		Training map[string]int64
	}
	if _, err := toml.DecodeFile(path, &got); err != nil || got.Name != "a" || got.Policy["min_cohort"] != 3 || got.Policy["rounds"] != 7 || got.Training["seed"] != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestProgress(t *testing.T) {
	var said strings.Builder
	p := newProgress(newConsole(&said, []string{"alpha"}), 3, 2)
	for _, line := range []struct{ node, text string }{
		{"alpha", `{"level":"WARN","msg":"a head is shared by two members only","head":"abc"}`},
		{"beta", `{"level":"WARN","msg":"a head is shared by two members only","head":"abc"}`},
		{"alpha", `{"level":"INFO","msg":"round certified","round":0,"kind":"setup","members":2}`},
		{"beta", `{"level":"INFO","msg":"round certified","round":0,"kind":"setup","members":2}`},
		{"alpha", `{"level":"INFO","msg":"validation","round":0,"force_rmse":0.5}`},
		{"beta", `{"level":"INFO","msg":"validation","round":0,"force_rmse":0.7}`},
		{"alpha", `{"level":"INFO","msg":"round certified","round":1,"kind":"train","members":2}`},
		{"alpha", `{"level":"INFO","msg":"round certified","round":2,"kind":"void"}`},
		{"alpha", `fedlam: the disk is full`},
		{"alpha", `{"level":"INFO","msg":"of no interest"}`},
	} {
		p.line(line.node, line.text)
	}
	got := said.String()
	for text, times := range map[string]int{"shared by two members only (head abc)": 1, "round 0 of 2 certified (setup)": 1,
		"round 1 of 2 certified; force RMSE 600 meV/Å on average after the one before; 2 members": 1, "round 2 of 2 certified (void)": 1,
		"alpha    fedlam: the disk is full": 1, "of no interest": 0} {
		if n := strings.Count(got, text); n != times {
			t.Errorf("%q is said %d times, want %d:\n%s", text, n, times, got)
		}
	}
}

// TestCheckSum compares a sum with its inputs, and with inputs of which one number was changed.
func TestCheckSum(t *testing.T) {
	f, err := Claim(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	r := &run{cfg: Config{Folder: f}, report: &report.Report{}}
	g := ledger.Group{Name: "trunk", Session: [32]byte{7}, Survivors: []uint64{0, 2}, Aggregate: federation.AggregateRoot([]uint32{5, 0, 1})}
	for name, lanes := range map[string][]uint32{"alpha": {2, 1 << 31, 1}, "beta": {9, 9, 9}, "gamma": {3, 1 << 31, 0}} {
		if _, err := f.makeDir("inputs", name); err != nil {
			t.Fatal(err)
		}
		writeLanes(t, filepath.Join(r.inputs(name), hex.EncodeToString(g.Session[:])), lanes)
	}
	for _, name := range []string{"alpha", "beta", "gamma"} {
		r.nodes = append(r.nodes, &node{member: &member{Member: manifest.Member{Name: name}}})
	}
	s, err := r.checkSum(3, g)
	if err != nil || !s.Exact || s.Numbers != 3 || s.Round != 3 || strings.Join(s.Members, " ") != "alpha gamma" {
		t.Errorf("got %+v, %v", s, err)
	}
	path := filepath.Join(r.inputs("gamma"), hex.EncodeToString(g.Session[:]))
	writeLanes(t, path, []uint32{3, 1 << 31, 1})
	if s, err := r.checkSum(3, g); err != nil || s.Exact {
		t.Errorf("another input gives the same sum: %+v, %v", s, err)
	}
	for name, data := range map[string][]byte{"too short": make([]byte, 8), "not whole": make([]byte, 9)} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := r.checkSum(3, g); err == nil || !strings.Contains(err.Error(), "gamma") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	g.Survivors = []uint64{0, 3}
	if _, err := r.checkSum(3, g); err == nil {
		t.Error("a member that does not exist is in the sum")
	}
}

func writeLanes(t *testing.T, path string, lanes []uint32) {
	t.Helper()
	var data []byte
	for _, v := range lanes {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
