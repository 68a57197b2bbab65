package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// elsewhere are the verbs that a Go test runs rather than a script, and which.
var elsewhere = map[string]string{
	"demo":    "demo_test.go",
	"testnet": "demo_test.go", // runs a manifest through the same code; the long one is run by hand
}

// TestReadmeCommands holds every command of the README against the program: it must parse, flags included, and its verb
// must be run by a test.
func TestReadmeCommands(t *testing.T) {
	commands := readmeCommands(t)
	if len(commands) < 10 {
		t.Fatalf("found only %d commands in the README", len(commands))
	}
	run := scriptedVerbs(t)
	var verbs []byte
	parser, err := kong.New(&cli, kong.Name("fedlam"), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range parser.Model.Children {
		verbs = append(verbs, " "+node.Name+" "...)
	}
	for _, words := range commands {
		if mention := len(words) == 1 || words[1] == "--help"; mention && words[0] != "demo" {
			if !strings.Contains(string(verbs), " "+words[0]+" ") {
				t.Errorf("the README speaks of fedlam %s, which is no verb", words[0])
			}
		} else if _, err := parser.Parse(words); err != nil {
			t.Errorf("fedlam %s: %v", strings.Join(words, " "), err)
		}
		verb := words[0]
		if file, ok := elsewhere[verb]; ok {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("fedlam %s: the test that runs it is gone: %v", verb, err)
			}
		} else if !run[verb] {
			t.Errorf("fedlam %s is in the README, and no script runs it", verb)
		}
	}
}

// readmeCommands returns the words after "fedlam" of every command in the README, in blocks and in running text.
func readmeCommands(t *testing.T) (commands [][]string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile("`fedlam ([^`]+)`")
	quoted := regexp.MustCompile(`"[^"]*"|\S+`)
	add := func(command string) {
		command, _, _ = strings.Cut(command, " #")
		command, _, _ = strings.Cut(command, " > ")
		words := quoted.FindAllString(command, -1)
		for i := range words {
			words[i] = strings.Trim(words[i], `"`)
		}
		if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
			commands = append(commands, words)
		}
	}
	for line := range strings.Lines(string(text)) {
		for _, prefix := range []string{"    fedlam ", "    go run ./cmd/fedlam "} {
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				add(strings.TrimSpace(rest))
			}
		}
		for _, m := range inline.FindAllStringSubmatch(line, -1) {
			add(m[1])
		}
	}
	return commands
}

// scriptedVerbs lists the verbs that the scripts run.
func scriptedVerbs(t *testing.T) map[string]bool {
	t.Helper()
	scripts, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	verbs := map[string]bool{}
	call := regexp.MustCompile(`(?m)^!? ?exec fedlam ([a-z]+)`)
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllSubmatch(text, -1) {
			verbs[string(m[1])] = true
		}
	}
	return verbs
}
