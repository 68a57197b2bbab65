//go:build !linux

package kernels

// largePages does nothing where the operating system decides alone.
func largePages([]byte) {}
