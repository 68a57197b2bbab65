//go:build unix

package proc_test

import (
	"bytes"
	"flag"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/testnet/proc"
)

// previousFlag is what the upgrade starts from, with -faults all.
var previousFlag = flag.String("previous", "HEAD~1", "revision that is upgraded from with -faults all; it must speak the same protocol")

func TestUpgrade(t *testing.T) {
	runScenarios(t, []scenario{
		{"between two builds", false, upgrade(func(f *cluster) string { return mustBuild(f, "../..", "older", "v0.0.0-older") })},
		{"from an earlier revision", true, upgrade(buildPrevious)},
	})
}

// upgrade starts all members with an older build, and replaces it member by member while rounds go on.
func upgrade(older func(f *cluster) string) func(f *cluster) int {
	return func(f *cluster) int {
		before, after := older(f), f.members[0].program
		if a, b := f.version(before), f.version(after); a == b {
			f.Fatalf("both builds are %s", a)
		}
		for _, m := range f.members {
			m.program = before
		}
		f.start()
		f.reach(2, f.members...)
		for _, m := range f.members {
			was := m.finished()
			m.process.Stop()
			if err := m.process.Err(); err != nil {
				f.Fatalf("%s did not stop in order: %v", m.name, err)
			}
			m.program = after
			m.start()
			m.await("rounds certified so far")
			f.reach(max(was, f.newest())+1, f.members...)
		}
		return len(f.members)
	}
}

// version is what a build says of itself.
func (f *cluster) version(program string) string {
	f.Helper()
	var out bytes.Buffer
	if err := f.group.Run(f.Context(), proc.Command{Name: "version", Path: program, Args: []string{"version"}, Stdout: &out}); err != nil {
		f.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

func mustBuild(f *cluster, dir, name, version string) string {
	f.Helper()
	path, err := build(dir, name, version)
	if err != nil {
		f.Fatal(err)
	}
	return path
}

// buildPrevious builds an earlier revision from the history of this checkout.
func buildPrevious(f *cluster) string {
	dir := f.TempDir()
	archive := filepath.Join(dir, "source.tar")
	for _, c := range [][]string{
		{"git", "-C", "../..", "archive", "--output", archive, *previousFlag},
		{"tar", "-xf", archive, "-C", dir},
	} {
		if text, err := exec.CommandContext(f.Context(), c[0], c[1:]...).CombinedOutput(); err != nil {
			f.Skipf("an earlier revision cannot be had here: %s: %v %s", strings.Join(c, " "), err, text)
		}
	}
	return mustBuild(f, dir, "previous", "v0.0.0-previous")
}
