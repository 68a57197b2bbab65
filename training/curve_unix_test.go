//go:build unix

package training

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCurveToADevice writes rows to a pipe, which stands for what must not be replaced by a file, such as /dev/null.
func TestCurveToADevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	curve, err := OpenCurve(path, CurveColumns{Heads: []string{""}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(curve.Write(CurveRow{Step: 4, Heads: make([]CurveErrors, 1)}), curve.Close()); err != nil {
		t.Error(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Fatalf("the pipe was replaced (%v)", err)
	}
	if line, err := bufio.NewReader(reader).ReadString('\n'); err != nil || !strings.HasPrefix(line, "#  step") {
		t.Errorf("read %q, %v", line, err)
	}
}
