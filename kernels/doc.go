// Package kernels holds the arithmetic of the program: functions on contiguous row-major slices, generic over the
// two floating-point types.
//
// Every function has a plain Go version, which is the reference; package kerneltest states as one suite of tests
// what any faster version must do. No function allocates, starts goroutines or keeps state: a caller that wants
// several cores splits the rows and calls several times. Slices must be long enough for the sizes given with them;
// results never depend on more than the arguments, so equal calls give equal bits.
//
// NaN and Inf are values like others: they travel through as IEEE 754 says, and no function looks for them.
package kernels

// Float is the set of element types.
type Float interface{ ~float32 | ~float64 }
