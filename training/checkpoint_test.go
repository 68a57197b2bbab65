package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/training/weights"
)

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestCheckpointsAreNumberedAndPruned(t *testing.T) {
	tr := toyTrainer(t, toyConfig(t, 10), toyHeads())
	dir := filepath.Join(t.TempDir(), "run")
	for range 4 {
		run(t, tr, 1)
		if _, err := tr.SaveNumbered(dir, "model.ckpt", 2); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := names(t, dir), []string{"checkpoint", "model.ckpt-3", "model.ckpt-4"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	// A run that was killed while it saved left two half-done replacements and, beside them, something of the user's.
	for _, name := range []string{".model.ckpt-3.new", ".model.ckpt-4.old", ".model.ckpt-1.old", ".model.ckpt-mine.new"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := pruneCheckpoints(dir, "model.ckpt", 0); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), []string{".model.ckpt-mine.new", "checkpoint", "model.ckpt-1", "model.ckpt-3", "model.ckpt-4"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	latest, err := LatestCheckpoint(dir)
	if err != nil || latest != filepath.Join(dir, "model.ckpt-4") {
		t.Errorf("latest is %q, %v", latest, err)
	}
	// Saving the same step again, as after an interruption right behind a periodic save, changes nothing.
	before, err := os.Stat(filepath.Join(latest, WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.SaveNumbered(dir, "model.ckpt", 2); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(latest, WeightsFile))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("an identical checkpoint was written anew (%v)", err)
	}
	m, err := OpenModel(dir)
	if err != nil {
		t.Fatal(err)
	}
	if name := differ(m.Params, tr.Weights()); name != "" {
		t.Errorf("the model read back differs: %s", name)
	}
}

// TestFailedSaveLeavesTheOldCheckpoint stands for a full disk: the folder to be replaced cannot be written beside.
func TestFailedSaveLeavesTheOldCheckpoint(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ckpt")
	if err := writeFolder(path, map[string][]byte{"a": []byte("old")}); err != nil {
		t.Fatal(err)
	}
	if err := writeFolder(path, map[string][]byte{"a": []byte("new"), "no/such/folder": nil}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want an error about the missing folder", err)
	}
	if got, err := os.ReadFile(filepath.Join(path, "a")); err != nil || string(got) != "old" {
		t.Errorf("after a failed save the file holds %q, %v", got, err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"ckpt"}) {
		t.Errorf("left over: %v", got)
	}
}

func TestResumeRefuses(t *testing.T) {
	good := toyTrainer(t, toyConfig(t, 10), toyHeads())
	run(t, good, 2)
	state := func(change func(*trainState)) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			file := filepath.Join(path, stateFile)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s trainState
			if err := json.Unmarshal(text, &s); err != nil {
				t.Fatal(err)
			}
			change(&s)
			if text, err = json.Marshal(s); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	truncate := func(name string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.Truncate(filepath.Join(path, name), 100); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, want string
		spoil      func(t *testing.T, path string)
		config     func(*Config, *[]Head)
	}{
		{"truncated weights", "model.safetensors", truncate(WeightsFile), nil},
		{"truncated moments", "optimizer.safetensors", truncate(optimizerFile), nil},
		{"truncated state", "state.json", truncate(stateFile), nil},
		{"truncated config", "config.json", truncate(ConfigFile), nil},
		{"missing state", "state.json", func(t *testing.T, path string) { os.Remove(filepath.Join(path, stateFile)) }, nil},
		{"moments of an unknown tensor", "moments", state(func(s *trainState) { s.Optimizer["x"] = 1 }), nil},
		{"negative step", "version 1", state(func(s *trainState) { s.Step = -1 }), nil},
		{"later version", "version 2", state(func(s *trainState) { s.Version = 2 }), nil},
		{"another seed", "seed", nil, func(c *Config, _ *[]Head) { c.Seed++ }},
		{"other data", "data", nil, func(_ *Config, h *[]Head) { (*h)[0].Train = (*h)[0].Train[1:] }},
		{"another architecture", "model section", nil, func(c *Config, _ *[]Head) { c.Model.Fitting.Neuron = []int{8, 9} }},
		{"another head", "head 0", nil, func(_ *Config, h *[]Head) { (*h)[0].Key = "cccc" }},
		{"a head less", "1", nil, func(_ *Config, h *[]Head) { *h = (*h)[:1] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ckpt")
			if err := good.Save(path); err != nil {
				t.Fatal(err)
			}
			cfg, heads := toyConfig(t, 10), toyHeads()
			if c.spoil != nil {
				c.spoil(t, path)
			}
			if c.config != nil {
				c.config(&cfg, &heads)
			}
			tr, err := New(cfg, heads)
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.Resume(path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
			if tr.Step() != 0 {
				t.Error("a refused checkpoint moved the trainer")
			}
		})
	}
}

func TestModelHeads(t *testing.T) {
	tr := toyTrainer(t, toyConfig(t, 10), toyHeads())
	path := filepath.Join(t.TempDir(), "model")
	if err := tr.Model().Write(path, weights.F32); err != nil {
		t.Fatal(err)
	}
	m, err := OpenModel(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ word, key string }{{"aaaa", "aaaa"}, {"second", "bbbb"}, {"", ""}, {"cccc", ""}} {
		single, err := m.Head(c.word)
		if c.key == "" {
			if !errors.Is(err, ErrWhichHead) || !strings.Contains(err.Error(), "aaaa first, bbbb second") {
				t.Errorf("head %q: %v, want an error that lists the heads", c.word, err)
			}
		} else if err != nil || single.Head != c.key {
			t.Errorf("head %q: %v, %v, want %q", c.word, single, err, c.key)
		}
	}
}

func TestOpenModelRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ name, path, want string }{
		{"nothing there", filepath.Join(dir, "none"), "no such file"},
		{"foreign format", write("model.pth", "x"), "dp convert-backend"},
		{"no model", write("model.yaml", "a: 1"), "model"},
		{"folder without a model", filepath.Dir(write("empty/x", "")), "config.json"},
		{"other config", filepath.Dir(write("other/config.json", "{}")), "fedlam-model"},
		{"pointer out of the folder", filepath.Dir(write("pointer/checkpoint", "../other\n")), "checkpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := OpenModel(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

// TestOpenModelReadsGoldenTree reads a single-head model as DeePMD-kit writes it.
func TestOpenModelReadsGoldenTree(t *testing.T) {
	m := goldenTree(t, "t1.model_initial.json.gz")
	tree, err := m.ToTree("3.1.3", "fedlam")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.yaml")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(weights.WriteYAML(f, tree), f.Close()); err != nil {
		t.Fatal(err)
	}
	read, err := OpenModel(path)
	if err != nil {
		t.Fatal(err)
	}
	single, err := read.Head("")
	if err != nil {
		t.Fatal(err)
	}
	if name := differ(single.Params, m.Params); name != "" {
		t.Errorf("read back, %s differs", name)
	}
}

func FuzzResumeState(f *testing.F) {
	f.Add([]byte(`{"version":1,"step":3,"seed":11,"sampler":{"generator":"cGNnOgAAAAAAAAABAAAAAAAAAAI=","heads":[{"key":"aaaa","systems":[{"atoms":4,"frames":9,"pass":0,"next":2},{"atoms":6,"frames":5}]},{"key":"bbbb","systems":[{"atoms":5,"frames":7,"pass":1,"next":6}]}]},"optimizer_steps":{},"last_errors":[[1,null,2,3],[null,null,null,null]]}`))
	f.Add([]byte(`{}`))
	dir := f.TempDir()
	n := 0
	f.Fuzz(func(t *testing.T, text []byte) {
		tr, err := New(toyConfig(t, 10), toyHeads())
		if err != nil {
			t.Fatal(err)
		}
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		defer os.RemoveAll(path)
		files, err := tr.checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		files[stateFile] = text
		if err := writeFolder(path, files); err != nil {
			t.Fatal(err)
		}
		if tr.Resume(path) != nil {
			return
		}
		for range 20 {
			tr.sampler.draw() // whatever was accepted must be a place in the data
		}
	})
}
