package sim

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	update   = flag.Bool("update", false, "write the stories of the named cases down anew")
	openOnly = flag.Bool("open", false, "play the open cases, which are known to fail, too")
)

// storyMark separates a scenario from the story that it is recorded to have.
const storyMark = "\n# --- what happens ---\n"

// TestNamed plays testdata/*.txt and compares their main steps with those that are recorded below the scenario.
func TestNamed(t *testing.T) { named(t, "testdata/*.txt") }

// TestOpen plays what is known to fail. A case that holds moves to testdata.
func TestOpen(t *testing.T) {
	if !*openOnly {
		t.Skip("open cases are played with -open")
	}
	if files, _ := filepath.Glob("testdata/open/*.txt"); len(files) == 0 {
		t.Skip("no case is open")
	}
	named(t, "testdata/open/*.txt")
}

func named(t *testing.T, pattern string) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			if err := playFile(file); err != nil {
				t.Error(err)
			}
		})
	}
}

func playFile(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, story, _ := strings.Cut(string(data), storyMark)
	s, err := Parse(strings.NewReader(text))
	if err != nil {
		return err
	}
	o, err := Run(s)
	if err != nil {
		return err
	}
	if err := o.Err(); err != nil {
		return err
	}
	if o.Unfired > 0 {
		return fmt.Errorf("%d events of the scenario have not happened", o.Unfired)
	}
	got := "# " + strings.Join(o.Main, "\n# ") + "\n"
	if *update {
		return os.WriteFile(file, []byte(text+storyMark+got), 0o600)
	}
	if got != story {
		return errors.New("the story differs from the recorded one; if it should, run the test with -update:\n" + firstDifference(got, story))
	}
	return nil
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for k := range min(len(a), len(b)) {
		if a[k] != b[k] {
			return fmt.Sprintf("line %d of the story\n got %s\nwant %s", k+1, a[k], b[k])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}
