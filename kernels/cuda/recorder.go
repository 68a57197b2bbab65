package cuda

import (
	"fmt"
	"unsafe"

	"github.com/fedlam/fedlam/kernels"
)

// A Recorder lists work for a device. The functions that add to the list check sizes; the first that is wrong makes all of the
// list invalid, see Err. Nothing is allocated while a list is not longer than one before it. The zero Recorder is ready.
type Recorder struct {
	ops  []operation
	args []byte
	from int // in args: where the arguments of the launch being recorded begin
	err  error

	emitted []emittedLaunch
	codes   map[string]*tileCode // by key of their plans
	plan    tilePlan             // of the tile being recorded
}

// operation is a piece of work.
type operation struct {
	kind operationKind

	launching
	emitted int   // of a tile: position in Recorder.emitted of the launch of its own code, counted from 1
	limits  error // of a tile: why there is no other

	// A copy.
	dst, src uint64
	host     unsafe.Pointer
	bytes    uint64

	event *Event
}

// launching is a launch of a kernel: blocks in two dimensions, threads of a block, bytes of shared memory, and where the arguments are.
type launching struct {
	kernel   kernel
	grid     [2]uint32
	threads  uint32
	shared   uint32
	at, size int
}

type operationKind uint8

const (
	opLaunch operationKind = iota
	opUpload
	opDownload
	opCopy
	opZero
	opMark
	opAwait
)

// Reset empties the list and forgets its error.
func (r *Recorder) Reset() {
	clear(r.ops)
	*r = Recorder{ops: r.ops[:0], args: r.args[:0], emitted: r.emitted[:0], codes: r.codes, plan: r.plan}
}

// Len returns the number of pieces of work.
func (r *Recorder) Len() int { return len(r.ops) }

// Err returns what was wrong first.
func (r *Recorder) Err() error { return r.err }

// fail makes the list invalid, unless it is already.
func (r *Recorder) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("cuda: "+format, args...)
	}
}

// kernel is the name of one kernel and the file of ptx it stands in.
type kernel struct{ module, name string }

// family is a kernel for each element type.
type family struct{ f32, f64 kernel }

func kernels2(module, name string) family {
	return family{kernel{module + "_f32", name + "_f32"}, kernel{module + "_f64", name + "_f64"}}
}

// of returns the kernel of a family for an element type.
func of[F kernels.Float](f family) kernel {
	if size[F]() == 4 {
		return f.f32
	}
	return f.f64
}

// Most blocks of a grid in each dimension.
const (
	mostBlocksX = 1<<31 - 1
	mostBlocksY = 1<<16 - 1
)

// launch ends a launch whose arguments have been added.
func (r *Recorder) launch(k kernel, x, y, threads, shared int) {
	if x <= 0 || y <= 0 || r.err != nil {
		r.args = r.args[:r.from]
		return
	}
	if x > mostBlocksX || y > mostBlocksY {
		r.fail("%s: %d x %d blocks; use smaller batches", k.name, x, y)
		return
	}
	r.ops = append(r.ops, operation{kind: opLaunch, launching: launching{
		kernel: k, grid: [2]uint32{uint32(x), uint32(y)}, threads: uint32(threads), shared: uint32(shared),
		at: r.from, size: len(r.args) - r.from,
	}})
	r.align(8)
	r.from = len(r.args)
}

// flatThreads are the threads of a block of kernels that go over numbers in a loop; flatBlocks are the most blocks, enough
// to fill every GPU there is.
const (
	flatThreads = 256
	flatBlocks  = 4096
)

// launchFlat ends the launch of a kernel that goes over n numbers.
func (r *Recorder) launchFlat(k kernel, n int) {
	r.launch(k, min((n+flatThreads-1)/flatThreads, flatBlocks), 1, flatThreads, 0)
}

// need makes the list invalid if a slice has fewer than n numbers, or n is negative.
func need[T Number](r *Recorder, op, name string, s Slice[T], n int) {
	if n < 0 || s.n < n {
		r.fail("%s: %s has %d numbers, needs %d", op, name, s.n, n)
	}
}
