package proc_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFullDisk(t *testing.T) {
	runScenarios(t, []scenario{
		{"a small file system", false, fullDisk},
		{"a limit on the size of files", os.Geteuid() == 0, fullQuota}, // what can be tested without root
	})
}

// fullDisk puts the data of a member on a small file system and fills it.
func fullDisk(f *cluster) int {
	m := f.members[0]
	data := filepath.Join(m.dir, "data")
	aside := filepath.Join(f.dir, "aside")
	copyTree(f.T, data, aside)
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=8m"); err != nil {
		f.Skipf("a small file system cannot be mounted here (needs root): %v", err)
	}
	f.Cleanup(func() { syscall.Unmount(data, syscall.MNT_DETACH) })
	copyTree(f.T, aside, data)
	f.start()
	f.reach(2, f.members...)
	ballast := fill(f.T, data)
	return f.runOut(m, "the disk is full: free some space", func() {
		if err := os.Remove(ballast); err != nil {
			f.Fatal(err)
		}
	})
}

// fullQuota forbids a running member to write past the first page of any file, which needs no rights.
func fullQuota(f *cluster) int {
	f.start()
	f.reach(2, f.members...)
	m := f.members[0]
	if err := unix.Prlimit(m.process.PID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: 4096}, nil); err != nil {
		f.Fatal(err)
	}
	return f.runOut(m, "a file may not grow any more", func() {}) // the next process has no limit
}

// runOut waits until a member stops for want of space, with a plain reason, while the others go on; and until it goes on when there
// is space again.
func (f *cluster) runOut(m *member, reason string, relieve func()) (faults int) {
	if err := m.died(); err == nil || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), "goroutine ") {
		f.Errorf("%s ended with %v, want %q", m.name, err, reason)
	}
	f.reach(f.newest()+1, f.others(m)...)
	relieve()
	m.start()
	f.reach(f.newest()+2, f.members...)
	return 1
}

// fill writes until the disk is full and returns the file to remove.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return path
}
