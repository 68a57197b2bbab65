//go:build !linux && !darwin

package disk

import (
	"errors"
	"fmt"
)

// Free is not known on this system.
func Free(path string) (uint64, error) {
	return 0, fmt.Errorf("free space of %q: %w", path, errors.ErrUnsupported)
}
