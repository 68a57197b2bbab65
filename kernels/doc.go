// Package kernels holds the arithmetic of the program: functions on contiguous row-major slices, generic over the
// two floating-point types.
//
// There are matrix products, in all transpositions and inside segments of rows; maps of one to three operands; sums over
// rows, columns and segments; softmax over segments; pairs of rows of a segment; and moves of rows and columns.
//
// Every function has a plain Go version, which is the reference. Most also have assembly: on amd64 for AVX-512 and for
// AVX2 with FMA, on arm64 for NEON. It is chosen when the program starts: the best that the processor has, or what the
// environment variable FEDLAM_KERNELS names (plain, avx2, avx512 or neon). Path tells which. The assembly is written by
// the module internal/gen; after a change there, run go generate. Package kerneltest states what all versions have in
// common, as tests. Those of NEON have passed in an emulator; its speed on real processors has not been measured.
//
// A Formula is elementwise arithmetic in several steps, of which Fuse makes machine code where it can: on amd64 with Linux,
// unless the environment variable FEDLAM_COMPILE is "off".
//
// No function but Fuse and Alloc allocates, starts goroutines or keeps state: a caller that wants several cores splits the rows and calls
// several times. Slices must be long enough for the sizes given with them. Results depend on nothing but the arguments and
// the instruction set, so equal calls give equal bits, and a row of a product has the same bits whichever rows are
// computed with it. Instruction sets differ from each other in the last bits.
//
// NaN and Inf are values like others: they travel through as IEEE 754 says, and no function looks for them.
package kernels

// Float is the set of element types.
type Float interface{ ~float32 | ~float64 }
