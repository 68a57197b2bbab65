package report_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fedlam/fedlam/testnet/report"
)

func scores(frames int, energy, force float64) report.Scores {
	e := report.Errors{Energy: energy, Force: force, Energies: frames, Forces: 3 * frames}
	return report.Scores{Frames: frames, Trained: 10 * frames, Reference: 1000, Local: e, Federation: e}
}

func TestPool(t *testing.T) {
	got := report.Pool([]report.Scores{scores(1, 3, 100), scores(3, 1, 200)})
	wantForce, wantEnergy := math.Sqrt((100*100+3*200*200)/4.0), math.Sqrt((9+3)/4.0)
	if got.Frames != 4 || got.Trained != 40 || got.Reference != 1000 || got.Local.Energies != 4 || got.Federation.Forces != 12 {
		t.Errorf("got %+v", got)
	}
	if math.Abs(got.Local.Force-wantForce) > 1e-12 || math.Abs(got.Federation.Energy-wantEnergy) > 1e-12 {
		t.Errorf("got %+v, want energy %g and force %g", got, wantEnergy, wantForce)
	}
	if none := report.Pool(nil); none != (report.Scores{}) {
		t.Errorf("nothing pooled to %+v", none)
	}
}

func sample() *report.Report {
	h := report.Head{Key: "abc", Name: "PBE", Members: []string{"a", "b"}, Shared: true, Scores: scores(5, 2, 400)}
	h.Federation.Force = 440
	return &report.Report{Version: report.Version, Name: "small", Rounds: 3, LocalSteps: 10, Heads: []report.Head{h},
		Members:      []report.Member{{Name: "a", Head: "abc", Sent: 3 << 20, PerRound: 1 << 20, Scores: h.Scores, Fate: "killed in round 2 at mask"}},
		Verification: report.Verification{OK: true, Detail: "4 certificates"},
		Sums:         []report.Sum{{Round: 2, Group: "trunk", Members: []string{"a", "b"}, Numbers: 7, Exact: true}},
		Weights:      "bafyweights", Commands: []report.Command{{What: "verify", Line: "fedlam verify x \\\n  --genesis y"}}}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name                string
		change              func(r *report.Report)
		ofReference, ofLoca float64
		checks              int
		met                 bool
	}{
		{"met", nil, 0.5, 1.1, 2, true},
		{"not asked", nil, 0, 0, 0, true},
		{"forces too large", nil, 0.4, 1.1, 2, false},
		{"worse than alone", nil, 0.5, 1.05, 2, false},
		{"not verified", func(r *report.Report) { r.Verification.OK = false }, 0, 0, 0, false},
		{"sum not exact", func(r *report.Report) { r.Sums[0].Exact = false }, 0, 0, 0, false},
		{"no forces", func(r *report.Report) { r.Heads[0].Reference = 0 }, 0.5, 0, 1, false},
		{"nothing evaluated", func(r *report.Report) { r.Heads[0].Federation = report.Errors{} }, 0.5, 1.1, 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sample()
			if tt.change != nil {
				tt.change(r)
			}
			r.Judge(tt.ofReference, tt.ofLoca)
			if len(r.Checks) != tt.checks || r.Met != tt.met {
				t.Errorf("got %v, %+v", r.Met, r.Checks)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWriteFile reads back what was written and looks for the documented keys.
func TestWriteFile(t *testing.T) {
	r := sample()
	r.Judge(0.5, 1.1)
	path := filepath.Join(t.TempDir(), "r.json")
	if err := r.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	head := tree["heads"].([]any)[0].(map[string]any)
	if tree["fedlam_testnet"] != 1.0 || tree["met"] != true || head["validation_frames"] != 5.0 || head["federation"].(map[string]any)["force"] != 440.0 {
		t.Errorf("got %s", text)
	}
	if err := r.WriteFile(filepath.Join(path, "x")); err == nil {
		t.Error("wrote below a file")
	}
}

func TestPrint(t *testing.T) {
	r := sample()
	r.Judge(0.4, 1.1)
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PBE abc", "a, b", "440", "400", "1.0 MiB", "killed in round 2 at mask", "bafyweights", "4 certificates",
		"NOT MET", "1 of 1 secure sums (7 numbers)", "fedlam verify x \\\n    --genesis y"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	r.Sums[0].Exact, r.Verification.OK, r.Heads[0].Shared = false, false, false
	b.Reset()
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NOT EXACT: the sum over trunk in round 2", "NOT VERIFIED", "(head stays there)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

func TestPrintLinesUp(t *testing.T) {
	r := sample()
	r.Heads[0].Name = "a long name of a method, with an å"
	r.Members = append(r.Members, report.Member{Name: "a member with a longer name"})
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	column := func(line, word string) int {
		before, _, found := strings.Cut(line, word)
		if !found {
			t.Fatalf("%q is missing in %q", word, line)
		}
		return utf8.RuneCountInString(before + word)
	}
	lines := strings.Split(b.String(), "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "head ") })
	if column(lines[at], "labels") != column(lines[at+1], "1000") {
		t.Errorf("columns are not in line:\n%s\n%s", lines[at], lines[at+1])
	}
	at = slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "member ") })
	end := column(lines[at], "sent")
	if end != column(lines[at+1], "3.0 MiB") || !strings.HasSuffix(string([]rune(lines[at+2])[:end]), " -") {
		t.Errorf("columns are not in line:\n%s", strings.Join(lines[at:at+3], "\n"))
	}
}
