// Package cuda computes the operations of package kernels on an NVIDIA GPU.
//
// # What it needs
//
// The driver, libcuda.so.1, is loaded when a Device is opened; neither cgo nor a CUDA toolkit is needed, to build or to run.
// Where there is no driver, Open fails with ErrNoDriver, and so it does in programs for other systems than Linux, or built
// with the tag nocuda. (With that tag a program for Linux is linked statically; without, it wants a C library, as loading a
// driver does.) GPUs since Turing, compute capability 7.5, can run the kernels.
//
// # Use
//
// Memory of the device comes from an Arena, as a Slice of numbers. Work is listed by a Recorder, which checks sizes; a Stream
// runs such a list in order, without waiting, and the host waits in Sync. Functions that record work have the names, the
// arguments and the meaning of those of package kernels, but the results are there after Sync.
//
//	device, err := cuda.Open(cuda.Config{})
//	stream, err := device.NewStream()
//	arena, err := device.NewArena(64 << 20)
//	x, err := cuda.Take[float32](arena, len(numbers))
//	var r cuda.Recorder
//	cuda.Upload(&r, x, numbers)
//	cuda.Fill(&r, x.Cut(0, 10), 1)
//	cuda.Download(&r, numbers, x)
//	err = stream.Run(&r)
//	err = stream.Sync()
//
// A list may be run again and again, also as a Graph, which the driver starts as a whole.
//
// # Guarantees
//
// Equal calls give equal bits, on every GPU: sums have a fixed order, which follows from sizes alone, and nothing is added
// atomically. A row of a product has the same bits whichever rows are computed with it. Bits differ from those of the CPU.
// Package kerneltest states what the CPU and the GPU have in common.
//
// One goroutine, bound to a thread of the operating system, makes all calls of the driver, so a Device may be used from any
// number of goroutines; a Recorder is for one at a time. What the driver refuses is an *Error, which names the call and says
// what to do.
//
// # Tiles
//
// Elementwise arithmetic is done by a Tile, in one of two ways that give the same bits. By default a Device has a kernel for each
// shape of a tile: its formula and the kinds of its operands and results, but not sizes, addresses and constants, which are
// parameters. The text of such a kernel, in PTX, is written when a tile is first recorded (emit.go). A device loads what it has not
// met before when a list is first run, all in one module, and the driver compiles it, which takes some 5 to 10 ms a kernel. The other way is an
// interpreter of formulas (src/elementwise.cu), which is compiled ahead, and slower for all but the shortest formulas; it has limits
// of instructions, operands, results and constants. A list holds the launches of both, so it runs on any device.
//
// Config.Tiles, or the environment variable FEDLAM_CUDA_TILES, chooses "emit" or "interpret". If the driver refuses the code, the
// device goes on with the interpreter, and Device.Tiles tells what the driver said; "fedlam bench" shows it.
//
// # Kernels
//
// The other kernels are written in CUDA C, in src, one topic in each file. Clang compiles them to PTX, which is committed; after a
// change there, run go generate. The same files are compiled for the host, with a driver that runs them there (src/fake): so
// tests run all of this package, and package cudatest lets those of others do so, on machines without a GPU. Where there is
// one, "go test ./kernels/cuda -run OnGPU -bench ." checks and measures it. For the code of tiles the fake has an interpreter of the
// instructions that they use, which refuses what NVIDIA's assembler would. What is predicted of speed stands beside the
// kernels; it has not been measured yet.
package cuda

//go:generate go run ./internal/ptxgen
