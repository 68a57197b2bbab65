package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fedlam/fedlam/node/disk"
)

// smallDisk is a Create whose files have room for left bytes altogether.
type smallDisk struct{ left int }

type smallFile struct {
	disk.File
	disk *smallDisk
}

func (s *smallDisk) create(path string, perm fs.FileMode) (disk.File, error) {
	f, err := disk.OSCreate(path, perm)
	return smallFile{f, s}, err
}

func (f smallFile) Write(p []byte) (int, error) {
	n := min(len(p), f.disk.left)
	f.disk.left -= n
	if n, err := f.File.Write(p[:n]); err != nil {
		return n, err
	}
	if n < len(p) {
		return n, &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return n, nil
}

func TestWriteFileReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, content := range []string{"old", "", strings.Repeat("new", 1000)} {
		if err := disk.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Fatalf("read %d bytes, %v; want %d", len(got), err, len(content))
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestFullDiskKeepsOldContent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := disk.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	small := &smallDisk{left: 10}
	err := disk.Create(small.create).WriteFile(path, make([]byte, 100), 0o600)
	if !errors.Is(err, disk.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("content is %q after a failed write, want %q", got, "old")
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("%d files left in the folder, want 1", len(entries))
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"full", syscall.ENOSPC, "free some space"},
		{"quota", fmt.Errorf("write: %w", syscall.EDQUOT), "free some space"},
		{"permission", &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}, "right to read and write"},
		{"limit on the size of files", fmt.Errorf("write: %w", syscall.EFBIG), "ulimit -f"},
		{"read-only", syscall.EROFS, "can be written"},
		{"other", errors.New("odd"), "odd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := disk.Explain(c.err)
			if !errors.Is(got, c.err) || !strings.Contains(got.Error(), c.want) {
				t.Errorf("Explain(%v) = %v, want it to wrap and to say %q", c.err, got, c.want)
			}
			if again := disk.Explain(got); c.name == "full" && again.Error() != got.Error() {
				t.Errorf("explained twice: %v", again)
			}
		})
	}
	if disk.Explain(nil) != nil {
		t.Error("Explain(nil) is not nil")
	}
}
