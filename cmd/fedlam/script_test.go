package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/hardware"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts call the program as "exec fedlam ...".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fedlam": main})
}

// TestScripts runs every script in testdata/script. A script finds the repository in $REPO and the reference data in
// $SHARED; steps behind the condition [shared] run where those data are, which must be so under CI=true. Steps behind [gpu] run
// where a fake of the driver of a GPU, $FAKEGPU, can be built. Steps behind
// [mount] run where a small file system can be mounted, behind [root] for a user whom no permission stops. See scriptCommands for further commands.
func TestScripts(t *testing.T) {
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	shared := os.Getenv("FEDLAM_SHARED")
	switch {
	case shared == "":
		shared = filepath.Join(repo, "..", "shared")
	case !filepath.IsAbs(shared):
		shared = filepath.Join(repo, shared)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: scriptCommands,
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPO", repo)
			e.Setenv("SHARED", shared)
			e.Setenv(hardware.LibraryVariable, filepath.Join(e.WorkDir, "no GPU")) // the same outputs on all machines
			fake, _ := cudatest.Build()
			e.Setenv("FAKEGPU", fake)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "mount":
				return canMount(t), nil
			case "gpu":
				_, err := cudatest.Build()
				if err != nil && os.Getenv("CI") == "true" {
					return false, err
				}
				return err == nil, nil
			case "root":
				return os.Geteuid() == 0, nil
			case "shared":
			default:
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := os.Stat(shared)
			if err != nil && os.Getenv("CI") == "true" {
				return false, errors.New("the shared reference data are missing; set FEDLAM_SHARED")
			}
			return err == nil, nil
		},
	})
}
