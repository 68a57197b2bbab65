//go:build !amd64

package kernels

func machinePaths() []*path { return nil }
