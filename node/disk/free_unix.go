//go:build linux || darwin

package disk

import (
	"fmt"
	"syscall"
)

// Free returns how many bytes an ordinary user may still write on the disk that path is on.
func Free(path string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("free space of %q: %w", path, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
