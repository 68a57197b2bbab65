package training

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// tinySystems are frames from as many files, of one to seven atoms.
func tinySystems(count int) []Head {
	var frames []dataset.Frame
	for k := range count {
		f := toyFrames(uint64(k), 1, 1+k%7, -3)[0]
		f.Source = fmt.Sprintf("system-%d", k)
		frames = append(frames, f)
	}
	return []Head{{Key: "aaaa", Train: frames, BatchSize: "1"}}
}

// tinyTrainer looks at all frames of its heads for the statistics.
func tinyTrainer(t testing.TB, heads []Head) *Trainer {
	t.Helper()
	cfg := toyConfig(t, 5)
	cfg.Model.StatBatches = len(heads[0].Train)
	tr, err := New(cfg, heads)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// prepareCached returns what was said.
func prepareCached(t testing.TB, tr *Trainer, path string) (said []string) {
	t.Helper()
	if err := tr.PrepareCached(path, func(line string) { said = append(said, line) }); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestCachedStatisticsHaveTheSameBits(t *testing.T) {
	heads := append(tinySystems(1000), Head{Key: "bbbb", Train: toyFrames(4, 3000, 2, 10), BatchSize: "8"}, Head{Key: "cccc", Train: toyFrames(5, 3, 2, 10)})
	for k := range heads[2].Train {
		heads[2].Train[k].Energy = nil // a head without a reference
	}
	path := filepath.Join(t.TempDir(), "model.ckpt.statistics.json")
	plain, first, second := tinyTrainer(t, heads), tinyTrainer(t, heads), tinyTrainer(t, heads)
	if err := plain.Prepare(); err != nil {
		t.Fatal(err)
	}
	for _, tr := range []*Trainer{first, second} {
		if said := prepareCached(t, tr, path); said != nil {
			t.Errorf("said %q, want nothing", said)
		}
		if name := differ(plain.Weights(), tr.Weights()); name != "" {
			t.Errorf("weights differ from those without a file: %s", name)
		}
		want, err1 := plain.Reference("aaaa")
		got, err2 := tr.Reference("aaaa")
		if err1 != nil || err2 != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("reference %v, %v, want %v, %v", got, err2, want, err1)
		}
	}
}

// TestCachedStatisticsAreRead changes a number in the file, checksum included, and finds it in the weights.
func TestCachedStatisticsAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "statistics.json")
	prepareCached(t, tinyTrainer(t, tinySystems(20)), path)
	tr := tinyTrainer(t, tinySystems(20))
	key, err := tr.statisticsKey()
	if err != nil {
		t.Fatal(err)
	}
	s, err := tr.readStatistics(path, key)
	if err != nil {
		t.Fatal(err)
	}
	s.References[0].PerType[1] = 1234.5
	if err := writeStatistics(path, key, s); err != nil {
		t.Fatal(err)
	}
	prepareCached(t, tr, path)
	if bias, _ := tr.params.Get("heads/aaaa/@variables/out_bias"); bias.Data[1] != 1234.5 {
		t.Errorf("references %v, want the one in the file", bias.Data)
	}
}

// TestStatisticsFileHoldsOnlyStatistics counts the numbers: as many for 1,000 systems as for ten.
func TestStatisticsFileHoldsOnlyStatistics(t *testing.T) {
	for _, systems := range []int{10, 1000} {
		path := filepath.Join(t.TempDir(), "statistics.json")
		tr := tinyTrainer(t, tinySystems(systems))
		prepareCached(t, tr, path)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file map[string]any
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(maps.Keys(file)), []string{"format", "key", "references", "sha256", "sums", "version"}; !slices.Equal(got, want) {
			t.Errorf("%d systems: keys %q, want %q", systems, got, want)
		}
		sums, references := file["sums"].([]any), file["references"].([]any)
		if len(sums) != 3*2*6 || len(references) != 1 || len(references[0].(map[string]any)["per_type"].([]any)) != 2 {
			t.Errorf("%d systems: %d sums, references %v; want 36 and those of one head and two elements", systems, len(sums), references)
		}
		for _, name := range []string{"system-", "toy"} {
			if strings.Contains(string(text), name) {
				t.Errorf("%d systems: the file holds %q", systems, name)
			}
		}
	}
}

