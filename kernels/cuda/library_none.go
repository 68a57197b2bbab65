//go:build !linux || !(amd64 || arm64) || nocuda

package cuda

import (
	"fmt"
	"runtime"
)

// Supported reports whether this program can drive a GPU at all.
const Supported = false

func openLibrary(string) (*driver, error) {
	return nil, fmt.Errorf("%w: this program for %s/%s is built without CUDA; run on the CPU", ErrNoDriver, runtime.GOOS, runtime.GOARCH)
}

func syscallN(uintptr, ...uintptr) uintptr { return uintptr(NoDevice) }
