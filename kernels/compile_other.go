//go:build !amd64

package kernels

// compile does nothing: code is written for amd64 only.
func compile[F Float]([]*Fused[F]) {}

func callCode(uintptr, *arguments) { panic("kernels: no code for this processor") }
