// Package sharedtest finds the reference data that tests read but the project does not carry: real data sets,
// foreign model files and golden numbers, which have licenses of their own. The folder is named by the
// environment variable FEDLAM_SHARED; without it, the folder "shared" beside the checkout is taken.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the path of elem below the shared folder. Where the folder is absent it skips the test and says
// so; under CI=true it fails instead, since there a silent skip would hide a broken set-up.
func Dir(tb testing.TB, elem ...string) string {
	tb.Helper()
	path := filepath.Join(append([]string{root(tb)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		const text = "shared reference data not found (%v); set FEDLAM_SHARED to the folder that holds data/, fixtures/ and golden/"
		if os.Getenv("CI") == "true" {
			tb.Fatalf(text, err)
		}
		tb.Skipf(text, err)
	}
	return path
}

func root(tb testing.TB) string {
	if dir := os.Getenv("FEDLAM_SHARED"); dir != "" && filepath.IsAbs(dir) {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("no go.mod above the working directory")
		}
		dir = parent
	}
	if rel := os.Getenv("FEDLAM_SHARED"); rel != "" {
		return filepath.Join(dir, rel)
	}
	return filepath.Join(dir, "..", "shared")
}
