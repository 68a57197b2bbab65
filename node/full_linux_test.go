package node_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/home"
)

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
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				if !errors.Is(err, syscall.ENOSPC) {
					t.Fatal(err)
				}
				break
			}
		}
	}
	return path
}

func TestFullDiskStopsTheNodeAndLosesNothing(t *testing.T) {
	sites, _ := newFederation(t, 3, home.Policy{MinCohort: 3, Rounds: 200})
	victim := sites[0]
	data := filepath.Join(victim.home.Dir, "data")
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("a small file system cannot be mounted here (needs root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(data, syscall.MNT_DETACH) })
	if err := node.Join(t.Context(), victim.home, victim.documents, nil); err != nil {
		t.Fatal(err)
	}
	for _, s := range sites {
		s.start(t, s.config())
	}
	victim.log.wait(t, node.MsgCertified, 2)
	ballast := fill(t, data)
	<-victim.node.Done()
	err := victim.node.Close()
	victim.node = nil
	if !errors.Is(err, disk.ErrFull) {
		t.Fatalf("the node ended with %v, want ErrFull", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	was := victim.log.count(node.MsgCertified)
	victim.start(t, victim.config())
	victim.log.wait(t, node.MsgCertified, was+2)
}

// TestFullDiskForTranscripts has no room for transcripts: the node says so and goes on.
func TestFullDiskForTranscripts(t *testing.T) {
	sites, _ := newFederation(t, 3, small)
	victim := sites[0]
	folder := filepath.Join(victim.home.Dir, "data", "transcripts")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=4k"); err != nil {
		t.Skipf("a small file system cannot be mounted here (needs root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	victim.home.Config.Transcripts.Keep = 2
	for _, s := range sites {
		s.start(t, s.config())
	}
	victim.log.wait(t, node.MsgDone, 1)
	if got := victim.log.count(node.MsgNoTranscript); got != 4 {
		t.Errorf("told %d times that a transcript is not kept, want 4\n%s", got, victim.log)
	}
}
