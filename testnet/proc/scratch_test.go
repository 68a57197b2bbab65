//go:build unix

package proc_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// faultsFlag chooses the scenarios: the short list, or with "all" also those that repeat a fault at every step of a round.
var faultsFlag = flag.String("faults", os.Getenv("FEDLAM_FAULTS"), "\"all\" runs every fault scenario; default: $FEDLAM_FAULTS")

// scratch is a folder that all tests share and TestMain removes.
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "fedlam-faults-") })

func runTests(m *testing.M) int {
	flag.Parse()
	code := m.Run()
	if dir, err := scratch(); err == nil {
		os.RemoveAll(dir)
	}
	return code
}

// program builds the program once.
var program = sync.OnceValues(func() (string, error) { return build("../..", "current", "v0.0.0-current") })

// build compiles the program from the sources in dir with a version of its own, and with flags that let it use what is compiled
// already.
func build(dir, name, version string) (string, error) {
	out, err := scratch()
	if err != nil {
		return "", err
	}
	path := filepath.Join(out, "fedlam-"+name)
	c := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version, "-o", path, "./cmd/fedlam")
	c.Dir = dir
	if text, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program in %q: %w\n%s", dir, err, strings.TrimSpace(string(text)))
	}
	return path, nil
}
