package kernels

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// newText returns executable memory with the given machine code. It is writable or executable, but never both. Systems
// that forbid programs to write code return an error.
func newText(machine []byte) (*text, error) {
	b, err := unix.Mmap(-1, 0, len(machine), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	copy(b, machine)
	if err := unix.Mprotect(b, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		_ = unix.Munmap(b)
		return nil, err
	}
	t := &text{b}
	runtime.AddCleanup(t, func(b []byte) { _ = unix.Munmap(b) }, b)
	return t, nil
}
