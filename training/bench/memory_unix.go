//go:build unix

package bench

import (
	"runtime"
	"syscall"
)

// ProcessMemory returns the most memory that this process has had in use so far, bytes; 0 if the system does not tell.
func ProcessMemory() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	most := int64(u.Maxrss) //nolint:unconvert // is an int32 on 32-bit systems
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return most
	}
	return 1024 * most
}
