package local

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/node/disk"
)

const (
	socketFile = "fedlam.sock"
	maxPath    = 100 // bytes; the kernel's limit is 108 on Linux, 104 on macOS
)

// Path returns where the socket of the node in dir is.
func Path(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if path := filepath.Join(absolute, socketFile); len(path) <= maxPath {
		return path, nil
	}
	private := filepath.Join(os.TempDir(), fmt.Sprintf("fedlam-%d", os.Getuid()))
	if err := os.MkdirAll(private, 0o700); err != nil {
		return "", disk.Explain(err)
	}
	// Somebody else may have made the folder first, and would then own the socket's name; chmod works for owners only.
	if err := os.Chmod(private, 0o700); err != nil {
		return "", fmt.Errorf("the folder %q is not ours: %w; remove it, or give the node a shorter path", private, err)
	}
	name := sha256.Sum256([]byte(absolute))
	return filepath.Join(private, hex.EncodeToString(name[:8])+".sock"), nil
}
