package wal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/wal"
)

func TestFullDiskLosesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small file system cannot be mounted here (needs root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	path := filepath.Join(dir, "log")
	l := open(t, path)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 300<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	stored := 0
	var failed wal.Batch
	for {
		b := wal.Batch{Once: []wal.Entry{entry(fmt.Sprintf("n%06d", stored), strings.Repeat("x", 3000))}}
		err := l.Commit(b)
		if err == nil {
			stored++
			continue
		}
		if !errors.Is(err, disk.ErrFull) {
			t.Fatalf("after %d entries: %v, want ErrFull", stored, err)
		}
		failed = b
		break
	}
	if got := strings.Count(dump(t, l, "n"), "="); got != stored {
		t.Errorf("%d entries in the full log, want %d", got, stored)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(failed); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(dump(t, open(t, path), "n"), "="); got != stored+1 {
		t.Errorf("%d entries after reopening, want %d", got, stored+1)
	}
}
