// Package cudatest lets tests use package cuda on machines without a GPU: it builds the kernels for the host, with a driver
// that runs them there.
package cudatest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fedlam/fedlam/kernels/cuda"
)

// Open opens the fake device; it is closed at the end of the test, which fails if that finds something wrong. The test is
// skipped where the fake cannot be built, but fails there if the environment variable CI is "true".
func Open(t testing.TB) *cuda.Device {
	t.Helper()
	device, err := cuda.Open(cuda.Config{Library: Library(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := device.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return device
}

// OpenGPU opens the first real GPU, or skips the test where there is none; it is closed at the end of the test.
func OpenGPU(t testing.TB) *cuda.Device {
	t.Helper()
	device, err := cuda.Open(cuda.Config{})
	if errors.Is(err, cuda.ErrNoDriver) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Log(device.Info())
	t.Cleanup(func() {
		if err := device.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return device
}

// Library returns the path of the fake driver, building it first if need be. It skips or fails as Open does.
func Library(t testing.TB) string {
	t.Helper()
	if !cuda.Supported {
		t.Skip("this program is built without GPUs")
	}
	path, err := Build()
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("fake CUDA driver: %v", err)
	default:
		t.Skipf("fake CUDA driver: %v", err)
	}
	return ""
}

// Build returns the path of the fake driver. It is built once; later processes find it in the user's cache, under a name made of all that
// it depends on.
var Build = sync.OnceValues(func() (string, error) {
	if !cuda.Supported {
		return "", fmt.Errorf("package cuda is not built for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	compiler, err := findCompiler()
	if err != nil {
		return "", err
	}
	src, err := sourceDir()
	if err != nil {
		return "", err
	}
	args := []string{
		"-shared", "-fPIC", "-O2", "-march=native", "-ffp-contract=off", "-std=c++17", "-w", "-I", src, "-x", "c++",
	}
	files, key, err := sources(src, compiler, args)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	library := filepath.Join(cache, "fedlam", "fakecuda-"+key+".so")
	if _, err := os.Stat(library); err == nil {
		return library, nil
	}
	return library, compile(compiler, append(args, files...), library)
})

func findCompiler() (string, error) {
	for _, name := range []string{"clang++-19", "g++", "clang++", "c++"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no C++ compiler; install g++")
}

// sourceDir asks Go where the sources of package cuda are, as tests of any package may want them.
func sourceDir() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/fedlam/fedlam/kernels/cuda").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src"), nil
}

// sources lists what is to be compiled, and a hash of it and of how that is done.
func sources(src, compiler string, args []string) (files []string, key string, err error) {
	sum := sha256.New()
	host, err := os.Hostname() // -march=native is another one elsewhere
	if err != nil {
		return nil, "", err
	}
	version, err := exec.Command(compiler, "--version").Output()
	if err != nil {
		return nil, "", fmt.Errorf("%s --version: %w", compiler, err)
	}
	fmt.Fprintf(sum, "%s %s %q %q\n", host, version, src, args)
	for _, pattern := range []string{"*.h", "fake/*.h", "*.cu", "fake/*.cpp"} {
		found, err := filepath.Glob(filepath.Join(src, pattern))
		if err != nil {
			return nil, "", err
		}
		for _, f := range found {
			text, err := os.ReadFile(f)
			if err != nil {
				return nil, "", err
			}
			fmt.Fprintf(sum, "%s %d\n%s\n", filepath.Base(f), len(text), text)
			if filepath.Ext(f) != ".h" {
				files = append(files, f)
			}
		}
	}
	return files, hex.EncodeToString(sum.Sum(nil)[:12]), nil
}

// compile writes the library under another name first, so that no other process sees half of it.
func compile(compiler string, args []string, library string) error {
	if err := os.MkdirAll(filepath.Dir(library), 0o755); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(library), "draft-*.so")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	if err := draft.Close(); err != nil {
		return err
	}
	prune(filepath.Dir(library))
	if out, err := exec.Command(compiler, append(args, "-o", draft.Name())...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", compiler, err, out)
	}
	return os.Rename(draft.Name(), library)
}

// prune removes libraries of sources that have long been changed.
func prune(dir string) {
	const old = 30 * 24 * time.Hour
	found, _ := filepath.Glob(filepath.Join(dir, "fakecuda-*.so")) // no pattern error
	for _, f := range found {
		if info, err := os.Stat(f); err == nil && time.Since(info.ModTime()) > old {
			_ = os.Remove(f) // another process may have been faster
		}
	}
}
