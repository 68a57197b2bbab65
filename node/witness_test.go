package node

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/federation"
)

func TestWitness(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "inputs")
	h, err := HooksFrom(func(name string) string {
		if name == "FEDLAM_WITNESS" {
			return dir
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Witness(federation.Contribution{Session: [32]byte{0xab, 1}, Lanes: []uint32{1, 0x04030201}})
	got, err := os.ReadFile(filepath.Join(dir, "ab01000000000000000000000000000000000000000000000000000000000000"))
	if want := []byte{1, 0, 0, 0, 1, 2, 3, 4}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if h, err := HooksFrom(func(string) string { return "" }); err != nil || h.Witness != nil || h.Tap != nil || h.Crash.set() {
		t.Errorf("hooks without being asked: %+v, %v", h, err)
	}
}
