package kernels

import "unsafe"

// hugePage is the size of a large page on the processors that have assembly here.
const hugePage = 2 << 20

// Alloc returns n zeros, in large pages if they are many and the operating system offers that. A walk through tens of
// megabytes in pages of 4 kB misses the translation buffer on every page, which costs more than the arithmetic.
func Alloc[F Float](n int) []F {
	x := make([]F, n)
	if size := n * int(unsafe.Sizeof(F(0))); size >= hugePage {
		largePages(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), size))
	}
	return x
}
