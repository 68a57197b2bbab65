package training

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestReplacementCutOff crashes before and after every step of a replacement. A reader finds one of the two checkpoints,
// whole; a trainer resumes from it; and the next save leaves the newest and nothing beside it.
func TestReplacementCutOff(t *testing.T) {
	trainers := []*Trainer{toyTrainer(t, toyConfig(t, 10), toyHeads()), toyTrainer(t, toyConfig(t, 10), toyHeads()), toyTrainer(t, toyConfig(t, 10), toyHeads())}
	for k, tr := range trainers {
		run(t, tr, k+1)
	}
	before, after, next := trainers[0], trainers[1], trainers[2]
	for steps := range 5 {
		dir := t.TempDir()
		path := filepath.Join(dir, "ckpt")
		if err := before.Save(path); err != nil {
			t.Fatal(err)
		}
		files, err := after.checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		r := replacementOf(path + "/")
		if err := r.prepare(files); err != nil {
			t.Fatal(err)
		}
		for _, step := range r.steps()[:steps] {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		want := before
		if steps >= 2 { // the new folder is in its place
			want = after
		}
		m, err := OpenModel(path)
		if err != nil {
			t.Fatalf("after %d steps: %v", steps, err)
		}
		if name := differ(m.Params, want.Weights()); name != "" {
			t.Errorf("after %d steps the model read back differs: %s", steps, name)
		}
		resumed, err := New(toyConfig(t, 10), toyHeads())
		if err != nil {
			t.Fatal(err)
		}
		if err := resumed.Resume(path); err != nil || resumed.Step() != want.Step() {
			t.Errorf("after %d steps: resumed at step %d, %v; want step %d", steps, resumed.Step(), err, want.Step())
		}
		if err := next.Save(path); err != nil {
			t.Fatalf("after %d steps: %v", steps, err)
		}
		if m, err = OpenModel(path); err != nil {
			t.Fatal(err)
		}
		if name := differ(m.Params, next.Weights()); name != "" {
			t.Errorf("after %d steps and another save the model differs: %s", steps, name)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"ckpt"}) {
			t.Errorf("after %d steps and another save there is %v", steps, got)
		}
	}
}

// TestReplacementPutsTheOldFolderBack lets the second rename fail, as when somebody removed the new folder.
func TestReplacementPutsTheOldFolderBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ckpt")
	if err := writeFolder(path, map[string][]byte{"a": []byte("old")}); err != nil {
		t.Fatal(err)
	}
	r := replacementOf(path)
	if err := r.steps()[0](); err != nil {
		t.Fatal(err)
	}
	if err := r.steps()[1](); err == nil {
		t.Fatal("a folder that is not there was renamed")
	}
	if err := r.recover(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(path, "a")); err != nil || string(got) != "old" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}

// TestWriteFolderKeepsWhatIsNotItsOwn refuses to replace a file, or a folder in which somebody keeps other things.
func TestWriteFolderKeepsWhatIsNotItsOwn(t *testing.T) {
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "file"), filepath.Join(dir, "folder")
	notes := filepath.Join(folder, "notes.txt")
	if err := errors.Join(os.WriteFile(file, []byte("precious"), 0o600), os.Mkdir(folder, 0o700), os.WriteFile(notes, []byte("precious"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, folder} {
		if err := writeFolder(path, map[string][]byte{"a": []byte("new")}); !errors.Is(err, errForeign) {
			t.Errorf("%s: got %v, want %v", path, err, errForeign)
		}
	}
	for _, path := range []string{file, notes} {
		if got, err := os.ReadFile(path); err != nil || string(got) != "precious" {
			t.Errorf("%s holds %q, %v", path, got, err)
		}
	}
}
