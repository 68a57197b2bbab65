package kernels

import (
	"os"
	"unsafe"
)

// The assembly for every architecture is generated on any of them.
//
//go:generate go run -C internal/gen . products -out ../../products_amd64.s -stubs ../../products_amd64.go -pkg kernels
//go:generate go run -C internal/gen . elementwise -out ../../elementwise_amd64.s -stubs ../../elementwise_amd64.go -pkg kernels
//go:generate go run -C internal/gen . rows -out ../../rows_amd64.s -stubs ../../rows_amd64.go -pkg kernels
//go:generate go run -C internal/gen . attention -out ../../attention_amd64.s -stubs ../../attention_amd64.go -pkg kernels
//go:generate go run -C internal/gen ./arm64 products -out ../../products_arm64.s -stubs ../../products_arm64.go -pkg kernels
//go:generate go run -C internal/gen ./arm64 elementwise -out ../../elementwise_arm64.s -stubs ../../elementwise_arm64.go -pkg kernels
//go:generate go run -C internal/gen ./arm64 rows -out ../../rows_arm64.s -stubs ../../rows_arm64.go -pkg kernels

// A backend is the set of functions that an instruction set brings along for one element type; nil functions are
// replaced by plain Go. Products are made of tiles.
type backend[F Float] struct {
	lanes   int       // elements of a vector
	heights []int     // rows of the tiles, tallest first, ending with 1
	half    []tile[F] // by height, tiles of half a vector; nil if they are no faster than narrow
	narrow  []tile[F] // by height, tiles of one vector
	wide    []tile[F] // by height, tiles of two vectors
	odd     []tile[F] // by height among oddHeights, tiles of three and a half vectors; nil if there are none
	dots    func(k int, a *F, lda int, b *F, ldb int, c *F, ldc, m, n int)

	add, sub, mul          func(dst, a, b *F, n int)
	scale, shift           func(dst, a *F, s F, n int)
	mulMul, addScaled      func(dst, a, b *F, s F, n int)
	mulAdd, mulSub, subMul func(dst, a, b, c *F, n int)
	quadratic              func(dst, a *F, s, t F, n int)
	square, recip, sqrt    func(dst, a *F, n int)
	exp, tanh, sigmoid     func(dst, a *F, n int)
	switches               func(dst, a *F, begin, inverse, below, p0, p1, p2, p3, p4, p5 float64, n int)

	copyRows, repeatCol func(dst *F, dstStride int, src *F, srcStride, rows, cols int)
	mapRows             func(dst, src *F, p *lanePlan, groups, step int)
	gatherRows          func(dst *F, dstStride int, src *F, srcStride int, index *int32, rows, cols int)
	sumList             func(dst, src *F, list *int32, rows, cols int)
	sumRun, sumEach     func(dst, src *F, rows, cols int)
	addRows             func(dst *float64, src *F, rows, cols int)

	softmax   func(dst, x *F, n, cols int, value, count F) // cols is a divisor of lanes
	fourHeads *headTiles[F]
	prefetch  func(p *F, n int)
}

// tile computes count tiles of c, one below the other, each of a fixed number of rows and of n columns: it sets them to the
// sum over k of a column of a times a row of b, or adds that if add is not 0. Element (i, p) of a is at a[i*rs+p*cs].
type tile[F Float] func(k int, a *F, rs, cs int, b *F, ldb int, c *F, ldc, n, add, count int)

// path is an instruction set with its functions for both element types.
type path struct {
	name string
	f32  *backend[float32]
	f64  *backend[float64]
}

// current is chosen once, when the program starts: the best of what the processor has, or what the environment variable
// FEDLAM_KERNELS names (plain, avx2, avx512, neon) if the processor has that.
var current = choose(paths(), os.Getenv("FEDLAM_KERNELS"))

// paths returns what the processor has, the best first; the last is always plain Go.
func paths() []*path {
	return append(machinePaths(), &path{"plain", &backend[float32]{}, &backend[float64]{}})
}

func choose(list []*path, wanted string) *path {
	for _, p := range list {
		if p.name == wanted {
			return p
		}
	}
	return list[0]
}

// Path returns the name of the instruction set in use: "avx512", "avx2", "neon" or "plain".
func Path() string { return current.name }

func backendOf[F Float]() *backend[F] {
	if isFloat32[F]() {
		return (*backend[F])(unsafe.Pointer(current.f32))
	}
	return (*backend[F])(unsafe.Pointer(current.f64))
}
