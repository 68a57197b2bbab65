//go:build linux && (amd64 || arm64) && !nocuda

package cuda

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// Supported reports whether this program can drive a GPU at all.
const Supported = true

const defaultLibrary = "libcuda.so.1"

// openLibrary loads the driver. It stays loaded until the program ends, as drivers do not take being unloaded well.
func openLibrary(path string) (*driver, error) {
	if path == "" {
		path = defaultLibrary
	}
	h, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; install it from nvidia.com or with the system's packages, or run on the CPU", ErrNoDriver, err)
	}
	d := &driver{}
	err = d.resolve(path, func(name string) (uintptr, error) { return purego.Dlsym(h, name) })
	if err != nil {
		return nil, err
	}
	return d, nil
}

//go:uintptrescapes
func syscallN(fn uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return r
}
