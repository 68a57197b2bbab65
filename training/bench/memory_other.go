//go:build !unix

package bench

// ProcessMemory returns 0: this system does not tell.
func ProcessMemory() int64 { return 0 }
