package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/node/disk"
)

func TestFree(t *testing.T) {
	dir := t.TempDir()
	free, err := disk.Free(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("this system does not tell")
	}
	if err != nil || free == 0 || free > 1<<60 {
		t.Errorf("%d bytes free, %v", free, err)
	}
	if _, err := disk.Free(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
}
