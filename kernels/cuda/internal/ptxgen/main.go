// Command ptxgen compiles the kernels in src to PTX. It is run by go generate in the folder of package cuda.
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// compiler is the release that committed PTX comes from; another one would write other PTX.
const compiler = "clang-19"

// baseline is Turing, whose PTX drivers compile for every later GPU. A file name.sm_80.cu is for GPUs since the one it names.
const baseline = "sm_75"

// flags: without a toolkit there are neither its headers nor its
// libraries. Products and sums are contracted only where the source says so.
var flags = []string{
	"-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-std=c++17", "-O3",
	"-ffp-contract=off", "-Wall", "-Werror", "-S", "-o", "-",
}

// types are the element types. Each has files of its own, so that a program makes the driver compile only the one it uses.
var types = []struct{ suffix, flag string }{{"_f32", "-DONLY_FLOAT"}, {"_f64", "-DONLY_DOUBLE"}}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ptxgen:", err)
		os.Exit(1)
	}
}

func run() error {
	if _, err := exec.LookPath(compiler); err != nil {
		return fmt.Errorf("%s is needed (apt-get install %s): %w", compiler, compiler, err)
	}
	sources, err := filepath.Glob("src/*.cu")
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return errors.New("no src/*.cu here; run go generate ./kernels/cuda")
	}
	for _, source := range sources {
		for _, t := range types {
			if err := compile(source, t.suffix, t.flag); err != nil {
				return err
			}
		}
	}
	return nil
}

// compile makes a file of ptx from one of src.
func compile(source, suffix, flag string) error {
	name, arch, ok := strings.Cut(strings.TrimSuffix(filepath.Base(source), ".cu"), ".")
	if !ok {
		arch = baseline
	}
	cmd := exec.Command(compiler, append(flags[:len(flags):len(flags)], "--cuda-gpu-arch="+arch, flag, source)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("compile %s: %w", source, err)
	}
	if !bytes.Contains(out, []byte(".entry")) {
		return nil // no kernels for this element type
	}
	return write(filepath.Join("ptx", name+suffix+".ptx.gz"), withoutComments(out))
}

// withoutComments drops lines of comment and comments at the ends of lines, which are names inside the compiler.
func withoutComments(ptx []byte) []byte {
	var out []byte
	for line := range bytes.Lines(ptx) {
		line, _, _ = bytes.Cut(line, []byte("//"))
		if line = bytes.TrimRight(line, " \t\n"); len(line) > 0 {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// write writes a compressed file unless it holds that text already: compressed bytes may differ between releases of Go.
func write(name string, text []byte) error {
	if old, err := read(name); err == nil && bytes.Equal(old, text) {
		return nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
