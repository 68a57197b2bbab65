package cuda

import (
	"encoding/binary"
	"fmt"
	"math"
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
}

// operation is a piece of work.
type operation struct {
	kind operationKind

	// A launch: a kernel, blocks in two dimensions, threads of a block, bytes of shared memory, and its arguments.
	kernel   kernel
	grid     [2]uint32
	threads  uint32
	shared   uint32
	at, size int

	// A copy.
	dst, src uint64
	host     unsafe.Pointer
	bytes    uint64

	event *Event
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
	*r = Recorder{ops: r.ops[:0], args: r.args[:0]}
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

// kernel is the name of one kernel and the file it stands in.
type kernel struct{ module, name string }

// family is a kernel for each element type.
type family struct{ f32, f64 kernel }

func kernels2(module, name string) family {
	return family{kernel{module, name + "_f32"}, kernel{module, name + "_f64"}}
}

// of returns the kernel of a family for an element type.
func of[F kernels.Float](f family) kernel {
	if size[F]() == 4 {
		return f.f32
	}
	return f.f64
}

// The arguments of a kernel lie one after the other, each at a multiple of its size. They are recorded in their order, then
// the launch.

func (r *Recorder) align(n int) {
	for (len(r.args)-r.from)%n != 0 {
		r.args = append(r.args, 0)
	}
}

// wide adds addresses and other numbers of 64 bits.
func (r *Recorder) wide(v ...uint64) {
	r.align(8)
	for _, x := range v {
		r.args = binary.LittleEndian.AppendUint64(r.args, x)
	}
}

// long adds numbers that are int64 in the kernel.
func (r *Recorder) long(v ...int) {
	r.align(8)
	for _, x := range v {
		r.args = binary.LittleEndian.AppendUint64(r.args, uint64(x))
	}
}

// ints adds numbers that are int32 in the kernel.
func (r *Recorder) ints(v ...int) {
	r.align(4)
	for _, x := range v {
		if x != int(int32(x)) {
			r.fail("%d: sizes beyond 2^31 are not supported; use smaller batches", x)
		}
		r.args = binary.LittleEndian.AppendUint32(r.args, uint32(x))
	}
}

// float adds a number of the element type of the kernel.
func float[F kernels.Float](r *Recorder, x F) {
	if size[F]() == 4 {
		r.align(4)
		r.args = binary.LittleEndian.AppendUint32(r.args, math.Float32bits(float32(x)))
		return
	}
	double(r, float64(x))
}

func double(r *Recorder, x float64) {
	r.align(8)
	r.args = binary.LittleEndian.AppendUint64(r.args, math.Float64bits(x))
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
	r.ops = append(r.ops, operation{
		kind: opLaunch, kernel: k, grid: [2]uint32{uint32(x), uint32(y)}, threads: uint32(threads), shared: uint32(shared),
		at: r.from, size: len(r.args) - r.from,
	})
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

// Upload copies src to dst, which must be as long or longer. src may not be changed before the stream is waited for.
func Upload[T Number](r *Recorder, dst Slice[T], src []T) {
	need(r, "Upload", "dst", dst, len(src))
	if len(src) > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opUpload, dst: dst.addr, host: unsafe.Pointer(&src[0]), bytes: uint64(len(src)) * size[T]()})
	}
}

// Download copies the first len(dst) numbers of src to dst, which holds them after the stream is waited for.
func Download[T Number](r *Recorder, dst []T, src Slice[T]) {
	need(r, "Download", "src", src, len(dst))
	if len(dst) > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opDownload, src: src.addr, host: unsafe.Pointer(&dst[0]), bytes: uint64(len(dst)) * size[T]()})
	}
}

// Copy copies src to dst, which must be as long or longer, within the device. They may not overlap.
func Copy[T Number](r *Recorder, dst, src Slice[T]) {
	need(r, "Copy", "dst", dst, src.n)
	if src.n > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opCopy, dst: dst.addr, src: src.addr, bytes: src.bytes()})
	}
}

// Zero sets all of dst to 0.
func Zero[T Number](r *Recorder, dst Slice[T]) {
	if dst.n > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opZero, dst: dst.addr, bytes: dst.bytes()})
	}
}

// Mark records the time at which all work before it is done.
func Mark(r *Recorder, e *Event) {
	r.ops = append(r.ops, operation{kind: opMark, event: e})
}

// Await has the work after it begin when the event, as it was marked last in another stream, has happened. Lists with it cannot
// be captured.
func Await(r *Recorder, e *Event) {
	r.ops = append(r.ops, operation{kind: opAwait, event: e})
}
