package kerneltest

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// pathVariable names the instruction set when a program starts.
const pathVariable = "FEDLAM_KERNELS"

var assembly = map[string][]string{"amd64": {"avx2", "avx512"}, "arm64": {"neon"}}

// EachPath repeats other tests of the calling package with every instruction set that the processor has, except the one in
// use, which runs them anyway, and with the one in use but formulas interpreted. As the choice is made when a program starts,
// each has a process of its own.
func EachPath(t *testing.T, tests ...string) {
	t.Helper()
	if os.Getenv(pathVariable) != "" { // chosen by whoever started this process, perhaps by the lines below
		t.Logf("kernels: %s", kernels.Path())
		if os.Getenv("FEDLAM_COMPILE") == "off" && kernels.Compiles() {
			t.Error("formulas are compiled although that is off")
		}
		return
	}
	for _, path := range append([]string{"plain"}, assembly[runtime.GOARCH]...) {
		if path != kernels.Path() {
			t.Run(path, func(t *testing.T) { onPath(t, path, tests) })
		}
	}
	if kernels.Compiles() {
		t.Run("interpreted", func(t *testing.T) { onPath(t, kernels.Path(), tests, "FEDLAM_COMPILE=off") })
	}
}

func onPath(t *testing.T, path string, tests []string, env ...string) {
	tests = append(tests[:len(tests):len(tests)], strings.Split(t.Name(), "/")[0])
	args := []string{"-test.v", "-test.run=^(" + strings.Join(tests, "|") + ")$"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), pathVariable+"="+path), env...)
	out, err := cmd.CombinedOutput()
	text := string(out)
	heeded := strings.Contains(text, "kernels: "+path+"\n")
	if path != "plain" && !heeded && err == nil {
		t.Skipf("this processor has no %s", path)
	}
	if err != nil || !heeded {
		t.Errorf("%s=%s: %v\n%s", pathVariable, path, err, text)
	}
	for _, name := range tests {
		if !strings.Contains(text, "=== RUN   "+name+"\n") {
			t.Errorf("%s=%s: %s did not run; is there a test of this name?", pathVariable, path, name)
		}
	}
}
