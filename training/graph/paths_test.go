package graph

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// TestEachPath repeats the tests of values and of threads with every instruction set, in processes of their own, as it
// is chosen when a program starts. One that the processor lacks is replaced by the best that it has.
func TestEachPath(t *testing.T) {
	const chosen = "FEDLAM_KERNELS"
	if os.Getenv(chosen) != "" {
		t.Logf("on %s", kernels.Path())
		return
	}
	assembly := map[string][]string{"amd64": {"avx2", "avx512"}, "arm64": {"neon"}}
	for _, path := range append([]string{"plain", "interpreted"}, assembly[runtime.GOARCH]...) {
		t.Run(path, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^(TestEachPath|TestValues|TestRandomPrograms|TestThreads)$")
			cmd.Env = append(os.Environ(), chosen+"="+path)
			if path == "interpreted" { // the best instruction set, without compiled formulas
				cmd.Env = append(os.Environ(), chosen+"=best", "FEDLAM_COMPILE=off")
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if path == "plain" && !strings.Contains(string(out), "on plain") {
				t.Errorf("%s=plain was not heeded:\n%.500s", chosen, out)
			}
		})
	}
}
