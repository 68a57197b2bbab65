package kernels_test

import (
	"testing"
	"unsafe"

	"github.com/fedlam/fedlam/kernels"
)

// A task is the benchmark of one kernel on operands of one size. What it does per second is reported beside the peak that
// the same process reaches: that of a product in the caches, or that of moving as many bytes.
type task struct {
	kernel  string // name of the function
	size    string // of the operands
	unit    string
	amount  int // floating-point operations of a call, or bytes that it reads and writes
	peak    func() float64
	prepare func() (call func()) // lays the operands out
}

// productTask is a task of arithmetic.
func productTask[F kernels.Float](kernel, size string, flop int, prepare func() func()) task {
	return task{kernel, size, "GFLOP/s", flop, productPeak[F], prepare}
}

// memoryTask is a task bound by the memory that it walks through. Numbers that a call reads or writes count once each.
func memoryTask(kernel, size string, bytes int, prepare func() func()) task {
	return task{kernel, size, "GB/s", bytes, func() float64 { return bandwidth(bytes) }, prepare}
}

func (t task) run(b *testing.B) {
	call := t.prepare()
	for b.Loop() {
		call()
	}
	rate := float64(t.amount) * float64(b.N) / b.Elapsed().Seconds() / 1e9
	b.ReportMetric(rate, t.unit)
	b.ReportMetric(100*rate/t.peak(), "%peak")
}

func benchmark(b *testing.B, float32s, float64s []task) {
	for _, list := range []struct {
		name  string
		tasks []task
	}{{"float32", float32s}, {"float64", float64s}} {
		for _, t := range list.tasks {
			b.Run(t.kernel+"/"+t.size+"/"+list.name, t.run)
		}
	}
}

func BenchmarkProducts(b *testing.B) { benchmark(b, products[float32](), products[float64]()) }

// BenchmarkSegments takes products within segments of rows.
func BenchmarkSegments(b *testing.B) { benchmark(b, segments[float32](), segments[float64]()) }

func BenchmarkElementwise(b *testing.B) { benchmark(b, elementwise[float32](), elementwise[float64]()) }

// BenchmarkRows takes moves and sums of rows and columns.
func BenchmarkRows(b *testing.B) { benchmark(b, rowTasks[float32](), rowTasks[float64]()) }

func BenchmarkPairs(b *testing.B) { benchmark(b, pairs[float32](), pairs[float64]()) }

// filled returns n numbers between 0 and 1 in memory like that of a program.
func filled[F kernels.Float](n int) []F {
	x := kernels.Alloc[F](n)
	for i := range x {
		x[i] = F(i%97+1) / 100
	}
	return x
}

// sizeOf returns the bytes of n numbers.
func sizeOf[F kernels.Float](n int) int { return n * int(unsafe.Sizeof(F(0))) }