// TestStatisticsFileIsNotTrusted prepares with a file that is damaged or was made for something else.
func TestStatisticsFileIsNotTrusted(t *testing.T) {
	const damaged, foreign = "damaged", "other frames"
	edit := func(change func(text string) string) func(*testing.T, string, *Trainer) {
		return func(t *testing.T, path string, _ *Trainer) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(change(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	model := func(change func(tr *Trainer)) func(*testing.T, string, *Trainer) {
		return func(_ *testing.T, _ string, tr *Trainer) { change(tr) }
	}
	for _, c := range []struct {
		name, want string
		spoil      func(t *testing.T, path string, tr *Trainer)
	}{
		{"untouched", "", model(func(*Trainer) {})},
		{"forces do not matter", "", model(func(tr *Trainer) { tr.heads[0].Train[3].Forces = nil })},
		{"nothing in it", damaged, edit(func(string) string { return "" })},
		{"cut off", damaged, edit(func(s string) string { return s[:len(s)/2] })},
		{"a digit changed", damaged, edit(func(s string) string { return strings.Replace(s, `"rank": 2`, `"rank": 1`, 1) })},
		{"something added", damaged, edit(func(s string) string { return s + " " })},
		{"another file", foreign, edit(func(string) string { return `{"format": "fedlam-model"}` })},
		{"another version", foreign, edit(func(s string) string { return strings.Replace(s, `"version": 1`, `"version": 0`, 1) })},
		{"another position", foreign, model(func(tr *Trainer) { tr.heads[0].Train[19].Positions[1] += 1e-13 })},
		{"another cell", foreign, model(func(tr *Trainer) { tr.heads[0].Train[4].Cell = nil })},
		{"another energy", foreign, model(func(tr *Trainer) { *tr.heads[0].Train[4].Energy++ })},
		{"an energy less", foreign, model(func(tr *Trainer) { tr.heads[0].Train[4].Energy = nil })},
		{"another element", foreign, model(func(tr *Trainer) { tr.heads[0].Train[4].Species[0] = "H" })},
		{"a frame less", foreign, model(func(tr *Trainer) { tr.heads[0].Train = tr.heads[0].Train[:20]; tr.sampler.heads[0].systems = nil })},
		{"another cut-off", foreign, model(func(tr *Trainer) { tr.cfg.Model.Descriptor.Repinit.RCut = 4.5 })},
		{"a preset", foreign, model(func(tr *Trainer) { tr.cfg.Model.Preset = map[string]any{"energy": []any{1.0, nil}} })},
		{"other shapes", damaged, func(t *testing.T, path string, tr *Trainer) {
			key, err := tr.statisticsKey()
			if err != nil {
				t.Fatal(err)
			}
			if err := writeStatistics(path, key, &statistics{Sums: []float64{1}}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "statistics.json")
			prepareCached(t, tinyTrainer(t, tinySystems(21)), path)
			tr, plain := tinyTrainer(t, tinySystems(21)), tinyTrainer(t, tinySystems(21))
			c.spoil(t, path, tr)
			c.spoil(t, path, plain)
			said := prepareCached(t, tr, path)
			if c.want == "" && said != nil || c.want != "" && (len(said) != 1 || !strings.Contains(said[0], c.want)) {
				t.Errorf("said %q, want %q", said, c.want)
			}
			if err := plain.Prepare(); err != nil {
				t.Fatal(err)
			}
			if name := differ(plain.Weights(), tr.Weights()); name != "" {
				t.Errorf("weights differ from those without a file: %s", name)
			}
			if said := prepareCached(t, tr, path); said != nil {
				t.Errorf("the file was not replaced: %q", said)
			}
		})
	}
}

// TestStatisticsWithoutAPlace prepares although the file cannot be written.
func TestStatisticsWithoutAPlace(t *testing.T) {
	said := prepareCached(t, tinyTrainer(t, tinySystems(3)), filepath.Join(t.TempDir(), "none", "statistics.json"))
	if len(said) != 1 || !strings.Contains(said[0], "not kept") {
		t.Errorf("said %q, want that statistics are not kept", said)
	}
}

// FuzzReadStatistics accepts only what fits the trainer.
func FuzzReadStatistics(f *testing.F) {
	tr := tinyTrainer(f, tinySystems(3))
	key, err := tr.statisticsKey()
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "statistics.json")
	prepareCached(f, tr, path)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":"fedlam-statistics","version":1,"references":[{"key":"aaaa","per_type":[1,2]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := tr.readStatistics(path, key)
		if err != nil {
			return
		}
		if err := tr.setStatistics(s); err != nil {
			t.Errorf("accepted statistics that do not fit: %v", err)
		}
	})
}

// BenchmarkStatistics measures a start with 1,000 systems: computed, and read from a file.
func BenchmarkStatistics(b *testing.B) {
	heads := tinySystems(1000)
	b.Run("computed", func(b *testing.B) {
		tr := tinyTrainer(b, heads)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tr.statistics(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		tr, path := tinyTrainer(b, heads), filepath.Join(b.TempDir(), "statistics.json")
		prepareCached(b, tr, path)
		b.ReportAllocs()
		for b.Loop() {
			key, err := tr.statisticsKey()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := tr.readStatistics(path, key); err != nil {
				b.Fatal(err)
			}
		}
	})
}
